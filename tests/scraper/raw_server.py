"""A server that says exactly the bytes it is told to, for answers that no HTTP library would give."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from ssl import SSLContext

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """Counts the connections and keeps the heads of the requests that it got."""

    def __init__(self, script: Script | bytes) -> None:
        self.url = ""
        self.connections = 0
        self.requests: list[bytes] = []
        self._script = script
        self._serving: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def hang_up(self) -> None:
        """End all connections."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                if callable(self._script):
                    await self._script(reader, writer)
                    break
                writer.write(self._script)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def raw_server(
    script: Script | bytes, host: str = "127.0.0.1", *, tls: SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Serve a script, or the same bytes to every request of a kept connection."""
    running = RawServer(script)
    server = await asyncio.start_server(running.accept, host, 0, ssl=tls)
    running.url = f"{'https' if tls else 'http'}://{host}:{server.sockets[0].getsockname()[1]}"
    try:
        yield running
    finally:
        server.close()
        await running.hang_up()


def answer(body: bytes = b"<p>hello</p>", *lines: str, status: str = "200 OK") -> bytes:
    """A well-formed answer with more header lines."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines, "", ""])
    return head.encode("latin-1") + body
