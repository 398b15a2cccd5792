"""HTTP/1.1 as the simulated web speaks it: reads requests, sends what answers them, logs each."""

import asyncio
import time
from collections import Counter

from msgspec import Struct

from penstock.site.answers import Answers
from penstock.site.faults import latency_seconds
from penstock.site.graph import Web
from penstock.site.requests_log import RequestLog, RequestRecord
from penstock.site.stamping import stamped
from penstock.site.wire import Reply, Request, Script, Wire, read_request

_HEAD_END = b"\r\n\r\n"
#: A request head beyond this is answered 431 and the connection closed.
_MOST_HEAD_BYTES = 256 * 1024


class Site:
    """What all connections share: the answers, the log, and the counts that the log needs."""

    def __init__(self, web: Web, *, log: RequestLog) -> None:
        self.web = web
        self.log = log
        self.answers = Answers(web)
        self.in_flight: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.connections: set[Connection] = set()
        self.connection_count = 0

    def __repr__(self) -> str:
        return f"<Site {self.web.root_url} {self.log.count} requests, {self.in_flight.total()} in flight>"


class _Exchange(Struct):
    """A request that is being answered."""

    request: Request
    start_ns: int
    attempt: int
    in_flight: int
    status: int = 0
    retry_at_ns: int | None = None


class Connection(asyncio.Protocol):
    """One client's connection; answers one request after the other, in their order.

    An exchange lasts from a whole request head until the kernel has the whole answer, or nobody listens.
    """

    def __init__(self, site: Site, *, host: str) -> None:
        self._site = site
        self._host = host
        self._received = b""
        self._exchange: _Exchange | None = None
        self._wire: Wire | None = None
        self._later: asyncio.TimerHandle | None = None
        self._script: asyncio.Task[None] | None = None
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a number."""
        assert isinstance(transport, asyncio.Transport)
        # Room for nothing: `resume_writing` then means that the kernel has every byte.
        transport.set_write_buffer_limits(high=0)
        self._transport, self._socket = transport, stamped(transport.get_extra_info("socket"))
        self._client = str((transport.get_extra_info("peername") or ("",))[0])  # none, if it is gone already
        self._site.connection_count += 1
        self._number = self._site.connection_count
        self._site.connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """End what was under way; it goes into the log as far as it came."""
        self._site.connections.discard(self)
        if self._later:
            self._later.cancel()
        if self._script:
            self._script.cancel()
        self._finish()

    def abort(self) -> None:
        """Drop the connection at once."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        self._full = True
        if self._wire:
            self._wire.room.clear()

    def resume_writing(self) -> None:
        """The kernel has every byte."""
        self._full = False
        if self._wire:
            self._wire.room.set()
        elif self._exchange and self._exchange.status:
            self._finish()
            self._next()

    def data_received(self, data: bytes) -> None:
        """Begin with the next request, unless one is being answered."""
        self._received += data
        if self._exchange is None:
            self._next()

    def _next(self) -> None:
        """Begin with the next request that is there, if there is one."""
        while self._exchange is None and not self._transport.is_closing():
            end = self._received.find(_HEAD_END)
            if end < 0:
                if len(self._received) > _MOST_HEAD_BYTES:
                    self._refuse(431)
                return
            head, self._received = self._received[:end], self._received[end + len(_HEAD_END) :]
            request = read_request(head)
            if request is None:
                self._refuse(400)
                return
            self._begin(request)

    def _refuse(self, status: int) -> None:
        self._transport.write(Reply(status=status).head(keep_alive=False))
        self._transport.close()

    def _begin(self, request: Request) -> None:
        site, url = self._site, f"http://{self._host}{request.path}"
        site.in_flight[self._host] += 1
        site.attempts[url] += 1
        attempt = site.attempts[url]
        self._exchange = _Exchange(
            request=request,
            start_ns=self._socket.came_ns,
            attempt=attempt,
            in_flight=site.in_flight[self._host],
        )
        delay = latency_seconds(site.web.options, url=url, attempt=attempt)
        if delay:
            self._later = asyncio.get_running_loop().call_later(delay, self._answer_later, self._exchange)
        else:
            self._answer(self._exchange)

    def _answer_later(self, exchange: _Exchange) -> None:
        self._later = None
        self._answer(exchange)
        self._next()

    def _answer(self, exchange: _Exchange) -> None:
        answer = self._site.answers.answer(exchange.request, host=self._host, attempt=exchange.attempt)
        if not isinstance(answer, Reply):
            self._script = asyncio.ensure_future(self._play(answer, exchange))
            return
        exchange.status, exchange.retry_at_ns = answer.status, answer.retry_at_ns
        keep = exchange.request.keep_alive and exchange.request.method in ("GET", "HEAD")
        head = answer.head(keep_alive=keep)
        self._transport.write(head if exchange.request.method == "HEAD" else head + answer.body)
        if not keep:
            self._transport.close()
        if not self._full:
            self._finish()

    async def _play(self, script: Script, exchange: _Exchange) -> None:
        wire = self._wire = Wire(self._transport, request=exchange.request, host=self._host, attempt=exchange.attempt)
        try:
            await script(wire)
        except ConnectionError:
            self._transport.abort()
        finally:
            exchange.status = wire.status
            self._wire = self._script = None
            self._finish()
            if not wire.kept:
                self._transport.close()
        self._next()

    def _finish(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        status = self._wire.status if self._wire else exchange.status
        record = RequestRecord(
            start_ns=exchange.start_ns,
            end_ns=max(exchange.start_ns, self._socket.went_ns) if status else time.monotonic_ns(),
            host=self._host,
            path=exchange.request.path,
            status=status,
            connection=self._number,
            attempt=exchange.attempt,
            user_agent=exchange.request.user_agent,
            in_flight=exchange.in_flight,
            retry_at_ns=exchange.retry_at_ns,
            client=self._client,
        )
        self._site.in_flight[self._host] -= 1
        self._site.log.add(record)
