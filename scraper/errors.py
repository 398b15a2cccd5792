"""Every way in which a fetch ends without a usable answer, as one small tree.

What the scheduler decides by is in the error itself: `reason`, a word that is fixed for ever and counted; `detail`, a
sentence for people; `retryable`, whether another attempt may help; and `asked`, whether the host was bothered at all.
"""

from typing import ClassVar, Self

from contract.errors import PenstockError, Refused


class DamagedRecord(PenstockError):
    """Raised when a stored body is not the WARC record that it should be."""


class FetchError(PenstockError):
    """The root of the failed fetches; `retry_after_ms` is what the host asked for, None where it did not."""

    reason: ClassVar[str] = "failed"
    retryable: ClassVar[bool] = True

    def __init__(self, detail: str = "", *, asked: bool = True, retry_after_ms: int | None = None) -> None:
        super().__init__(detail)
        self.detail, self.asked, self.retry_after_ms = detail, asked, retry_after_ms
        self.started_at = self.elapsed_ms = 0

    def at(self, started_at: int, elapsed_ms: int, *, asked: bool) -> Self:
        """Note when the request was sent (Unix ms) and how long it took; returns the error itself."""
        self.started_at, self.elapsed_ms, self.asked = started_at, elapsed_ms, asked
        return self


# -- nothing was sent


class InvalidUrl(FetchError):
    """Raised for a URL that no request can be made of."""

    reason, retryable = "invalid_url", False


class BlockedAddress(FetchError):
    """Raised for a host whose address is not on the public internet; the address is not told."""

    reason, retryable = "blocked_address", False


class DnsNotFound(FetchError):
    """Raised when the name system says that there is no such host."""

    reason, retryable = "dns_not_found", False


class DnsFailed(FetchError):
    """Raised when the name system gave no answer."""

    reason = "dns_failed"


class ConnectRefused(FetchError):
    """Raised when nobody listens at the host's port."""

    reason = "connect_refused"


class ConnectFailed(FetchError):
    """Raised when no connection came about, for any other cause."""

    reason = "connect_failed"


class Tls(FetchError):
    """Raised when the TLS handshake failed; there is no downgrade."""

    reason, retryable = "tls", False


# -- time


class Timeout(FetchError):
    """Raised when no connection came about in time."""

    reason = "timeout"


class TooSlow(FetchError):
    """Raised when a body came more slowly than the least rate."""

    reason = "too_slow"


class Deadline(FetchError):
    """Raised when the whole answer took longer than the total deadline."""

    reason = "deadline"


# -- the answer's form


class NotHttp(FetchError):
    """Raised when what came back is not HTTP at all."""

    reason = "not_http"


class ProtocolError(FetchError):
    """Raised when HTTP was spoken wrongly, or the connection broke."""

    reason = "protocol_error"


class HeadersTooLarge(FetchError):
    """Raised when the headers pass their limits."""

    reason, retryable = "headers_too_large", False


class UnknownStatus(FetchError):
    """Raised for a status that HTTP does not have (below 200, or above 599)."""

    reason, retryable = "unknown_status", False


class BadLocation(FetchError):
    """Raised for a redirect to something that is not an http or https URL, and without a body to take instead."""

    reason, retryable = "bad_location", False


class TooManyRedirects(FetchError):
    """Raised when more redirects in a row led to this one than the crawl allows."""

    reason, retryable = "too_many_redirects", False


class RedirectLoop(FetchError):
    """Raised for a redirect that comes back to a URL of its own chain."""

    reason, retryable = "redirect_loop", False


class NeedsCookies(FetchError):
    """Raised for a redirect that comes back to a URL of its own chain, in which a cookie was set: it is waited for."""

    reason, retryable = "needs_cookies", False


class HttpStatus(FetchError):
    """Raised for a 4xx or 5xx status, or a 202 that is to be asked again; its reason is `http_` and the number."""

    #: Statuses that may be another one next time (RFC 9110, RFC 6585).
    PASSING: ClassVar[frozenset[int]] = frozenset(
        (408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524)
    )
    #: Statuses that pass if the host says when, by Retry-After (RFC 9110 §15.3.3, §15.5.4, §15.5.14).
    NAMING_A_TIME: ClassVar[frozenset[int]] = frozenset((202, 403, 413))

    def __init__(self, status: int, detail: str = "", *, retry_after_ms: int | None = None) -> None:
        super().__init__(detail, retry_after_ms=retry_after_ms)
        self.status = status
        self.reason = f"http_{status}"  # type: ignore[misc]
        asked_again = status in self.NAMING_A_TIME and retry_after_ms is not None
        self.retryable = asked_again or status in self.PASSING  # type: ignore[misc]


# -- the answer's body


class BodyTooLarge(FetchError):
    """Raised when a body passes its limit, on the wire, decoded, or by how much it grows in decoding."""

    reason, retryable = "body_too_large", False


class TooManyEncodings(FetchError):
    """Raised when a body is encoded more than twice."""

    reason, retryable = "too_many_encodings", False


class UnsupportedEncoding(FetchError):
    """Raised for a Content-Encoding that we cannot decode."""

    reason, retryable = "unsupported_encoding", False


class BadEncoding(ProtocolError):
    """Raised when a compressed body is damaged."""


class Truncated(FetchError):
    """Raised when a body ends before its end."""

    reason = "truncated"


# -- what is not one request's fault


class OwnError(FetchError):
    """Raised when we failed at an answer that had come: an error of ours, which says nothing about the site."""

    reason = "own_error"


class RobotsUnreachable(FetchError):
    """Raised for a page of a host whose robots.txt cannot be had: nothing may be fetched there for now."""

    reason, retryable = "robots_unreachable", False


class WorkerLost(FetchError):
    """Raised for a page that has ended its worker too often."""

    reason, retryable = "worker_lost", False


class BadSelector(Refused):
    """Raised for a CSS selector that cannot be read; names it."""


class WithoutElements(Refused):
    """Raised where a page is asked for elements, links or a title and its body can have none; says what it is."""
