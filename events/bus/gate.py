"""The politeness gate: the last word, over all workers, on when a request to a host may start."""

from events.bus.consumer import Consumer
from events.bus.delivery import Delivery
from events.bus.scripts import Script, run

GATE = Script("events.bus", "gate.lua")
#: Added to each gap (ms), so that the jitter of timers and connecting cannot make a gap on the wire too short.
SLACK_MS = 10


async def wait_at_gate(consumer: Consumer, delivery: Delivery, *, host: str, gap_ms: int) -> int:
    """Milliseconds to wait before the request starts; -1 if the delivery has gone to another consumer."""
    keys = consumer.bus.keys
    args = [gap_ms + SLACK_MS, consumer.group, delivery.id, consumer.name]
    return int(await run(consumer.bus.redis, GATE, [keys.host(host), keys.stream(delivery.stream)], args))
