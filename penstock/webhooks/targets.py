"""Which URLs may be webhooks, and what of them may be shown.

A webhook's path and query may hold a secret, so whatever is said about one names its receiver (scheme and authority)
and no more. Addresses are not looked at here: the HTTP client checks the one that it connects to.
"""

import re

from contract.errors import Refused

#: Longer ones are a mistake, and would stand in each crawl's specification.
LONGEST_CHARACTERS = 2_000
_CREDENTIALS = re.compile(r"^https?:[/\\]*[^/\\?#]*@", re.IGNORECASE)


def check_webhook(url: str) -> None:
    """Raise `Refused` for what cannot be a webhook, without repeating it."""
    from scheduler.urls import canonical

    if canonical(url) is None:
        raise Refused("the webhook must be an http or https URL, such as https://example.com/hooks", field="webhook")
    if len(url) > LONGEST_CHARACTERS:
        raise Refused(
            f"the webhook's URL must have at most {LONGEST_CHARACTERS:,} characters, not {len(url):,}", field="webhook"
        )
    if _CREDENTIALS.match(url):
        raise Refused(
            "the webhook's URL must be without user name and password, which are not sent; check signatures",
            field="webhook",
        )


def receiver_of(url: str) -> str:
    """Scheme and authority of a webhook; empty for what is none."""
    from scheduler.urls import canonical  # late: a recorder without webhooks has no use for it

    place = canonical(url)
    return place.host if place else ""
