"""The terminal as a canvas: taken whole while somebody watches, and given back as it was.

Takes lines, draws them on the alternate screen, each at its own place, so that no resize can tear a frame and no line
can push another. Owns the terminal's state from `enter` to `leave`: the screen, the cursor, and the signals that a
terminal sends.

- SIGWINCH: drawn anew at once.
- SIGTSTP (Ctrl-Z): given back, then stopped; taken and drawn anew when the process goes on.
- SIGTERM, SIGHUP where nobody else handles them: given back, then ended by the same signal.
- kill -9: the terminal stays as it is; `reset` mends it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from rich.console import Console
from rich.text import Text

#: A terminal that does not know its size is taken for this one.
_COLUMNS, _LINES = 80, 24
#: Private modes (xterm's control sequences): 1049 alternate screen, 25 cursor, 7 wrapping, 2026 draw all at once.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
#: Left empty and from its first line: tmux, if it was resized meanwhile, keeps what is above the cursor.
_LEAVE = "\x1b[H\x1b[J\x1b[?7h\x1b[?25h\x1b[?1049l"
_BEGIN, _END = "\x1b[?2026h\x1b[?7l", "\x1b[J\x1b[?7h\x1b[?2026l"

_Handler = Callable[[int, FrameType | None], Any] | int | None


class Screen:
    """A terminal; `redraw` is called when what it shows was lost."""

    def __init__(self, console: Console, redraw: Callable[[], None]) -> None:
        self._console, self._file, self._redraw = console, console.file, redraw
        self._handlers: dict[int, _Handler] = {}
        self._is_ours = False

    def __repr__(self) -> str:
        columns, lines = self.size
        return f"<Screen {columns} columns, {lines} lines, {'ours' if self._is_ours else 'not ours'}>"

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines as they are now."""
        with contextlib.suppress(OSError, ValueError):
            columns, lines = os.get_terminal_size(self._file.fileno())
            return columns or _COLUMNS, lines or _LINES
        return self._console.width, self._console.height

    def enter(self) -> None:
        """Take the terminal."""
        self._take()
        if threading.current_thread() is threading.main_thread():
            self._handle(signal.SIGWINCH, lambda *_: self._redraw())
            for number in (signal.SIGTSTP, signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is signal.SIG_DFL:
                    self._handle(number, self._yield_to)

    def leave(self) -> None:
        """Give the terminal back; a second time does nothing."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        self._give_back()

    def draw(self, lines: Sequence[Text]) -> None:
        """Show these lines, and nothing else. None may be as wide as the screen: its last column stays empty."""
        if self._is_ours:
            rows = [f"\x1b[{row};1H{line}\x1b[K" for row, line in enumerate(self._encoded(lines), start=1)]
            self._send(_BEGIN + "".join(rows or ["\x1b[H"]) + _END)

    def _encoded(self, lines: Sequence[Text]) -> list[str]:
        """Each line with the codes for its styles, as far as this terminal has them."""
        with self._console.capture() as captured:
            for line in lines:
                self._console.print(line, no_wrap=True, overflow="crop", crop=False, soft_wrap=True)
        return captured.get().split("\n")[:-1]

    def _take(self) -> None:
        self._is_ours = True
        self._send(_ENTER)

    def _give_back(self) -> None:
        if self._is_ours:
            self._is_ours = False
            self._send(_LEAVE)

    def _send(self, text: str) -> None:
        # A terminal that does not take a frame, or is gone, must not end the crawl: the next frame is a whole one.
        # Written past Python's buffer, which a signal's handler may not enter while it is being written.
        with contextlib.suppress(OSError):
            self._file.flush()
            rest = text.encode(self._console.encoding, "replace")
            while rest:
                rest = rest[os.write(self._file.fileno(), rest) :]

    def _handle(self, number: int, handler: _Handler) -> None:
        self._handlers[number] = signal.signal(number, handler)

    def _yield_to(self, number: int, _: FrameType | None) -> None:
        """Let the signal do what it does by default, on a terminal that is as it was."""
        self._give_back()
        mine = signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, mine)  # it was only stopped, and goes on
        self._take()
        self._redraw()
