"""A terminal for tests: a pseudo-terminal with an emulator (pyte) behind it, and a program that shows states on it."""

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable

import msgspec
import pyte

from penstock.view.state import CrawlState

#: Shows each line of standard input as a state; `say: …` is printed on standard error instead. Ends with its input.
PROGRAM = """
import sys, msgspec
from penstock.view.state import CrawlState
from penstock.watching import view_for
with view_for("auto") as view:
    for line in sys.stdin:
        if line.startswith("say: "):
            print(line[5:].rstrip(), file=sys.stderr)
        else:
            view.show(msgspec.json.decode(line, type=CrawlState))
"""
LIMIT_SECONDS = 20.0


class Terminal:
    """A program on a terminal of this size; what it wrote is in `raw`, what one sees in `lines`."""

    def __init__(self, columns: int, lines: int) -> None:
        self.raw = b""
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._ours, self._theirs = os.openpty()
        self._changed = asyncio.Event()
        self._size(columns, lines)
        self.process: asyncio.subprocess.Process

    @property
    def lines(self) -> list[str]:
        """What one sees, without spaces at the ends."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size, as a person does who drags its corner."""
        self.screen.resize(lines, columns)
        self._size(columns, lines)

    def _size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def show(self, state: CrawlState) -> None:
        """Let the program show this state."""
        self.write(msgspec.json.encode(state).decode())

    def write(self, line: str) -> None:
        """A line for the program."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until this holds; it is looked at after whatever the program writes."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def end(self) -> int:
        """Let the program's input end, and return its exit status when all that it wrote is here."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        status = await asyncio.wait_for(self.process.wait(), LIMIT_SECONDS)
        self._read()
        return status

    async def start(self, **environ: str) -> None:
        """Start the program, with its standard error on the terminal, which it is the master of."""
        kept = {name: value for name, value in os.environ.items() if name not in _OF_A_TERMINAL}
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM),
            stdin=asyncio.subprocess.PIPE,
            stdout=self._theirs,
            stderr=self._theirs,
            env={**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", **environ},
            preexec_fn=self._make_controlling,
        )
        os.set_blocking(self._ours, False)
        asyncio.get_running_loop().add_reader(self._ours, self._read)

    def _make_controlling(self) -> None:
        os.setsid()
        fcntl.ioctl(self._theirs, termios.TIOCSCTTY, 0)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 65_536):
                self.raw += data
                self._stream.feed(data)
        self._changed.set()

    async def close(self) -> None:
        """End the program, whatever it does."""
        asyncio.get_running_loop().remove_reader(self._ours)
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)


#: What of the tests' own environment would tell the program of another terminal.
_OF_A_TERMINAL = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "LC_ALL", "LC_CTYPE", "COLORTERM", "TTY_COMPATIBLE"}


@contextlib.asynccontextmanager
async def terminal(columns: int, lines: int, **environ: str) -> AsyncIterator[Terminal]:
    """A terminal with the program running on it."""
    made = Terminal(columns, lines)
    await made.start(**environ)
    try:
        yield made
    finally:
        await made.close()
