"""The janitor: keeps Redis as small as the work in hand.

Takes nothing, gives nothing; trims each stream up to its slowest group, drops the bodies of what it trims, and removes
consumers that are gone. Any number of janitors may run: every act is one script that is right at any time.
"""

import asyncio
import logging

from redis.exceptions import ResponseError

from events import topology
from events.bus.connection import Bus
from events.bus.scripts import PASSING, Script, run

log = logging.getLogger(__name__)

TRIM = Script("events.bus", "trim.lua")
SWEEP = Script("events.bus", "sweep.lua")
#: Between two rounds; bodies wait this long after their last reader.
ROUND_SECONDS = 0.5
#: Entries forgotten in one script run, so that the server is never busy for long (about 1 ms).
ENTRIES_A_RUN = 500
#: A consumer silent for this long, and holding nothing, is removed.
CONSUMER_IDLE_SECONDS = 600
_SWEEP_EVERY_ROUNDS = 120


async def keep_tidy(bus: Bus, stop: asyncio.Event) -> None:
    """Trim and sweep until asked to stop."""
    rounds = 0
    while not stop.is_set():
        try:
            await tidy(bus, sweep=rounds % _SWEEP_EVERY_ROUNDS == 0)
        except (*PASSING, ResponseError) as error:
            log.debug("no tidying for now: %s", error)
        rounds += 1
        try:
            await asyncio.wait_for(stop.wait(), ROUND_SECONDS)
        except TimeoutError:
            continue


async def tidy(bus: Bus, *, sweep: bool = False) -> int:
    """One round over all streams; returns the number of entries forgotten."""
    total = 0
    for stream in topology.STREAMS:
        groups = topology.groups_of(stream)
        key = bus.keys.stream(stream)
        while forgotten := await run(bus.redis, TRIM, [key, bus.keys.body_bytes], [ENTRIES_A_RUN, len(groups)]):
            total += forgotten
            if forgotten < ENTRIES_A_RUN:
                break
        for group in groups if sweep else ():
            await run(bus.redis, SWEEP, [key], [group, CONSUMER_IDLE_SECONDS * 1000])
    return total
