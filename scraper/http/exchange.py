"""One request on the wire, seen from below httpx: when it was really sent, to which address, and under which spelling.

httpx over httpx-aiohttp tells none of these, so aiohttp is given a request class that notes them. The exchange at hand
travels in a context variable. Here is also the last moment before the bytes leave, when a connection stands already:
`before_send` is awaited then, so that the time that connecting takes cannot push two requests of a host together.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import aiohttp
import yarl

from scraper.http.connection import Connection
from scraper.http.head import Head

#: Headers that are kept nowhere, whoever may send them one day.
_SECRETS = frozenset(("authorization", "proxy-authorization", "cookie"))


#: What is known of an answer before it has come.
NO_HEAD = Head("1.1", 0, "", [], [])


async def at_once() -> None:
    """Do nothing before sending."""


class Exchange:
    """What is known of one request and its answer so far; `sent_at` is on the loop's clock, `started_at` in Unix ms."""

    def __init__(self, url: str, *, deadline_seconds: float, before_send: Callable[[], Awaitable[None]]) -> None:
        self.url, self.before_send = url, before_send
        self.sent_at: float | None = None
        self.started_at = int(time.time() * 1000)
        self.address = ""
        self.reused = False
        self.head = NO_HEAD
        #: What `before_send` has raised: the caller's own.
        self.refusal: Exception | None = None
        self._connection: Connection | None = None
        self.request: aiohttp.ClientRequest | None = None
        self._seconds = deadline_seconds
        self._loop = asyncio.get_running_loop()
        self.deadline = self._loop.time() + deadline_seconds
        self.timer = asyncio.timeout_at(self.deadline)

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the request was sent; 0 if it was not."""
        return 0 if self.sent_at is None else round((self._loop.time() - self.sent_at) * 1000)

    @property
    def request_head(self) -> bytes:
        """The request line and the headers as they were sent, but for secrets; empty if nothing was sent."""
        request = self.request
        if request is None:
            return b""
        pairs = [pair for pair in request.headers.items() if pair[0].lower() not in _SECRETS]
        lines = "".join([f"{name}: {value}\r\n" for name, value in pairs])
        version = f"HTTP/{request.version.major}.{request.version.minor}"
        return f"{request.method} {request.url.raw_path_qs} {version}\r\n{lines}\r\n".encode()

    async def about_to_send(self, connection: Any) -> None:
        """Wait for `before_send`, which does not count, then note the peer.

        Raises `StaleConnection` if the connection was given up meanwhile.
        """
        protocol: Connection = connection.protocol
        protocol.check()
        try:
            await self.wait_for(self.before_send())
        except Exception as error:
            self.refusal = error
            raise
        protocol.check()
        self.sent()
        self.reused = protocol.used
        self._connection = protocol
        protocol.begin("/".join(self.url.split("/", 3)[:3]))
        peer = connection.transport.get_extra_info("peername")
        self.address = peer[0] if peer else ""

    def sent(self) -> None:
        """Note that it is sent now."""
        self.sent_at, self.started_at = self._loop.time(), int(time.time() * 1000)

    def answered(self) -> None:
        """Note the head of the answer, which has come."""
        assert self._connection is not None
        assert self._connection.head is not None
        self.head = self._connection.head

    def give_up_connection(self) -> None:
        """See to it that the connection is used for no further request."""
        if self._connection is not None:
            self._connection.give_up()

    async def wait_for(self, ours: Awaitable[None]) -> None:
        """Await what is no fault of the host's, so that its deadline moves on by as much."""
        left = self.deadline - self._loop.time()
        self.timer.reschedule(None)
        await ours
        self.deadline = self._loop.time() + left
        self.timer.reschedule(self.deadline)


current: ContextVar[Exchange] = ContextVar("exchange")


class NotingRequest(aiohttp.ClientRequest):
    """aiohttp's request, which tells its exchange that it is being sent."""

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        """Send the request as soon as the exchange lets it."""
        exchange = current.get()
        await exchange.about_to_send(conn)
        exchange.request = self  # which adds headers of its own while it is sent
        response = await super().send(conn)
        exchange.sent()  # only now: who is held up right here has sent later, and the next one keeps away from that
        return response


class ExactSession:
    """What httpx-aiohttp takes for a session: sends the exchange's spelling of the URL, which yarl must not touch."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def __call__(self) -> "ExactSession":
        return self

    def request(self, *, url: str, headers: Any, **options: Any) -> "_Requesting":
        """A context that sends the request when it is entered."""
        exchange = current.get()
        named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]
        exact = yarl.URL(exchange.url, encoded=True)
        return _Requesting(self._session.request(url=exact, headers=named, **options), exchange)

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()


class _Requesting:
    def __init__(self, context: Any, exchange: Exchange) -> None:
        self._context, self._exchange = context, exchange

    async def __aenter__(self) -> aiohttp.ClientResponse:
        response: aiohttp.ClientResponse = await self._context.__aenter__()
        self._exchange.answered()
        return response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._context.__aexit__(kind, error, trace)
