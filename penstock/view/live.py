"""The live view: a crawl on a terminal, as long as somebody watches, and how it went after that.

Takes states, draws the latest a few times a second on the whole terminal. When it ends, the terminal is as it was, and
a few lines that sum up stay on it. What this process says on standard error meanwhile is shown, and kept.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections import deque

from rich.console import Console

from contract.logs import visible
from penstock.view.glyphs import glyphs_for
from penstock.view.layout import Look
from penstock.view.picture import picture, remains
from penstock.view.screen import Screen
from penstock.view.state import CrawlState

REFRESHES_A_SECOND = 8
#: Lines on standard error that are kept until the terminal is free.
_MOST_NOTES = 200


class LiveView:
    """Draws on standard error, or on the terminal of the console given."""

    def __init__(self, console: Console | None = None) -> None:
        # The stream itself, not `stderr=True`: what is printed meanwhile goes elsewhere.
        self.console = console or Console(file=sys.stderr)
        has_colour = self.console.color_system is not None and not self.console.no_color
        self._glyphs = glyphs_for(encoding=self.console.encoding, environ=os.environ, has_colour=has_colour)
        self._screen, self._notes = Screen(self.console, self._redraw), _Notes()
        self._state: CrawlState | None = None
        self._drawn_at, self._is_drawing, self._is_asked = 0.0, False, False
        self._open = contextlib.ExitStack()

    def __enter__(self) -> LiveView:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._open.close()

    def show(self, state: CrawlState) -> None:
        """Draw this state, unless one was drawn a moment ago: the next one comes within a second."""
        if self._state is None:  # until there is something to show, the terminal stays as it is
            self._take_terminal()
        self._state = state
        if state.complete or time.monotonic() - self._drawn_at >= 1 / REFRESHES_A_SECOND:
            self._redraw()

    def _take_terminal(self) -> None:
        self._open.callback(self._say_what_remains)
        self._open.enter_context(contextlib.redirect_stderr(self._notes))
        self._screen.enter()

    def _redraw(self) -> None:
        """Draw, and once more if a signal asked for it while a frame was on its way."""
        self._is_asked = True
        if self._state is None or self._is_drawing:
            return
        self._is_drawing = True
        try:
            while self._is_asked:
                self._is_asked = False
                self._screen.draw(picture(self._state, self._look(), notes=self._notes.lines))
            self._drawn_at = time.monotonic()
        finally:
            self._is_drawing = False

    def _look(self) -> Look:
        columns, lines = self._screen.size
        return Look(width=max(1, columns - 1), height=lines, glyphs=self._glyphs)

    def _say_what_remains(self) -> None:
        self._screen.leave()
        for line in remains(self._state, self._look()) if self._state else ():
            self.console.print(line, no_wrap=True, overflow="crop", crop=False, soft_wrap=True)
        for note in self._notes.lines:
            self.console.print(note, markup=False, highlight=False, soft_wrap=True)


class _Notes(io.TextIOBase):
    """A stream that keeps the lines written to it."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque([""], maxlen=_MOST_NOTES)

    @property
    def lines(self) -> list[str]:
        """What was said, oldest first, each a line that any terminal can show."""
        return [visible(line) for line in self._lines if line]

    def write(self, text: str) -> int:
        """Keep it."""
        first, *others = text.split("\n")
        self._lines[-1] += first
        self._lines.extend(others)
        return len(text)
