"""A fetcher's sign of life: how many requests it can have in flight, for the one who issues them.

What counts is the server's time, so a worker whose clock is off lives like any other; by how much it is off is kept for
who asks.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from contract.bus import Bus
from contract.bus.alive import HELLO
from contract.bus.scripts import PASSING, Call, attempt

#: How often a fetcher says that it lives.
BEAT_SECONDS = 1.0
#: It counts as alive for this long after it said so; must stay above the beat.
LIFE_MS = 5_000

Clock = Callable[[], float]


@contextlib.asynccontextmanager
async def present(bus: Bus, name: str, *, concurrency: int, now: Clock = time.time) -> AsyncIterator[None]:
    """Be known as a live fetcher for the length of a `with` block."""
    member = f"{name}|{concurrency}"
    await _say(bus, member, now)
    beating = asyncio.create_task(_beat(bus, member, now), name="presence")
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
        with contextlib.suppress(*PASSING):
            await bus.redis.zrem(bus.keys.fetchers, member)
            await bus.redis.hdel(bus.keys.fetcher_clocks, member)


async def _beat(bus: Bus, member: str, now: Clock) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        await _say(bus, member, now)


async def _say(bus: Bus, member: str, now: Clock) -> None:
    keys = [bus.keys.fetchers, bus.keys.clock, bus.keys.fetcher_clocks]
    with contextlib.suppress(*PASSING):
        await attempt(bus.redis, [Call(HELLO, keys, [member, LIFE_MS, round(now() * 1000)])])
