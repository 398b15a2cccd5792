"""What tests of storage share: putting pages on streams, running the recorder, and looking at all tables."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from sqlalchemy import Engine, Table, select

from events import codec
from events.bus import Bus
from events.envelope import Message
from events.progress import follow
from events.settings import Settings
from storage import record, tables
from storage.event_store import Arrival
from tests import builders

READ_MODELS = (
    *(tables.crawls, tables.seeds, tables.pages, tables.tallies, tables.items, tables.failures, tables.hosts),
)


async def publish_fetched(bus: Bus, message: Message, member: bytes | None = None) -> None:
    """Put a page.fetched on its stream, and its body beside it, as the fetcher does."""
    key, member = bus.keys.body(message.envelope.id), member or builders.warc_member(message.payload.url)
    await bus.redis.set(key, member)
    await bus.redis.incrby(bus.keys.body_bytes, len(member))
    entry = {"e": codec.encode(message), "b": key, "s": len(member)}
    await bus.redis.xadd(bus.keys.stream("page.fetched"), entry)


@contextlib.asynccontextmanager
async def recording(settings: Settings) -> AsyncIterator[asyncio.Event]:
    """The stage at work inside the block; it has stopped in good order behind it."""
    stop = asyncio.Event()
    task = asyncio.create_task(record.run(settings, stop))
    try:
        yield stop
        stop.set()
        await task
    finally:
        task.cancel()


async def progress_where(bus: Bus, holds: Callable[[dict[str, Any]], Any], crawl: str = builders.CRAWL) -> dict[str, Any]:
    """The first progress of part `record` for which this holds."""
    async with contextlib.aclosing(follow(bus, crawl)) as states:
        async for state in states:
            if holds(state.get("record", {})):
                return state["record"]
    raise AssertionError("the progress ended")


def arrival(message: Message, body: bytes | None = None) -> Arrival:
    """A message as the recorder gets it; a page.fetched has a body."""
    if message.envelope.type == "page.fetched" and body is None:
        body = builders.warc_member(message.payload.url)
    return Arrival(message, codec.encode(message), body)


def contents(engine: Engine, which: Iterable[Table] = READ_MODELS) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of these tables, in the order of their primary keys."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in which
        }
