"""Consumer groups, made from the map, always at id 0, by whoever starts first.

Also owns the epoch: a random word set once. Who remembers anything about Redis forgets it when the word changes. A
Redis whose frontier was not rebuilt for its epoch (`is_restored`) has been emptied, or was never used.
"""

import secrets

from contract import topology
from contract.bus.connection import Bus
from contract.bus.scripts import Call, Script, attempt
from contract.bus.wire import MEET

MARK_RESTORED = Script("contract.bus", "mark_restored.lua")
LET_GO = Script("contract.bus", "let_go.lua")


async def ensure_groups(bus: Bus) -> str:
    """Create every group that is missing; returns the epoch. Only BUSYGROUP (it exists) is forgiven."""
    pipeline = bus.redis.pipeline(transaction=False)
    for stream in topology.ALL_STREAMS:
        for group in topology.groups_of(stream):
            pipeline.xgroup_create(bus.keys.stream(stream), group, id="0", mkstream=True)
    pipeline.set(bus.keys.epoch, secrets.token_hex(8), nx=True)
    for result in await pipeline.execute(raise_on_error=False):
        if isinstance(result, Exception) and not str(result).startswith("BUSYGROUP"):
            raise result
    await attempt(bus.redis, [Call(MEET, [bus.keys.clock], [1])])
    return await epoch(bus)


async def epoch(bus: Bus) -> str:
    """The word of this world, empty where there is none."""
    return ((await bus.redis.get(bus.keys.epoch)) or b"").decode()


async def is_restored(bus: Bus) -> bool:
    """Whether the frontier holds what is recorded, so that commands and jobs may be given."""
    found, restored = await bus.redis.mget([bus.keys.epoch, bus.keys.restored])
    return found is not None and found == restored


async def mark_restored(bus: Bus, epoch: str) -> None:
    """Say that the frontier holds all that is recorded; without effect if the world has changed since this epoch.

    Raises what redis-py raises: who takes a lost connection for a changed world would wait for ever.
    """
    await attempt(bus.redis, [Call(MARK_RESTORED, [bus.keys.epoch, bus.keys.restored], [epoch])])


async def let_go(bus: Bus, run: str) -> None:
    """Make room for the next replay, unless another one has begun. Raises what redis-py raises."""
    await attempt(bus.redis, [Call(LET_GO, [bus.keys.replaying], [run])])
