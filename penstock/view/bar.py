"""How far a piece of work is that ends by itself: a bar on a terminal, plain lines elsewhere; on standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from penstock.view.plain import EVERY_SECONDS

#: Called with how much is done, and how much there is.
Show = Callable[[int, int], None]


@contextlib.contextmanager
def bar(what: str, *, unit: str) -> Iterator[Show]:
    """Shows progress inside the block."""
    with _on_terminal(what, unit=unit) if sys.stderr.isatty() else _as_lines(what, unit=unit) as show:
        yield show


@contextlib.contextmanager
def _on_terminal(what: str, *, unit: str) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextlib.contextmanager
def _as_lines(what: str, *, unit: str) -> Iterator[Show]:
    said_at = time.monotonic()
    latest = (0, 0)

    def show(done: int, total: int) -> None:
        nonlocal said_at, latest
        latest = (done, total)
        if time.monotonic() - said_at >= EVERY_SECONDS:
            said_at = time.monotonic()
            _say(what, done, total, unit)

    yield show
    _say(what, *latest, unit)


def _say(what: str, done: int, total: int, unit: str) -> None:
    print(f"{what}: {done:,} of {total:,} {unit}", file=sys.stderr, flush=True)
