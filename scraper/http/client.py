"""The one way to the network: a GET, with every limit on it, that ends in an `Answer` or a classified `FetchError`.

And a POST, for what we have to tell others. Takes a URL; owns the connections (keep-alive, one pool for a process) and
the HTTP session. Never follows a redirect, keeps no cookie, looks at no proxy setting, decodes no byte without a bound.

httpx is used at its transport interface, with aiohttp's engine, which costs a tenth of httpx' own. An `AsyncClient`
above it would add what a crawler must not have: it collects cookies, and it builds the next request of every redirect
even if it is not to follow it, so that a bad Location takes the whole answer away.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from http import HTTPStatus
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from contract.pages import KEPT_BYTES
from contract.settings import Settings
from scraper.errors import BodyTooLarge, Deadline, FetchError, NotHttp, ProtocolError, Timeout, TooSlow, UnknownStatus
from scraper.http.addresses import check_url
from scraper.http.answer import Answer
from scraper.http.budget import without_limit
from scraper.http.causes import classified
from scraper.http.connection import StaleConnection
from scraper.http.decoding import ACCEPTED, decode, largest
from scraper.http.exchange import ExactSession, Exchange, at_once, current
from scraper.http.headers import sender_of
from scraper.http.lean import httpx, httpx_aiohttp
from scraper.http.resolver import PinningResolver
from scraper.http.session import open_session

#: A body must bring this much…
PACE_BYTES = 10 * 1024
#: … in this time, again and again, or it ends as `too_slow`: 1 KiB/s.
PACE_SECONDS = 10.0
CONNECT_SECONDS = 15.0
#: Larger bodies are decoded in a thread, so that they do not hold up the requests in flight.
_LONG_WORK_BYTES = 256 * 1024
#: Origins of which httpx' idea is remembered.
_ORIGINS = 4_096
#: httpx' own timers; the total deadline and the least rate are ours.
_TIMEOUT = httpx.Timeout(None, connect=CONNECT_SECONDS).as_dict()
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5"

#: Awaited with a number of bytes; comes back when there is room for them.
MakeRoom = Callable[[int], Awaitable[None]]
_Read = Callable[[httpx.Response], Awaitable[bytes]]


@cache
def tls_context() -> SSLContext:
    """How servers prove who they are. To read the certificates takes 20 ms, so a parent does it before it forks."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Client:
    """The HTTP client of a process; use it as an async context manager, or `close` it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._resolver = PinningResolver(allow_private=settings.allow_private)
        tls = tls_context()
        self._session = open_session(self._resolver, tls, allow_private=settings.allow_private)
        exact: Any = ExactSession(self._session)
        self._transport: httpx.AsyncBaseTransport = httpx_aiohttp.AiohttpTransport(verify=tls, client=exact)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()
        await self._session.close()
        await self._resolver.close()

    async def get(
        self,
        url: str,
        *,
        user_agent: str,
        accept: str = ACCEPT,
        cut_at: int | None = None,
        before_send: Callable[[], Awaitable[None]] = at_once,
        make_room: MakeRoom = without_limit,
    ) -> Answer:
        """GET a URL once; raises a `FetchError` that says whether the host was asked, and when.

        `cut_at` takes that many bytes of a larger body instead of refusing it. `before_send` is awaited when a
        connection stands, right before the request is sent, and may raise. `make_room` is awaited before much of a
        body is held, with the bytes that it may come to.
        """
        target = check_url(url, allow_private=self._settings.allow_private)
        exchange = Exchange(target, deadline_seconds=self._settings.deadline_seconds, before_send=before_send)
        headers = {"User-Agent": user_agent, "Accept": accept, "Accept-Encoding": ACCEPTED} | sender_of(user_agent)

        async def read(response: httpx.Response) -> bytes:
            return await self._read(response, exchange, cut_at, make_room)

        answer = await self._ask(exchange, "GET", headers, read)
        try:
            return await self._decoded(answer, cut_at, make_room)
        except Exception as error:
            raise classified(error, exchange).at(answer.started_at, answer.elapsed_ms, asked=True) from None

    async def post(self, url: str, *, body: bytes, headers: dict[str, str], deadline_seconds: float) -> Answer:
        """POST a body once; raises a `FetchError` as `get` does. Of the answer only the head is read."""
        target = check_url(url, allow_private=self._settings.allow_private)
        exchange = Exchange(target, deadline_seconds=deadline_seconds, before_send=at_once)
        return await self._ask(exchange, "POST", headers, _unread, body=body)

    async def _ask(
        self, exchange: Exchange, method: str, headers: dict[str, str], read: _Read, *, body: bytes = b""
    ) -> Answer:
        token = current.set(exchange)
        try:
            async with exchange.timer:
                request = _request(method, exchange.url, headers, body)
                answer = await self._answer(exchange, request, read)
                while exchange.reused and "stray_bytes" in answer.flags:
                    # Two answers on a kept connection: which is ours? The only one on a fresh connection.
                    answer = await self._answer(exchange, request, read)
                return answer
        except TimeoutError as error:
            raise _out_of_time(exchange) from error
        except Exception as error:
            if error is exchange.refusal:
                raise
            raise classified(error, exchange) from error
        finally:
            current.reset(token)

    async def _answer(self, exchange: Exchange, request: httpx.Request, read: _Read) -> Answer:
        response = await self._send(request, exchange)
        try:
            head = exchange.head
            if not 200 <= head.status <= 599:
                raise UnknownStatus(f"HTTP has no status {head.status}")
            body = await read(response)
            return Answer(
                url=exchange.url,
                status=head.status,
                reason=head.reason,
                http_version=head.version,
                headers=head.headers,
                body=body,
                wire=len(body),
                flags=tuple(dict.fromkeys(head.flags)),
                started_at=exchange.started_at,
                elapsed_ms=exchange.elapsed_ms,
                address=exchange.address,
                request=exchange.request_head,
                codings=head.codings,
                whole=head.length is not None or (head.chunked and head.version != "1.0"),
            )
        finally:
            await response.aclose()

    async def _send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        # Ends, because each round takes a connection out of the pool, and only a fresh one ends all rounds.
        while True:
            try:
                response = await self._transport.handle_async_request(request)
            except StaleConnection:
                continue
            except (NotHttp, ProtocolError):
                # What the answer before has left behind, or so it seems.
                if not exchange.reused:
                    raise
                continue
            except httpx.TransportError as error:
                # The host gave an idle connection up just when it was used again (RFC 9112 §9.3.1): ask once more.
                gone = isinstance(
                    error.__cause__, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | ConnectionError
                )
                if not (exchange.reused and gone):
                    raise
                continue
            if not (exchange.reused and response.status_code == HTTPStatus.REQUEST_TIMEOUT):
                return response
            # So does this: it was sent to say that nothing was asked for long (RFC 9110 §15.5.9).
            exchange.give_up_connection()
            await response.aclose()

    async def _read(
        self, response: httpx.Response, exchange: Exchange, cut_at: int | None, make_room: MakeRoom
    ) -> bytes:
        most, head = self._settings.max_wire_bytes, exchange.head
        declared = head.length or 0
        enough = KEPT_BYTES if response.status_code >= 400 else cut_at
        if enough is None and declared > most:
            raise BodyTooLarge(f"the body is larger than {most} bytes")
        parts, size, pace, has_room = list[bytes](), 0, Pace(exchange), False
        async for chunk in response.aiter_raw():
            parts.append(chunk)
            size += len(chunk)
            if enough is not None and size >= enough:
                break
            if size > most:
                raise BodyTooLarge(f"the body is larger than {most} bytes")
            if size > _LONG_WORK_BYTES and not has_room:
                has_room = True
                encoded = head.codings or head.values("content-encoding")
                await exchange.wait_for(make_room(self._most_bytes(declared or most, encoded)))
            pace.came(len(chunk))
        return b"".join(parts)

    def _most_bytes(self, wire: int, encodings: str) -> int:
        """What a body of so many bytes may come to, as it came and decoded together."""
        return wire + largest(wire, self._settings.max_body_bytes) if encodings else wire

    async def _decoded(self, answer: Answer, cut_at: int | None, make_room: MakeRoom) -> Answer:
        if answer.status >= 400:
            return await self._decoded_error(answer)
        encodings = answer.encodings
        limit, cut = (self._settings.max_body_bytes, False) if cut_at is None else (cut_at, True)
        if not encodings and answer.wire <= limit:
            return answer
        # A file that has to be whole is cut by nobody but us; a page is taken as far as it goes, as by browsers.
        early = answer.whole if cut_at is None else answer.wire >= cut_at
        await make_room(self._most_bytes(answer.wire, encodings))
        if answer.wire > _LONG_WORK_BYTES:
            body, flags = await asyncio.to_thread(decode, answer.body, encodings, limit=limit, cut=cut, early=early)
        else:
            body, flags = decode(answer.body, encodings, limit=limit, cut=cut, early=early)
        return msgspec.structs.replace(answer, body=body, flags=(*answer.flags, *flags))

    async def _decoded_error(self, answer: Answer) -> Answer:
        """What can be read of a 4xx or 5xx: its status has been said, and stands whatever its body is."""
        try:
            body, flags = decode(answer.body, answer.encodings, limit=KEPT_BYTES, cut=True, early=True)
        except FetchError as error:
            body, flags = b"", (error.reason,)
        cut = ("cut",) if max(len(body), answer.wire) >= KEPT_BYTES else ()
        return msgspec.structs.replace(answer, body=body, flags=(*answer.flags, *flags, *cut))


def _request(method: str, url: str, headers: dict[str, str], body: bytes) -> httpx.Request:
    # The origin is all that httpx needs to know: the rest is sent in the exchange's spelling, and would take it 50 µs
    # to parse.
    origin = _parsed("/".join(url.split("/", 3)[:3]))
    return httpx.Request(method, origin, headers=headers, content=body, extensions={"timeout": _TIMEOUT})


_parsed = lru_cache(_ORIGINS)(httpx.URL)


async def _unread(response: httpx.Response) -> bytes:
    return b""


class Pace:
    """Moves a request's timer on as long as its body keeps the least rate."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._loop, self._bytes = exchange, asyncio.get_running_loop(), 0
        self._allow()

    def came(self, size: int) -> None:
        """Count bytes that came."""
        self._bytes += size
        if self._bytes >= PACE_BYTES:
            self._allow()

    def _allow(self) -> None:
        self._bytes = 0
        self._exchange.timer.reschedule(min(self._exchange.deadline, self._loop.time() + PACE_SECONDS))


def _out_of_time(exchange: Exchange) -> FetchError:
    if exchange.sent_at is None:
        error: FetchError = Timeout("no connection in time")
    elif asyncio.get_running_loop().time() < exchange.deadline:
        error = TooSlow(f"less than {PACE_BYTES} bytes of the body in {PACE_SECONDS:.0f} s")
    else:
        error = Deadline("the answer took longer than the deadline")
    return error.at(exchange.started_at, exchange.elapsed_ms, asked=True)
