"""The server of the stories, embedded as in a cluster, whose power can be cut: then it has what its file holds.

Takes a folder, gives `Powered`. Owns a thread, for a server ends with the thread that started it, and for its start
takes real time, whatever the clocks of a story show.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from penstock.cluster.server import EmbeddedServer

#: What file systems leave behind the last bytes that reached the disk.
ZEROS = b"\0" * 4096
_CLOCKS = {name: getattr(time, name) for name in ("monotonic", "time", "sleep", "clock_gettime")}


class Powered:
    """A server; what its file holds is remembered by `remember`, and all that came after is gone by `rewind`."""

    def __init__(self, folder: Path) -> None:
        (folder / "logs").mkdir()
        (folder / "redis").mkdir()
        self._file, self._copy = folder / "redis" / "appendonlydir", folder / "remembered"
        self._server = EmbeddedServer(folder, folder / "r.sock")
        self.url = self._server.url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Start with an empty file."""
        self._start_anew(lambda: shutil.rmtree(self._file, ignore_errors=True))

    def remember(self) -> None:
        """This is what a replica has, or the disk."""
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self._file, self._copy)

    def rewind(self) -> None:
        """The replica is the master: nothing that came after `remember` has happened."""

        def put_back() -> None:
            shutil.rmtree(self._file)
            shutil.copytree(self._copy, self._file)

        self._start_anew(put_back)

    def cut_power(self) -> bool:
        """The file is longer than what reached the disk, as a power cut leaves it; whether it could not be read."""

        def append() -> None:
            with next(self._file.glob("*.incr.aof")).open("ab") as file:
                file.write(ZEROS)

        return self._start_anew(append)

    def end(self) -> None:
        """End server and thread."""
        self._kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _start_anew(self, meanwhile: Callable[[], None]) -> bool:
        self._kill()
        meanwhile()
        return self._really(self._server.start()) is not None

    def _kill(self) -> None:
        if process := self._server.process:
            process.kill()
            process.wait()

    def _really(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Have it done while time passes for everybody, and the story stands still."""
        with contextlib.ExitStack() as stack:
            for name, real in _CLOCKS.items():
                stack.enter_context(mock.patch.object(time, name, real))
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextlib.contextmanager
def powered() -> Iterator[Powered]:
    """A server of one's own, gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="ps"))  # short: a socket's path has to stay below 104 bytes
    server = Powered(folder)
    try:
        yield server
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)
