"""What travels: a request as it was read, a plain reply, and the wire on which a script sends anything."""

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from msgspec import Struct

#: SO_LINGER with no time: closing sends a reset instead of a goodbye.
_LINGER_NOTHING = struct.pack("ii", 1, 0)

_USER_AGENT = re.compile(rb"\r\nuser-agent:[ \t]*([^\r\n]*)", re.IGNORECASE)
_ACCEPTS_GZIP = re.compile(rb"\r\naccept-encoding:[^\r\n]*\bgzip\b", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_REQUEST_LINE = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.([01])")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Request(Struct, frozen=True):
    """The head of one request; `path` is what stood in the request line, latin-1."""

    method: str
    path: str
    user_agent: str
    accepts_gzip: bool
    keep_alive: bool


def read_request(head: bytes) -> Request | None:
    """A request from its head (without the blank line); None if it is not one."""
    line = _REQUEST_LINE.match(head)
    if line is None:
        return None
    agent = _USER_AGENT.search(head)
    return Request(
        method=line[1].decode("latin-1"),
        path=line[2].decode("latin-1"),
        user_agent=agent[1].decode("latin-1") if agent else "",
        accepts_gzip=_ACCEPTS_GZIP.search(head) is not None,
        keep_alive=line[3] == b"1" and _CLOSE.search(head) is None,
    )


class Reply(Struct, frozen=True):
    """A well-formed answer; `headers` are whole lines, each with its line end."""

    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: str = ""
    retry_at_ns: int | None = None

    def head(self, *, keep_alive: bool) -> bytes:
        """The status line and headers, with the blank line behind them."""
        connection = "" if keep_alive else "Connection: close\r\n"
        return (
            f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, '')}\r\nServer: penstock-site\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n"
            f"{self.headers}{connection}\r\n"
        ).encode("latin-1")


class Wire:
    """One connection in the hands of a script; closed when that returns, unless `kept` is set by then."""

    def __init__(self, transport: asyncio.Transport, *, request: Request, host: str, attempt: int) -> None:
        self.request = request
        self.host = host
        self.attempt = attempt
        #: For the log: what the status line said; 0 while nothing was sent.
        self.status = 0
        self.kept = False
        self.room = asyncio.Event()
        self.room.set()
        self._transport = transport

    async def send(self, data: bytes, *, status: int = 200) -> None:
        """Send bytes and wait until the kernel has them; raises ConnectionResetError if nobody listens."""
        if self._transport.is_closing():
            raise ConnectionResetError
        self.status = self.status or status
        self._transport.write(data)
        await self.room.wait()

    async def send_slowly(self, data: bytes, *, pause_seconds: float) -> None:
        """Send one byte at a time, with a pause after each."""
        for position in range(len(data)):
            await self.send(data[position : position + 1])
            await asyncio.sleep(pause_seconds)

    async def reply(self, reply: Reply) -> None:
        """Send a well-formed answer and keep the connection."""
        await self.send(reply.head(keep_alive=self.request.keep_alive) + reply.body, status=reply.status)
        self.kept = self.request.keep_alive

    async def hang(self) -> None:
        """Do nothing until the other side goes away."""
        await asyncio.Event().wait()

    def reset(self) -> None:
        """Break the connection with a reset."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
        self._transport.abort()


Script = Callable[[Wire], Awaitable[None]]
