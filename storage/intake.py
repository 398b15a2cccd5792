"""What `storage.record` does with Redis: fetch the bodies that a batch speaks of, and acknowledge what is recorded.

Both may be done twice, so a lost connection is answered by doing them again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from redis.exceptions import ResponseError

from events.bus import Bus, Consumer, Delivery
from events.bus.scripts import PASSING, PATIENCE_SECONDS, passing
from events.errors import Unreachable
from storage.event_store import Arrival
from storage.text import cleaned

log = logging.getLogger("storage.record")

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 2.0

T = TypeVar("T")


async def arrivals(bus: Bus, deliveries: Sequence[Delivery]) -> list[Arrival]:
    """The deliveries with their bodies, in the same order; a body that is gone is None."""
    keys = [delivery.body_key for delivery in deliveries if delivery.body_key]
    found = await _patiently(lambda: bus.redis.mget(keys)) if keys else []
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

    await _patiently(send)
    consumer.forget(deliveries)


async def _patiently(act: Callable[[], Awaitable[T]]) -> T:
    pause, waited = _FIRST_PAUSE_SECONDS, 0.0
    while True:
        try:
            return await act()
        except (*PASSING, ResponseError) as error:
            if not passing(error):
                raise
            if waited >= PATIENCE_SECONDS:
                raise Unreachable(f"Redis did not answer for {waited:.0f} s: {error}") from error
            log.warning("waiting for Redis: %s", error, extra={"action": "redis_away"})
        await asyncio.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE_SECONDS)
