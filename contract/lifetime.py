"""What ends a process of ours, and how.

SIGTERM and SIGINT set a stop event: the stage takes nothing more, finishes what it holds, and exits with 0. A second
signal ends the process at once. Where the kernel can (Linux), a process dies with its parent, so that a killed
one-machine cluster leaves nothing behind; nothing is lost by that, because whatever was held comes back by reclaim.
"""

import asyncio
import logging
import os
import signal

from contract.tied import die_with_parent

__all__ = ["die_with_parent", "happened", "stop_on_signals"]

log = logging.getLogger(__name__)


def stop_on_signals() -> asyncio.Event:
    """An event of the running loop that SIGTERM or SIGINT sets; the second signal exits with 130 at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(130)
        log.info("asked to stop by signal %d: finishing what is held", number, extra={"action": "draining"})
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stop


async def happened(event: asyncio.Event, *, within: float) -> bool:
    """Wait for an event for so many seconds; whether it came.

    Not `asyncio.wait_for`: until Python 3.12 it loses a cancellation that comes together with the event.
    """
    try:
        async with asyncio.timeout(within):
            return await event.wait()
    except TimeoutError:
        return False
