"""The politeness gate: the last word, over all workers, on when a request to a host may start."""

import asyncio
import time

import msgspec

from contract.bus.consumer import Consumer
from contract.bus.delivery import Delivery
from contract.bus.scripts import Script, run

GATE = Script("contract.bus", "gate.lua")
#: Added to each gap (ms), so that the jitter of timers and connecting cannot make a gap on the wire too short.
SLACK_MS = 10
#: A machine that misses this many turns in a row is so busy that the next one would be missed too.
MOST_TURNS = 5


class Turn(msgspec.Struct, frozen=True):
    """Milliseconds to wait before the start (-1: the delivery has gone to another consumer), and the start itself."""

    wait_ms: int
    start: int = 0


async def ask_gate(
    consumer: Consumer, delivery: Delivery, *, host: str, gap_ms: int, missed: Turn | None = None
) -> Turn:
    """The turn of a request to a host; `missed` is the one that it had before."""
    keys = consumer.bus.keys
    args = [gap_ms + SLACK_MS, consumer.group, delivery.id, consumer.name, missed.start if missed else 0]
    return Turn(*await run(consumer.bus.redis, GATE, [keys.host(host), keys.stream(delivery.stream)], args))


async def wait_at_gate(consumer: Consumer, delivery: Delivery, *, host: str, gap_ms: int) -> bool:
    """Wait until a request to the host may start; False if the delivery has gone to another consumer.

    Who was held up, and would start later than it has leave to, asks again: the next one would follow it too closely.
    """
    turn: Turn | None = None
    for _ in range(MOST_TURNS):
        asked = time.monotonic()
        turn = await ask_gate(consumer, delivery, host=host, gap_ms=gap_ms, missed=turn)
        if turn.wait_ms < 0:
            return False
        if turn.wait_ms:
            await asyncio.sleep(turn.wait_ms / 1000)
        if (time.monotonic() - asked) * 1000 - turn.wait_ms <= SLACK_MS:
            break
    return True
