"""Who is at work: each consumer says so itself, three times in the length of a lease.

Takes a bus and the name of a consumer; owns the set of those that live. What Redis knows of a consumer is no sign of
life: before 7.2, one that waits at an empty stream is as idle as one that is gone (`XINFO CONSUMERS`, its history).
"""

import contextlib

from redis.exceptions import ResponseError

from contract.bus import clock
from contract.bus.connection import Bus
from contract.bus.scripts import PASSING, Call, Script, attempt

HELLO = Script("contract.bus", "clock.lua", "hello.lua")


def member(group: str, consumer: str) -> str:
    """A consumer, as the set of those that live has it; `sweep.lua` spells it too."""
    return f"{group} {consumer}"


async def say_hello(bus: Bus, group: str, consumer: str, *, life_seconds: float) -> None:
    """Count as alive for so long from now; a server that is away is told the next time."""
    args = [member(group, consumer), int(life_seconds * 1000)]
    with contextlib.suppress(*PASSING, ResponseError):
        await attempt(bus.redis, [Call(HELLO, [bus.keys.alive, bus.keys.clock], args)])


async def say_goodbye(bus: Bus, group: str, consumer: str) -> None:
    """Count as alive no longer; where that cannot be said, it ends by itself."""
    with contextlib.suppress(*PASSING, ResponseError):
        await bus.redis.zrem(bus.keys.alive, member(group, consumer))


async def alive(bus: Bus) -> dict[str, int]:
    """How many consumers of each group are at work."""
    counts: dict[str, int] = {}
    for one in await bus.redis.zrangebyscore(bus.keys.alive, await clock.now_ms(bus), "+inf"):
        group = one.decode().partition(" ")[0]
        counts[group] = counts.get(group, 0) + 1
    return counts
