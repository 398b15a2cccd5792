"""How a person stops a command: SIGINT or SIGTERM once for a good end, twice for an end at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

#: The exit status of a command that was stopped, and can be gone on with.
INTERRUPTED = 130
#: The exit status of a command that SIGTERM ended: 128 and the signal's number, as shells have it.
TERMINATED = 143


def stop_on_signals() -> asyncio.Event:
    """An event that the first signal sets; the second one ends this process at once, and its children with it."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            sys.stderr.write("penstock: ended at once\n")
            raise SystemExit(INTERRUPTED)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return stop


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM raises SystemExit inside the block, so that what is half done is cleared away; for the main thread."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # another one must not break off the clearing away
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
