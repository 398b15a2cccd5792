"""How a person stops a command: SIGINT or SIGTERM once for a good end, twice for an end at once."""

from __future__ import annotations

import asyncio
import signal
import sys

#: The exit status of a command that was stopped, and can be gone on with.
INTERRUPTED = 130


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
