"""What `storage.record` does with Redis: fetch the bodies that a batch speaks of, and acknowledge what is recorded.

Both may be done twice, so a lost connection is answered by doing them again.
"""

from collections.abc import Sequence

from contract.bus import Bus, Consumer, Delivery
from contract.bus.scripts import patiently
from storage.sql.text import cleaned
from storage.store.event_store import Arrival


async def arrivals(bus: Bus, deliveries: Sequence[Delivery]) -> list[Arrival]:
    """The deliveries with their bodies, in the same order; a body that is gone is None."""
    keys = [delivery.body_key for delivery in deliveries if delivery.body_key]
    found = await patiently(lambda: bus.redis.mget(keys)) if keys else []
    bodies = dict(zip(keys, found, strict=True))
    return [Arrival(cleaned(each.message, each.raw), each.raw, bodies.get(each.body_key or "")) for each in deliveries]


async def acknowledge(consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
    """Finish deliveries from which nothing follows, with one command for each stream."""
    ids: dict[str, list[str]] = {}
    for delivery in deliveries:
        ids.setdefault(consumer.bus.keys.stream(delivery.stream), []).append(delivery.id)

    async def send() -> None:
        pipeline = consumer.bus.redis.pipeline(transaction=False)
        for stream, some in ids.items():
            pipeline.xack(stream, consumer.group, *some)
        await pipeline.execute()

    await patiently(send)
    consumer.forget(deliveries)
