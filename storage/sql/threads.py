"""Blocking work in a thread, from which nobody runs away: whoever is cancelled meanwhile waits for its end.

A thread cannot be cancelled. One that is left behind would use a connection of an engine that has been disposed of, or
write to an archive that has been closed.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(act: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """What `act` returns; raises what it raises, and `CancelledError` not before it has ended."""
    work = asyncio.ensure_future(asyncio.to_thread(act, *args, **options))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):  # once is enough to be cancelled
                await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # nobody asks for it any more
        raise
