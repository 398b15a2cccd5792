"""The stages of a one-machine cluster, as processes: started, started anew when they die, drained at the end.

Takes the settings, which each child gets as environment; each child's log goes to a file of its own in the data folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from pathlib import Path

import msgspec

from contract.errors import Refused
from contract.settings import PREFIX, Settings, as_environ
from penstock.cluster.interpreter import importable, our_command

log = logging.getLogger("penstock.supervisor")

#: The commands that together are a cluster; the slowest to start goes first.
STAGE_COMMANDS = ("worker", "scheduler", "record", "parse")
#: The command that answers HTTP; not a stage, but kept running like one.
SERVE = "serve"
#: A stage that has run for this long was well; its next death is answered at once again.
WELL_SECONDS = 10.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 5.0
#: A stage that refuses to start this often in a row will not start at all: something has to be mended.
MOST_REFUSALS = 3
#: A stage that has not drained by then is killed; what it holds comes back by reclaim.
DRAIN_SECONDS = 25.0
#: The same when no crawl is left: nobody holds anything, and Celery alone would take two seconds to fold up its pool.
IDLE_DRAIN_SECONDS = 0.3
#: The exit status of a stage that says what a person has to mend.
_REFUSED_STATUS = 2


class Supervisor:
    """Keeps the stage processes running between `start` and `drain`."""

    def __init__(self, settings: Settings, folder: Path, *, commands: tuple[str, ...] = STAGE_COMMANDS) -> None:
        self.settings, self.folder, self.commands = settings, folder, commands
        self.processes: dict[str, asyncio.subprocess.Process] = {}
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._draining = False
        self._keepers: list[asyncio.Task[None]] = []
        self._server: tuple[Settings, socket.socket] | None = None

    async def start(self) -> None:
        """Start every stage, and from then on start anew what dies."""
        await self.also(*self.commands)

    async def also(self, *commands: str) -> None:
        """Start these stages, each unless it was started before."""
        for command in dict.fromkeys(commands):
            if command not in self.processes:
                self.processes[command] = await self._spawn(command)
                self._keepers.append(asyncio.create_task(self._keep(command), name=f"keep {command}"))

    async def serve(self, settings: Settings, listening: socket.socket) -> None:
        """Start `serve` too, with settings of its own; the socket listens already, so nobody is ever turned away."""
        self._server = settings, listening
        await self.also(SERVE)

    async def drain(self, *, patience_seconds: float = DRAIN_SECONDS) -> None:
        """Ask every stage to finish what it holds, and wait until all have ended; kill those that take too long."""
        self._draining = True
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        _, late = await asyncio.wait(self._keepers, timeout=patience_seconds) if self._keepers else ((), ())
        if late:
            self.kill()
            await asyncio.wait(late)

    def kill(self) -> None:
        """End every stage at once; nothing is lost by that."""
        self._draining = True
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def fail(self, error: Refused) -> None:
        """Tell whoever uses the cluster that it cannot go on."""
        if not self.failed.done():
            self.failed.set_exception(error)

    async def _spawn(self, command: str) -> asyncio.subprocess.Process:
        environ = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        settings, handed = self.settings, []
        if command == SERVE and self._server:
            settings, handed = self._server[0], [self._server[1].fileno()]
        elif settings.metrics_port:  # one machine has each port once
            port = settings.metrics_port + STAGE_COMMANDS.index(command)
            settings = msgspec.structs.replace(settings, metrics_port=port)
        with open(self.folder / "logs" / f"{command}.log", "ab") as file:
            return await asyncio.create_subprocess_exec(
                *our_command(command, "--tied", *(f"--listening={fd}" for fd in handed)),
                env={**environ, **importable(environ), **as_environ(settings)},
                pass_fds=handed,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,  # so that Ctrl-C reaches us alone, and we decide what it means
            )

    async def _keep(self, command: str) -> None:
        pause, refusals = _FIRST_PAUSE_SECONDS, 0
        while True:
            started, process = time.monotonic(), self.processes[command]
            status = await process.wait()
            if self._draining:
                return
            log.error("%s ended with %d; starting it anew", command, status, extra={"action": "restart"})
            if time.monotonic() - started > WELL_SECONDS:
                pause, refusals = _FIRST_PAUSE_SECONDS, 0
            refusals = refusals + 1 if status == _REFUSED_STATUS else 0
            if refusals >= MOST_REFUSALS:
                return self.fail(Refused(f"{command} does not start: {self._last_words(command)}"))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            if self._draining:
                return
            self.processes[command] = await self._spawn(command)

    def _last_words(self, command: str) -> str:
        lines = (self.folder / "logs" / f"{command}.log").read_text("utf-8", "replace").splitlines()
        return lines[-1].removeprefix("penstock: ") if lines else "it wrote no log"
