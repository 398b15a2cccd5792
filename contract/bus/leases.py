"""The leases of those who are known to be dead: ended at once, instead of when they run out.

Takes a word on who is dead, gives what they held back to their group; owns the names of consumers, by which a process
and its machine can be told.
"""

import os
import secrets
import socket
from collections.abc import Callable, Iterable
from typing import Any

from redis.exceptions import ResponseError

from contract import topology
from contract.bus.connection import Bus
from contract.bus.scripts import Call, Script, attempt

RENEW = Script("contract.bus", "renew.lua")
#: Idle time (ms) of a delivery that was given back: longer than any lease.
GIVEN_BACK_MS = 3_600_000
#: Deliveries of one consumer and stream that are looked at in one go.
_MOST = 1_000


def consumer_name() -> str:
    """A name for one consumer of this process."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


def is_gone(consumer: str) -> bool:
    """Whether a consumer was a process of this machine that is no more. When in doubt, it is not gone."""
    host, _, pid = consumer.rpartition("-")[0].rpartition("-")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def renewal(key: str, group: str, consumer: str, entries: Iterable[tuple[Any, int | None]], *, idle_ms: int) -> Call:
    """The call that renews or ends the leases of these: id, and the number of its deliveries if it is to change."""
    pairs = [word for id, count in entries for word in (id, "" if count is None else count)]
    return Call(RENEW, [key], [group, consumer, idle_ms, *pairs])


async def end_leases(bus: Bus, *, is_dead: Callable[[str], bool]) -> int:
    """End the leases of all consumers that are dead, so that others reclaim at once; returns their number.

    These deliveries count, as they do when a lease runs out: one of them may be what its reader died of.
    """
    places = [(stream, group) for stream in topology.ALL_STREAMS for group in topology.groups_of(stream)]
    pipeline = bus.redis.pipeline(transaction=False)
    for stream, group in places:
        pipeline.xinfo_consumers(bus.keys.stream(stream), group)
    ended = 0
    for (stream, group), found in zip(places, await pipeline.execute(raise_on_error=False), strict=True):
        if isinstance(found, ResponseError):  # nobody has made this group yet
            continue
        if isinstance(found, Exception):
            raise found
        for consumer in found:
            if consumer["pending"] and is_dead(name := consumer["name"].decode()):
                ended += await _end(bus, stream, group, name)
    return ended


async def _end(bus: Bus, stream: str, group: str, consumer: str) -> int:
    key = bus.keys.stream(stream)
    held = await bus.redis.xpending_range(key, group, "-", "+", _MOST, consumername=consumer)
    ids = [entry["message_id"] for entry in held if entry["time_since_delivered"] < GIVEN_BACK_MS]
    if not ids:
        return 0
    [taken] = await attempt(
        bus.redis, [renewal(key, group, consumer, [(id, None) for id in ids], idle_ms=GIVEN_BACK_MS)]
    )
    return len(ids) - len(taken)
