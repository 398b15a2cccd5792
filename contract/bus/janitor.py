"""The janitor: keeps Redis as small as the work in hand.

Takes nothing, gives nothing; trims each stream up to its slowest group, drops the bodies of what it trims, and removes
consumers that are gone. Any number of janitors may run: every act is one script that is right at any time.
"""

import asyncio
import logging

from redis.exceptions import ResponseError

from contract import topology
from contract.bus.connection import Bus
from contract.bus.scripts import PASSING, Call, Script, attempt
from contract.lifetime import happened

log = logging.getLogger(__name__)

TRIM = Script("contract.bus", "trim.lua")
SWEEP = Script("contract.bus", "clock.lua", "sweep.lua")
#: Between two rounds; bodies wait this long after their last reader.
ROUND_SECONDS = 0.5
#: Entries forgotten in one script run, so that the server is never busy for long (about 1 ms).
ENTRIES_A_RUN = 500
#: A consumer that is idle for this long, holds nothing and does not say that it lives is removed.
CONSUMER_IDLE_SECONDS = 600
#: Rounds between two looks for consumers that are gone.
SWEEP_EVERY_ROUNDS = 120


async def keep_tidy(bus: Bus, stop: asyncio.Event) -> None:
    """Trim and sweep until asked to stop."""
    rounds = 0
    while not stop.is_set():
        try:
            await tidy(bus, sweep=rounds % SWEEP_EVERY_ROUNDS == 0)
        except (*PASSING, ResponseError) as error:
            log.debug("no tidying for now: %s", error)
        rounds += 1
        await happened(stop, within=ROUND_SECONDS)


async def tidy(bus: Bus, *, sweep: bool = False) -> int:
    """One round over all streams; returns the number of entries forgotten."""
    total, streams = 0, list(topology.ALL_STREAMS)
    while streams:
        forgotten = await attempt(bus.redis, [_trim(bus, stream) for stream in streams])
        total += sum(forgotten)
        streams = [stream for stream, count in zip(streams, forgotten, strict=True) if count == ENTRIES_A_RUN]
    if sweep:
        pairs = [(stream, group) for stream in topology.ALL_STREAMS for group in topology.groups_of(stream)]
        await attempt(bus.redis, [_sweep(bus, stream, group) for stream, group in pairs])
    return total


def _trim(bus: Bus, stream: str) -> Call:
    groups = topology.groups_of(stream)
    return Call(TRIM, [bus.keys.stream(stream), bus.keys.body_bytes], [ENTRIES_A_RUN, len(groups)])


def _sweep(bus: Bus, stream: str, group: str) -> Call:
    keys = [bus.keys.stream(stream), bus.keys.clock, bus.keys.alive]
    return Call(SWEEP, keys, [group, int(CONSUMER_IDLE_SECONDS * 1000)])
