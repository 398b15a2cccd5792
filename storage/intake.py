"""What `storage.record` does with Redis: fetch the bodies that a batch speaks of, and acknowledge what is recorded.

Both may be done twice, so a lost connection is answered by doing them again.
"""

from collections.abc import Sequence

from contract.bus import Bus, Consumer, Delivery, recorded
from contract.bus.scripts import patiently
from storage.batch import Written
from storage.sql.text import cleaned
from storage.store.event_store import Arrival


async def arrivals(bus: Bus, deliveries: Sequence[Delivery]) -> list[Arrival]:
    """The deliveries with their bodies, in the same order; a body that is gone is None."""
    keys = [delivery.body_key for delivery in deliveries if delivery.body_key]
    found = await patiently(lambda: bus.redis.mget(keys)) if keys else []
    bodies = dict(zip(keys, found, strict=True))
    return [Arrival(cleaned(each.message, each.raw), each.raw, bodies.get(each.body_key or "")) for each in deliveries]


async def acknowledge(consumer: Consumer, deliveries: Sequence[Delivery], written: Written) -> None:
    """Finish deliveries that SQL has in this batch."""
    assert written.mark is not None, "a recorder numbers its batches"
    ids: dict[str, list[str]] = {}
    for delivery in deliveries:
        ids.setdefault(delivery.stream, []).append(delivery.id)
    await recorded.acknowledge(consumer.bus, consumer.group, ids, written.mark)
    consumer.forget(deliveries)
