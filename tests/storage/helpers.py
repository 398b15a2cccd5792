"""What tests of storage share: putting pages on streams, running the recorder, and looking at all tables."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, delete, select
from warcio.checker import Checker

from contract import codec
from contract.bus import Bus
from contract.envelope import Message
from contract.progress import follow
from contract.settings import Settings
from storage import batch, record
from storage.archive.segments.files import FileArchive
from storage.sql import tables
from storage.sql.database import writing
from storage.sql.text import cleaned
from storage.store.event_store import Arrival
from tests import builders

READ_MODELS = (
    *(tables.crawls, tables.seeds, tables.pages, tables.tallies, tables.items, tables.failures, tables.hosts),
    tables.timeline,
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


async def progress_where(
    bus: Bus, holds: Callable[[dict[str, Any]], Any], crawl: str = builders.CRAWL
) -> dict[str, Any]:
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
    raw = codec.encode(message)
    return Arrival(cleaned(codec.decode(raw), raw), raw, body)


def write(engine: Engine, folder: Path, *messages: Message) -> batch.Written:
    """Record messages as one batch, by a recorder that does nothing else."""
    with FileArchive(folder, engine) as archive:
        return batch.write(engine, archive, [arrival(message) for message in messages])


def contents(engine: Engine, which: Iterable[Table] = READ_MODELS) -> dict[str, list[dict[str, Any]]]:
    """All rows of these tables, in the order of their primary keys."""
    with engine.connect() as connection:
        return {
            table.name: [
                dict(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            ]
            for table in which
        }


def only_row(engine: Engine, table: Table) -> dict[str, Any]:
    """The one row of a table."""
    [row] = contents(engine, [table])[table.name]
    return row


def empty(engine: Engine) -> None:
    """Forget everything."""
    with writing(engine) as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(delete(table))


def cut(messages: Sequence[Message], lengths: Iterable[int]) -> list[list[Message]]:
    """The messages in batches of these lengths, the rest in one."""
    batches, rest = [], list(messages)
    for length in lengths:
        batches.append(rest[:length])
        rest = rest[length:]
    return [each for each in [*batches, rest] if each]


def faults(path: Path) -> list[str]:
    """The file, unless `warcio check` finds nothing wrong with it."""
    checker = Checker(type("Arguments", (), {"inputs": [str(path)], "verbose": False})())
    checker.process_all()
    return [] if checker.exit_value == 0 else [str(path)]
