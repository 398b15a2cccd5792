"""A fetcher's sign of life: how many requests it can have in flight, for the one who issues them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from contract.bus import Bus
from contract.bus.scripts import PASSING

#: How often a fetcher says that it lives.
BEAT_SECONDS = 1.0
#: It counts as alive for this long after it said so; must stay above the beat.
LIFE_MS = 5_000


@contextlib.asynccontextmanager
async def present(bus: Bus, name: str, *, concurrency: int) -> AsyncIterator[None]:
    """Be known as a live fetcher for the length of a `with` block."""
    member = f"{name}|{concurrency}"
    await _say(bus, member)
    beating = asyncio.create_task(_beat(bus, member), name="presence")
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
        with contextlib.suppress(*PASSING):
            await bus.redis.zrem(bus.keys.fetchers, member)


async def _beat(bus: Bus, member: str) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        await _say(bus, member)


async def _say(bus: Bus, member: str) -> None:
    with contextlib.suppress(*PASSING):
        await bus.redis.zadd(bus.keys.fetchers, {member: int(time.time() * 1000) + LIFE_MS})
