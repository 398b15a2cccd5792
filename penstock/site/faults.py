"""Which requests fail by script, and how long each answer takes: functions of the URL and the attempt."""

import time
from email.utils import formatdate

from msgspec import Struct

from penstock.site.chance import draw, fraction
from penstock.site.options import SiteOptions


class RetryAfter(Struct, frozen=True):
    """A Retry-After header's value, and the moment on the monotonic clock that it means."""

    value: str
    at_ns: int


def latency_seconds(options: SiteOptions, *, url: str, attempt: int) -> float:
    """How long the first byte of an answer is held back."""
    if not options.jitter_ms:
        return options.latency_ms / 1000
    shift = 2 * fraction(options.seed, "latency", url, attempt) - 1
    return max(0.0, options.latency_ms + shift * options.jitter_ms) / 1000


def fault_status(options: SiteOptions, *, url: str, attempt: int) -> int | None:
    """503 or 429 if this attempt fails by script, else None."""
    if attempt > options.most_faults or not (options.error_rate or options.throttle_rate):
        return None
    drawn = fraction(options.seed, "fault", url, attempt)
    if drawn < options.error_rate:
        return 503
    return 429 if drawn < options.error_rate + options.throttle_rate else None


def retry_after(options: SiteOptions, *, url: str, attempt: int) -> RetryAfter:
    """What a throttled answer says: seconds, or a date no sooner than that (RFC 9110 §10.2.3)."""
    form = options.retry_after_form
    if form == "mixed":
        form = "date" if draw(options.seed, "form", url, attempt) % 2 else "seconds"
    clock, monotonic_ns = time.time(), time.monotonic_ns()
    if form == "seconds":
        wait = options.retry_after_seconds
        return RetryAfter(value=str(wait), at_ns=monotonic_ns + wait * 1_000_000_000)
    date = int(clock + options.retry_after_seconds) + 1
    return RetryAfter(value=formatdate(date, usegmt=True), at_ns=monotonic_ns + int((date - clock) * 1e9))
