"""What each way for a fetch to fail means: to a page, to a robots.txt, and to a webhook. Data, and the look into it.

How an exception becomes one of these errors, before and after sending, is the table in `scraper.http.causes`.
"""

from typing import Literal, NamedTuple

from scraper import errors as e


class Verdict(NamedTuple):
    """The three verdicts on one error.

    `page`: `excluded` (we are not to ask there), `final` or `again`; the scheduler bounds the attempts. `robots`:
    `allow` (nothing can be fetched there anyway, and the pages say so in better words) or `unreachable`, which never
    opens a host (RFC 9309 §2.3.1.4). `webhook`: `never` (no attempt can reach it) or `again`.
    """

    page: Literal["excluded", "final", "again"]
    robots: Literal["allow", "unreachable"]
    webhook: Literal["never", "again"]


VERDICTS: dict[type[e.FetchError], Verdict] = {
    # nothing was sent
    e.InvalidUrl: Verdict("final", "allow", "never"),
    e.BlockedAddress: Verdict("excluded", "allow", "never"),
    e.DnsNotFound: Verdict("final", "allow", "again"),
    e.DnsFailed: Verdict("again", "unreachable", "again"),
    e.ConnectRefused: Verdict("again", "unreachable", "again"),
    e.ConnectFailed: Verdict("again", "unreachable", "again"),
    e.Tls: Verdict("final", "unreachable", "again"),
    # time
    e.Timeout: Verdict("again", "unreachable", "again"),
    e.TooSlow: Verdict("again", "unreachable", "again"),
    e.Deadline: Verdict("again", "unreachable", "again"),
    # the answer
    e.NotHttp: Verdict("again", "unreachable", "again"),
    e.ProtocolError: Verdict("again", "unreachable", "again"),
    e.HeadersTooLarge: Verdict("final", "unreachable", "again"),
    e.UnknownStatus: Verdict("final", "unreachable", "again"),
    e.BadLocation: Verdict("final", "allow", "again"),
    e.TooManyRedirects: Verdict("final", "allow", "again"),
    e.RedirectLoop: Verdict("final", "allow", "again"),
    e.NeedsCookies: Verdict("final", "allow", "again"),
    e.BodyTooLarge: Verdict("final", "unreachable", "again"),
    e.TooManyEncodings: Verdict("final", "unreachable", "again"),
    e.UnsupportedEncoding: Verdict("final", "unreachable", "again"),
    e.BadEncoding: Verdict("again", "unreachable", "again"),
    e.Truncated: Verdict("again", "unreachable", "again"),
    # ours: never the site's word
    e.OwnError: Verdict("again", "unreachable", "again"),
    e.RobotsUnreachable: Verdict("final", "unreachable", "again"),
    e.WorkerLost: Verdict("final", "unreachable", "again"),
}


def verdict_on(error: e.FetchError) -> Verdict:
    """The verdicts on an error; a status is decided by its number (`HttpStatus`)."""
    if isinstance(error, e.HttpStatus):
        return Verdict("again" if error.retryable else "final", "unreachable", "again")
    return VERDICTS[type(error)]
