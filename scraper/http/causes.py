"""What went wrong, from the exceptions of four libraries to one class of our tree.

httpx wraps most of aiohttp's exceptions and says less than they do, so the cause below is looked at. The order of the
rules matters: the special before the general.
"""

import os
import ssl
from collections.abc import Iterator

import aiohttp
from aiohttp import http_exceptions as http

from scraper.errors import (
    ConnectFailed,
    ConnectRefused,
    DnsFailed,
    FetchError,
    HeadersTooLarge,
    InvalidUrl,
    NotHttp,
    ProtocolError,
    Timeout,
    Tls,
    Truncated,
)
from scraper.http.exchange import Exchange
from scraper.http.lean import httpx

#: Longest detail of an error, in characters; some libraries put the whole header into theirs.
DETAIL_LENGTH = 200

#: No request was sent, but the host was bothered, and is in some trouble.
AT_THE_DOOR = (ConnectRefused, ConnectFailed, Timeout, Tls)

#: What is known from one exception of the chain alone.
_BY_KIND: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], type[FetchError]], ...] = (
    ((httpx.InvalidURL, httpx.UnsupportedProtocol, aiohttp.InvalidURL, UnicodeError), InvalidUrl),
    ((ssl.SSLError, ssl.CertificateError, aiohttp.ClientSSLError), Tls),
    (aiohttp.ClientConnectorDNSError, DnsFailed),
    (ConnectionRefusedError, ConnectRefused),
    (aiohttp.ServerTimeoutError, Timeout),
    (http.LineTooLong, HeadersTooLarge),
    (http.BadStatusLine, NotHttp),
    (http.ContentLengthError, Truncated),
)


def classified(error: BaseException, exchange: Exchange) -> FetchError:
    """The same failure as a `FetchError`, with the exchange's times in it."""
    sent = exchange.sent_at is not None
    found = error if isinstance(error, FetchError) else _classify(error, sent)
    return found.at(exchange.started_at, exchange.elapsed_ms, asked=sent or isinstance(found, AT_THE_DOOR))


def _classify(error: BaseException, sent: bool) -> FetchError:
    for link in _chain(error):
        for kinds, kind in _BY_KIND:
            if isinstance(link, kinds):
                return kind(_detail(link))
        if isinstance(link, http.BadHttpMessage) and "Too many headers" in link.message:
            return HeadersTooLarge(_detail(link))
    if isinstance(error, aiohttp.ClientError | httpx.HTTPError | OSError) and not sent:
        return ConnectFailed(_detail(error))
    if isinstance(error, ValueError) and not sent:
        return InvalidUrl(_detail(error))
    return ProtocolError(_detail(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _detail(error: BaseException) -> str:
    text = os.strerror(error.errno) if isinstance(error, ConnectionError) and error.errno else str(error)
    for link in _chain(error):
        if isinstance(link, http.HttpProcessingError):
            text = link.message
        elif isinstance(link, aiohttp.ServerDisconnectedError):
            text = "the connection was closed before the answer's end"
    return " ".join(text.split())[:DETAIL_LENGTH] or type(error).__name__
