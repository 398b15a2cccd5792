"""Consumer groups, made from the map, always at id 0, by whoever starts first.

Also owns the epoch: a random word set once. Who remembers anything about Redis forgets it when the word changes.
"""

import logging
import secrets

from redis.exceptions import ResponseError

from events import topology
from events.bus.connection import Bus

log = logging.getLogger(__name__)


async def ensure_groups(bus: Bus) -> str:
    """Create every group that is missing; returns the epoch. Only BUSYGROUP (it exists) is forgiven."""
    for stream in topology.STREAMS:
        for group in topology.groups_of(stream):
            await _ensure(bus, stream, group)
    await bus.redis.set(bus.keys.epoch, secrets.token_hex(8), nx=True)
    return await epoch(bus)


async def epoch(bus: Bus) -> str:
    """The word of this world, empty where there is none."""
    return ((await bus.redis.get(bus.keys.epoch)) or b"").decode()


async def _ensure(bus: Bus, stream: str, group: str) -> None:
    try:
        await bus.redis.xgroup_create(bus.keys.stream(stream), group, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
