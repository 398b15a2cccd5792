"""The only way to finish a delivery: acknowledge it and publish its consequences, in one script.

Source: the inbox and outbox patterns, folded into one because both sides live in one Redis.
"""

from collections.abc import Sequence

import msgspec

from contract import codec
from contract.bus.delivery import Delivery
from contract.bus.scripts import Call, Script
from contract.bus.witness import LIFE_MS, Testimony
from contract.envelope import Message
from contract.keys import Keys

HAND_OVER = Script("contract.bus", "take.lua", "hand_over.lua")
WITNESSED = Script("contract.bus", "witness.lua", "take.lua", "hand_over.lua")
#: The result of a hand-over that its testimony was against: nothing has happened.
REFUSED = -1
BURY = Script("contract.bus", "take.lua", "bury.lua")


class Keep(msgspec.Struct, frozen=True):
    """Bytes to store in the same step. `life_ms` 0: a body, which lives as long as the first consequence does."""

    key: str
    value: bytes
    life_ms: int = 0


class HandOver(msgspec.Struct, frozen=True):
    """A delivery and all that follows from it; nothing happens where `testimony` is against it."""

    delivery: Delivery
    messages: Sequence[Message] = ()
    keep: Keep | None = None
    testimony: Testimony | None = None


def hand_over_call(keys: Keys, group: str, done: HandOver) -> Call:
    """The script call that finishes a delivery; its result is 1, 0 where somebody else did before, or REFUSED."""
    streams = [keys.stream(message.envelope.type) for message in done.messages]
    keep = done.keep or Keep(keys.body_bytes, b"")
    names = [keys.stream(done.delivery.stream), keep.key, keys.body_bytes, *streams]
    args = [group, done.delivery.id, keep.value, keep.life_ms, *map(codec.encode, done.messages)]
    if (it := done.testimony) is None:
        return Call(HAND_OVER, names, args)
    expected = "" if it.expected is None else it.expected
    return Call(WITNESSED, [*names, it.key], [*args, expected, it.number, LIFE_MS])


def bury_call(
    keys: Keys,
    group: str,
    *,
    stream: str,
    id: str,
    raw: bytes,
    reason: str,
    count: int,
    messages: Sequence[Message] = (),
) -> Call:
    """The script call that makes a delivery a dead letter."""
    streams = [keys.stream(message.envelope.type) for message in messages]
    return Call(
        BURY,
        [keys.stream(stream), keys.dead(group), keys.dead_body(group, stream, id), *streams],
        [group, id, raw, stream, reason, count, *map(codec.encode, messages)],
    )
