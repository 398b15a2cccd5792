"""How much a host is spared after what it answered, and when a failed URL is tried again. Pure: values in, values out.

What needs the host's history (how many errors in a row, how slow it used to be) is arithmetic inside `settle.lua`;
what needs only the event is here.
"""

import random

from contract.commands import KnownPage
from contract.pages import PageFailed, RobotsFetched

#: Reasons that speak of the host as a whole: it is in trouble, so everybody leaves it alone for a while.
TROUBLE = frozenset(
    (
        "connect_refused",
        "connect_failed",
        "timeout",
        "too_slow",
        "deadline",
        "tls",
        "dns_failed",
        "worker_lost",
    )
)
#: … and that it is asked too often, or by too many at once: see limits.lua.
REFUSALS = frozenset((429, 503))
_REFUSAL_WORDS = frozenset(("connect_refused", "http_429", "http_503"))
#: So often a URL is refused before it fails. Whoever is refused goes behind the others of its host, so by then those
#: have been served, or refused as often: a host that refuses everybody is given up before it has many of them fail.
MOST_REFUSALS = 12
#: No host can make us wait longer than this by Retry-After.
LONGEST_BLOCK_MS = 3_600_000
#: Wait (ms) before the second attempt at a URL; doubles with each attempt, up to the longest.
FIRST_RETRY_MS, LONGEST_RETRY_MS = 1_000, 300_000


def in_trouble(failed: PageFailed) -> bool:
    """Whether this failure says something about the host, not only about the page."""
    return failed.reason in TROUBLE or failed.status in (429, 500, 502, 503, 504)


def is_refusal(failed: PageFailed | KnownPage) -> bool:
    """Whether the host refuses to be asked now, which is no fault of the URL's."""
    status = failed.status if isinstance(failed, PageFailed) else None
    return status in REFUSALS or failed.reason in _REFUSAL_WORDS


def block_ms(retry_after_ms: int | None) -> int:
    """For how long nobody may ask this host, by its own word; 0 where it said nothing."""
    return max(0, min(retry_after_ms or 0, LONGEST_BLOCK_MS))


def limited_why(failed: PageFailed) -> str:
    """The reason of a failure by which the host says that it is asked too often, or for how long not to; else ''."""
    says_when = failed.status != 202 and block_ms(failed.retry_after_ms) > 0
    return failed.reason if is_refusal(failed) or says_when else ""


def retry_in_ms(failed: PageFailed, *, max_attempts: int, chance: random.Random) -> int | None:
    """When to try again, or None: this failure is final."""
    if not has_another_attempt(failed, max_attempts=max_attempts):
        return None
    return max(backoff_ms(failed.attempt, chance), block_ms(failed.retry_after_ms))


def has_another_attempt(failed: PageFailed | KnownPage, *, max_attempts: int) -> bool:
    """Whether a failure is not final. A host's refusal uses up no attempt, unless there was to be only one."""
    if not failed.retryable or max_attempts == 1:
        return False
    if isinstance(failed, KnownPage):
        return failed.attempt < max_attempts + (MOST_REFUSALS if is_refusal(failed) else 0)
    if is_refusal(failed):
        return failed.refusals < MOST_REFUSALS
    return failed.attempt - failed.refusals < max_attempts


def robots_again_ms(robots: RobotsFetched, chance: random.Random) -> int:
    """When to ask again for a robots.txt that could not be had."""
    return max(backoff_ms(robots.attempt, chance), block_ms(robots.retry_after_ms))


def backoff_ms(attempt: int, chance: random.Random) -> int:
    """How long to wait after this attempt: exponential, with full jitter over the upper half."""
    longest = min(FIRST_RETRY_MS << min(attempt - 1, 20), LONGEST_RETRY_MS)
    return longest // 2 + chance.randrange(longest // 2 + 1)
