"""What three response headers mean to a crawler: Location, Retry-After and Content-Range. Pure functions."""

import re
from calendar import timegm
from email.utils import parsedate_tz

import ada_url

from contract.safe_text import without_credentials
from scraper.errors import BadLocation
from scraper.http.answer import Answer

#: Statuses whose Location is where the page is (RFC 9110 §15.4).
MOVED = frozenset((300, 301, 302, 303, 307, 308))
#: A host cannot make us wait longer than this by one header.
LONGEST_WAIT_MS = 3_600_000
#: A mail address in a user agent's comment, as `Bot/1 (+me@a.test)`.
_MAILBOX = re.compile(r"\(\+(?:mailto:)?([\w.+-]+@[\w.-]+)\)", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,15}")
#: Dates of mail, which those of HTTP are, have the month in letters; nearly all other texts do not get far.
_DATE = re.compile(r"(?:[A-Za-z]|[0-9]{1,2}[ -])")
_RANGE = re.compile(r"bytes 0-([0-9]{1,15})/([0-9]{1,15})", re.IGNORECASE)
#: The white space of HTTP (RFC 9110 §5.6.3). A no-break space, of one byte in Latin-1, is none.
_SPACE = " \t"


def location_of(answer: Answer) -> str | None:
    """The absolute URL that a redirect leads to; None for an answer that is no redirect, so a page of its own.

    A 3xx without a Location is such an answer (Fetch standard, "location URL"; RFC 9110 §15.4). Raises `BadLocation`
    for a redirect to something that is not http or https.
    """
    given = answer.header("location").strip(_SPACE)
    if answer.status not in MOVED or not given:
        return None
    try:
        target = ada_url.URL(_as_sent(given), base=answer.url)
    except (ValueError, UnicodeError):
        raise BadLocation("the redirect leads to something that is not a URL") from None
    if target.protocol not in ("http:", "https:"):
        raise BadLocation(f"the redirect leads to a {target.protocol} URL")
    return without_credentials(str(target.href))


def _as_sent(value: str) -> str:
    # Headers come as latin-1. Many hosts put UTF-8 into a Location; what is none is sent back byte for byte, as by
    # browsers.
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return "".join([char if char < "\x80" else f"%{ord(char):02X}" for char in value])


def sender_of(user_agent: str) -> dict[str, str]:
    """The From header (RFC 9110 §10.1.2): the mail address that the user agent tells; nothing where it tells none."""
    found = _MAILBOX.search(user_agent)
    return {"From": found[1]} if found else {}


def retry_after_ms(value: str, *, now: float) -> int | None:
    """Milliseconds that a Retry-After header asks to wait, 0…LONGEST_WAIT_MS; None where it says nothing usable.

    Both forms of RFC 9110 §10.2.3: ASCII digits, or a date, which is compared with `now` (Unix seconds).
    """
    value = value.strip(_SPACE)
    if _DIGITS.fullmatch(value):
        return min(int(value) * 1000, LONGEST_WAIT_MS)
    date = parsedate_tz(value) if _DATE.match(value) else None
    if date is None:
        return None
    try:
        # Every date of HTTP is UTC, also one that does not say so (RFC 9110 §5.6.7: asctime). A minute may have a 60th
        # second.
        wait = timegm((*date[:6], 0, 0, 0)) - (date[9] or 0) - now
    except (ValueError, OverflowError):
        return None
    return int(max(0.0, min(wait * 1000, LONGEST_WAIT_MS)))


def is_whole_range(content_range: str) -> bool:
    """Whether a part of a page that nobody asked for is the whole of it (RFC 9110 §14.4)."""
    found = _RANGE.fullmatch(content_range.strip(_SPACE))
    return found is not None and int(found[1]) + 1 == int(found[2])
