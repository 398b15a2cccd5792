"""The stage with its archive in a bucket: pages gather into objects, and none is acknowledged before it lies there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from contract import topology
from contract.bus import Delivery, publish
from contract.settings import Settings
from storage.archive.segments.opening import open_store
from storage.gathering import WORTH_BYTES, WORTH_PAGES, is_worth_an_object
from storage.sql.database import open_database
from tests import builders
from tests.builders import URL
from tests.s3 import archive_url
from tests.storage.helpers import progress_where, publish_fetched, recording
from tests.storage.segments.helpers import readable, rows

RECORD = topology.RECORD.name


@pytest.fixture
def settings(redis_url, s3_server, credentials, tmp_path):
    return Settings(redis_url=redis_url, data=str(tmp_path), archive_url=archive_url(s3_server))


def delivery(message, count=1):
    return Delivery(message.envelope.type, "1-0", b"", count, message, None, "")


def test_pages_wait_for_company_and_nothing_else_does():
    few = [delivery(builders.page_fetched()), delivery(builders.page_parsed())]
    body = few[0].payload.body

    assert not is_worth_an_object(few)
    assert is_worth_an_object([])
    assert is_worth_an_object([delivery(builders.page_parsed())])
    assert is_worth_an_object(few[:1] * WORTH_PAGES)
    assert is_worth_an_object(few[:1] * (WORTH_BYTES // body.stored + 1))
    assert is_worth_an_object([*few, delivery(builders.crawl_finished())])
    assert is_worth_an_object([delivery(builders.page_fetched(), count=2)])


async def test_pages_of_some_seconds_become_one_object(bus, settings):
    async with recording(settings):
        for number in range(5):
            await publish_fetched(bus, builders.page_fetched(f"{URL}/{number}"))
            await asyncio.sleep(0.1)  # far apart for a batch into files
        await publish(bus, builders.crawl_started(), builders.crawl_finished(fetched=5))
        await progress_where(bus, lambda numbers: numbers.get("fetched") == 5)

    engine = open_database(settings)
    assert len([row for row in rows(engine) if row["length"]]) == 1
    assert len(readable(open_store(settings), engine)) == 5
    assert await pending(bus) == 0
    engine.dispose()


async def test_pages_wait_no_longer_than_they_are_told_to(bus, settings):
    settings = Settings(**{**as_dict(settings), "archive_gather_seconds": 0.2})
    await publish_fetched(bus, builders.page_fetched())

    async with recording(settings):
        await progress_where(bus, lambda numbers: numbers.get("fetched") == 1)


async def test_a_recorder_that_is_stopped_waits_for_nothing(bus, settings):
    await publish_fetched(bus, builders.page_fetched())
    async with recording(settings):
        await until_held(bus)

    assert await pending(bus) == 0
    engine = open_database(settings)
    assert readable(open_store(settings), engine) == [URL]
    engine.dispose()


async def test_nothing_is_acknowledged_while_the_bucket_is_away(bus, settings, s3_server, caplog):
    async with gate(s3_server) as opened:
        through = settings.archive_url.replace(s3_server, opened.address)
        async with recording(Settings(**{**as_dict(settings), "archive_url": through})):
            await publish(bus, builders.crawl_started())
            await progress_where(bus, lambda numbers: numbers)
            await opened.close()
            await publish_fetched(bus, builders.page_fetched())
            await publish(bus, builders.crawl_finished())
            while "waiting for the archive: cannot write to the archive s3://" not in caplog.text:
                await asyncio.sleep(0.02)
            assert await pending(bus) == 2
            await opened.open()
            await progress_where(bus, lambda numbers: numbers.get("fetched") == 1)

    assert await pending(bus) == 0
    engine = open_database(settings)
    assert readable(open_store(settings), engine) == [URL]
    engine.dispose()


class Gate:
    """What stands between a recorder and its bucket."""

    def __init__(self, server: str) -> None:
        self._port = urlsplit(server).port
        self._open: list[asyncio.StreamWriter] = []
        self._own_port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._own_port)
        self._own_port = self._server.sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{self._own_port}"

    async def close(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.close()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._port)
        self._open += [writer, ours]
        await asyncio.gather(_copy(reader, ours), _copy(theirs, writer))


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
    target.close()


@contextlib.asynccontextmanager
async def gate(server: str) -> AsyncIterator[Gate]:
    """A gate that is open at first."""
    made = Gate(server)
    await made.open()
    yield made
    await made.close()


def as_dict(settings):
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


async def pending(bus):
    streams = [bus.keys.stream(name) for name in topology.streams_of(topology.RECORD)]
    existing = [stream for stream in streams if await bus.redis.exists(stream)]
    return sum([(await bus.redis.xpending(stream, RECORD))["pending"] for stream in existing])


async def until_held(bus):
    while not await pending(bus):
        await asyncio.sleep(0.01)
