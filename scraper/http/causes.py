"""What went wrong, from the exceptions of four libraries, and our own, to one class of our tree.

httpx wraps most of aiohttp's exceptions and says less than they do, so the causes below are looked at, and the first
rule that fits any of them counts: the special before the general. What happened after the request was sent says nothing
about the URL, and an error of ours says nothing about the site.
"""

import logging
import os
import ssl
from collections.abc import Iterator
from typing import NamedTuple

import aiohttp

from contract.topology import FETCH
from scraper.errors import (
    ConnectFailed,
    ConnectRefused,
    DnsFailed,
    FetchError,
    InvalidUrl,
    OwnError,
    ProtocolError,
    Timeout,
    Tls,
)
from scraper.http.exchange import Exchange
from scraper.http.lean import httpx

log = logging.getLogger(FETCH.name)

#: Longest detail of an error, in characters.
DETAIL_LENGTH = 200

#: No request was sent, but the host was bothered, and is in some trouble.
AT_THE_DOOR = (ConnectRefused, ConnectFailed, Timeout, Tls)


class Rule(NamedTuple):
    """Exceptions, and what they come to before and after the request was sent."""

    kinds: tuple[type[BaseException], ...]
    before: type[FetchError]
    after: type[FetchError]


#: What that comes to for a page, a robots.txt and a webhook is the table in `scraper.verdicts`.
RULES = (
    Rule((httpx.InvalidURL, httpx.UnsupportedProtocol, aiohttp.InvalidURL), InvalidUrl, OwnError),
    Rule((ssl.SSLError, ssl.CertificateError, aiohttp.ClientSSLError), Tls, ProtocolError),
    Rule((aiohttp.ClientConnectorDNSError,), DnsFailed, DnsFailed),
    Rule((ConnectionRefusedError,), ConnectRefused, ConnectRefused),
    Rule((aiohttp.ServerTimeoutError,), Timeout, Timeout),
    Rule((aiohttp.ClientError, OSError), ConnectFailed, ProtocolError),
    Rule((httpx.HTTPError,), ConnectFailed, ProtocolError),
    Rule((UnicodeError, ValueError), InvalidUrl, OwnError),
    Rule((Exception,), OwnError, OwnError),
)
_ANY = RULES[-1]


def classified(error: BaseException, exchange: Exchange) -> FetchError:
    """The same failure as a `FetchError`, with the exchange's times in it."""
    sent = exchange.sent_at is not None
    found = error if isinstance(error, FetchError) else _classify(error, sent)
    return found.at(exchange.started_at, exchange.elapsed_ms, asked=sent or isinstance(found, AT_THE_DOOR))


def own_error(error: Exception) -> OwnError:
    """An error of ours at an answer that had come; its traceback goes to the log, because it has to be mended."""
    log.error("an answer could not be worked on", exc_info=error, extra={"action": "own_error"})
    return OwnError(_detail(error))


def _classify(error: BaseException, sent: bool) -> FetchError:
    fitting = ((rule, link) for rule in RULES[:-1] for link in _chain(error) if isinstance(link, rule.kinds))
    rule, link = next(fitting, (_ANY, error))
    kind = rule.after if sent else rule.before
    if kind is OwnError and isinstance(error, Exception):
        return own_error(error)
    return kind(_detail(link))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _detail(error: BaseException) -> str:
    text = os.strerror(error.errno) if isinstance(error, ConnectionError) and error.errno else str(error)
    for link in _chain(error):
        if isinstance(link, aiohttp.ServerDisconnectedError):
            text = "the connection was closed before the answer's end"
    return " ".join(text.split())[:DETAIL_LENGTH] or type(error).__name__
