"""What Redis was told is recorded: the mark of the latest batch that was acknowledged.

Takes deliveries and the batch that SQL has committed them in; gives them back to Redis as finished, and with them, in
one step, the mark. Where SQL does not have that batch, it has lost what Redis does not have any more either.
"""

from collections.abc import Mapping, Sequence

import msgspec

from contract.bus.connection import Bus
from contract.bus.scripts import Call, Script, run_all

ACKNOWLEDGE = Script("contract.bus", "acknowledge.lua")


class Mark(msgspec.Struct, frozen=True):
    """One batch in SQL: its number among all, which grows, and the recorder that has written it."""

    batch: int
    recorder: str


async def latest_mark(bus: Bus) -> Mark | None:
    """The mark that Redis has; None where nothing was acknowledged yet."""
    number, _, recorder = (await bus.redis.get(bus.keys.recorded) or b"").decode().partition(" ")
    return Mark(int(number), recorder) if number else None


async def acknowledge(bus: Bus, group: str, ids: Mapping[str, Sequence[str]], mark: Mark) -> None:
    """Finish these entries of streams, from which nothing follows, and set the mark; may be done twice."""
    keys = [bus.keys.recorded, *(bus.keys.stream(stream) for stream in ids)]
    entries = [word for some in ids.values() for word in (len(some), *some)]
    await run_all(bus.redis, [Call(ACKNOWLEDGE, keys, [group, mark.batch, mark.recorder, *entries])])
