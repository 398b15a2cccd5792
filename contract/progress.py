"""Progress: a lossy broadcast of numbers, with a retained snapshot. Never a source of truth.

Each publisher owns a part (a word) of a crawl's progress and repeats it at most ten times a second. A watcher reads
the snapshot first, then the channel, and the snapshot again after any gap, so it may join late, leave, or join twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from contract.bus.connection import Bus
from contract.bus.scripts import PASSING, Call, Script, attempt, passing

PROGRESS = Script("contract.bus", "progress.lua")
#: At most ten updates a second of each part.
INTERVAL_SECONDS = 0.1
#: The same numbers are said again after this long: Redis may have lost them.
REPEAT_SECONDS = 2.0
#: The snapshot of a crawl outlives its last update by this long.
LIFE_SECONDS = 86_400
#: A watcher that hears nothing for this long reads the snapshot again: pub/sub may have lost a message.
SILENCE_SECONDS = 1.0


class Part:
    """One publisher's part of a crawl's progress; publishing more often than INTERVAL_SECONDS is skipped."""

    def __init__(self, bus: Bus, name: str) -> None:
        self.bus, self.name = bus, name
        self._said: dict[str, tuple[float, bytes]] = {}

    async def publish(self, crawl: str, numbers: dict[str, Any], *, last: bool = False) -> None:
        """Say these numbers, or nothing while Redis is away; `last` says them whatever was said a moment ago."""
        text, now = msgspec.json.encode(numbers), time.monotonic()
        said_at, said = self._said.get(crawl, (0.0, b""))
        if not last and now - said_at < (REPEAT_SECONDS if said == text else INTERVAL_SECONDS):
            return
        call = Call(PROGRESS, [self.bus.keys.progress(crawl)], [self.name, text, LIFE_SECONDS])
        try:
            await attempt(self.bus.redis, [call])
        except (*PASSING, ResponseError) as error:
            if not passing(error):
                raise
            return  # said again with the next numbers
        self._said[crawl] = (now, text)


async def snapshot(bus: Bus, crawl: str) -> dict[str, dict[str, Any]]:
    """The latest of each part: part → numbers."""
    raw = await bus.redis.hgetall(bus.keys.progress(crawl))
    return {part.decode(): msgspec.json.decode(text) for part, text in raw.items()}


async def follow(bus: Bus, crawl: str) -> AsyncIterator[dict[str, dict[str, Any]]]:
    """The state of all parts, first as it stands, then after each change, and at least every SILENCE_SECONDS."""
    reader = bus.reader()
    try:
        async with reader.pubsub() as pubsub:
            await pubsub.subscribe(bus.keys.progress(crawl))
            state = await snapshot(bus, crawl)
            yield state
            while True:
                message = await _heard(pubsub)
                state = _changed(state, message["data"]) if message else await _again(bus, crawl, state)
                yield state
    finally:
        await bus.release(reader)


async def _heard(pubsub: Any) -> Any:
    try:
        return await pubsub.get_message(ignore_subscribe_messages=True, timeout=SILENCE_SECONDS)
    except PASSING:
        await asyncio.sleep(SILENCE_SECONDS)
        return None


def _changed(state: dict[str, Any], data: bytes) -> dict[str, Any]:
    part, _, text = data.partition(b" ")
    return {**state, part.decode(): msgspec.json.decode(text)}


async def _again(bus: Bus, crawl: str, state: dict[str, Any]) -> dict[str, Any]:
    try:
        return await snapshot(bus, crawl)
    except PASSING:
        return state
