"""The stage: events from a real server, through SQL and the archive."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from sqlalchemy import text

from contract import codec, topology
from contract.bus import Bus, Delivery, publish
from contract.bus.janitor import tidy
from contract.settings import Settings
from storage import record
from storage.read_models import queries
from storage.sql import tables
from storage.sql.database import make_engine, open_database
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import contents, only_row, progress_where, publish_fetched, recording

RECORD = topology.RECORD.name


@pytest.fixture
def settings(redis_url: str, database_url: str, tmp_path: Path) -> Settings:
    return Settings(redis_url=redis_url, database_url=database_url, data=str(tmp_path))


@pytest.fixture
def sqlite_settings(redis_url: str, tmp_path: Path) -> Settings:
    return Settings(redis_url=redis_url, data=str(tmp_path))


async def test_a_crawl_is_recorded_and_said_to_be_complete(bus, settings):
    await publish_crawl(bus, pages=1)

    async with recording(settings):
        numbers = await progress_where(bus, is_complete)

    assert [numbers[name] for name in ("fetched", "parsed", "items", "bytes")] == [1, 1, 1, 1_000]
    assert numbers["statuses"] == {"200": 1}
    assert numbers["latest"] == [{"url": f"{URL}/0", "status": 200, "title": "A page"}]


async def test_what_is_recorded_is_acknowledged_and_then_forgotten(bus, settings):
    await publish_crawl(bus, pages=20)
    async with recording(settings):
        await progress_where(bus, is_complete)

    assert await pending(bus) == 0
    await finish_other_groups(bus)
    await tidy(bus)
    assert await bus.redis.xlen(bus.keys.stream("page.fetched")) == 0
    assert await bus.redis.get(bus.keys.body_bytes) == b"0"


async def test_a_crawl_is_complete_only_when_its_last_page_is_recorded(bus, sqlite_settings):
    await publish_fetched(bus, builders.page_fetched())
    await publish(bus, builders.crawl_started(), builders.crawl_finished())

    async with recording(sqlite_settings):
        numbers = await progress_where(bus, lambda numbers: numbers.get("fetched"))
        assert not is_complete(numbers)
        await publish(bus, builders.page_parsed())
        await progress_where(bus, is_complete)


async def test_totals_are_right_again_after_a_restart(bus, settings):
    await publish(bus, builders.crawl_started(), builders.page_failed())
    async with recording(settings):
        before = await progress_where(bus, lambda numbers: numbers.get("failed"))
    await bus.redis.delete(bus.keys.progress(CRAWL))

    async with recording(settings):
        after = await progress_where(bus, lambda numbers: numbers.get("failed"))

    assert {**after, "latest": []} == {**before, "latest": []}


async def test_events_wait_while_the_database_is_broken(bus, settings, caplog):
    async with recording(settings):
        await something_recorded(bus)
        with broken_database(settings):
            await publish_crawl(bus, pages=3)
            await said(caplog, "waiting for the database")
            await asyncio.sleep(0.4)  # long enough for further attempts, which say nothing
        await progress_where(bus, is_complete)

    assert caplog.text.count("waiting for the database") == 1
    assert await pending(bus) == 0


async def test_a_recorder_that_is_stopped_while_the_database_is_broken_gives_its_events_back(
    bus, sqlite_settings, caplog
):
    mended = contextlib.ExitStack()
    async with recording(sqlite_settings):
        await something_recorded(bus)
        mended.enter_context(broken_database(sqlite_settings))
        await publish_crawl(bus, pages=3)
        await said(caplog, "waiting for the database")
    mended.close()

    async with recording(sqlite_settings):
        await progress_where(bus, is_complete)


async def test_an_event_that_cannot_be_recorded_is_buried_and_its_company_is_not(bus, settings):
    poison = builders.page_failed(f"{URL}/poison", started_at=2**70)
    await publish(bus, poison)
    await publish_crawl(bus, pages=5)

    async with recording(settings):
        await progress_where(bus, is_complete)

    [(_, letter)] = await bus.redis.xrange(bus.keys.dead(RECORD))
    assert letter[b"e"] == codec.encode(poison)
    assert letter[b"reason"].startswith(b"cannot be recorded: ")
    assert await pending(bus) == 0


async def test_a_page_whose_body_is_gone_is_recorded_and_said_loudly(bus, sqlite_settings, caplog):
    message = builders.page_fetched()
    await publish_fetched(bus, message)
    await bus.redis.delete(bus.keys.body(message.envelope.id))

    async with recording(sqlite_settings):
        await progress_where(bus, lambda numbers: numbers.get("fetched"))

    engine = make_engine(sqlite_settings.sql_url)
    assert only_row(engine, tables.pages)["flags"] == "body_missing"
    assert "Redis does not have it" in caplog.text
    engine.dispose()


async def test_two_recorders_share_the_work_and_nothing_is_recorded_twice(bus, settings):
    async with recording(settings), recording(settings):
        for _ in range(5):
            await publish_crawl(bus, pages=40)  # the same pages each time
        await progress_where(bus, is_complete)
        while await pending(bus):
            await asyncio.sleep(0.01)

    engine = make_engine(settings.sql_url)
    assert queries.is_complete(engine, CRAWL)
    assert len(contents(engine)["pages"]) == len(archived(settings)) == 40
    engine.dispose()


@pytest.mark.parametrize(("when", "pages"), [("at once", 60), ("after a page", 300)])
async def test_a_killed_recorder_loses_nothing_and_leaves_nothing_twice(bus, sqlite_settings, when, pages):
    await publish_crawl(bus, pages=pages)
    engine = open_database(sqlite_settings)
    async with recorder_process(sqlite_settings) as process:
        while not (await pending(bus) if when == "at once" else list(queries.pages(engine))):
            await asyncio.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()

    await let_leases_run_out(bus)
    async with recording(sqlite_settings):
        await progress_where(bus, is_complete)

    assert len(list(queries.pages(engine, CRAWL))) == pages
    assert sorted(archived(sqlite_settings)) == sorted(f"{URL}/{number}" for number in range(pages))
    engine.dispose()


def test_portions_keep_the_order_of_events_and_bound_the_bytes_of_bodies():
    stored = builders.body_ref(stored=record.BATCH_BYTES // 2)
    messages = [builders.page_fetched(f"{URL}/{number}", body=stored) for number in range(5)]
    deliveries = [made_delivery(message, f"{number // 2}-{number % 2}") for number, message in enumerate(messages)]

    portions = list(record.portions(deliveries[::-1]))

    assert [each for portion in portions for each in portion] == deliveries
    assert [len(portion) for portion in portions] == [2, 2, 1]


def is_complete(numbers):
    return numbers.get("complete")


def made_delivery(message, id):
    return Delivery(message.envelope.type, id, codec.encode(message), 1, message)


async def publish_crawl(bus: Bus, *, pages: int) -> None:
    """A whole crawl of this many pages."""
    await publish(bus, builders.crawl_started())
    for number in range(pages):
        await publish_fetched(bus, builders.page_fetched(f"{URL}/{number}"))
    await publish(bus, *(builders.page_parsed(f"{URL}/{number}") for number in range(pages)))
    await publish(bus, builders.crawl_finished(fetched=pages))


async def pending(bus: Bus) -> int:
    """Deliveries that the recorders hold."""
    counts = [await bus.redis.xpending(bus.keys.stream(name), RECORD) for name in topology.RECORD.takes]
    return sum(count["pending"] for count in counts)


async def finish_other_groups(bus: Bus) -> None:
    """Let all other stages be through with everything."""
    for name in topology.RECORD.takes:
        for group in topology.groups_of(name):
            await bus.redis.xgroup_setid(bus.keys.stream(name), group, "$")


async def let_leases_run_out(bus: Bus) -> None:
    """What would happen if 15 s went by."""
    for name in topology.RECORD.takes:
        stream = bus.keys.stream(name)
        for entry in await bus.redis.xpending_range(stream, RECORD, "-", "+", 10_000):
            ids = [entry["message_id"]]
            await bus.redis.xclaim(stream, RECORD, entry["consumer"], 0, ids, idle=3_600_000, justid=True)


def archived(settings: Settings) -> list[str]:
    """The URLs of all response records in all segments."""
    urls = []
    for path in (settings.folder / "archive").glob("*.warc.gz"):
        with path.open("rb") as file:
            for each in ArchiveIterator(file, record_types=WarcRecordType.response):
                urls.append(each.headers["WARC-Target-URI"])
    return urls


@contextlib.asynccontextmanager
async def recorder_process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """The stage as a process of its own."""
    code = (
        "import asyncio, sys; from contract.settings import Settings; from storage import record;"
        "asyncio.run(record.run(Settings(redis_url=sys.argv[1], data=sys.argv[2]), asyncio.Event()))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, settings.redis_url, settings.data)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@contextlib.contextmanager
def broken_database(settings: Settings) -> Iterator[None]:
    """A database whose writers fail inside the block."""
    engine = make_engine(settings.sql_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE events RENAME TO away"))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO events"))
        engine.dispose()


async def something_recorded(bus: Bus) -> None:
    """Wait until the recorder has shown that it is at work."""
    await publish(bus, builders.page_excluded(f"{URL}/first", crawl="first"))
    await progress_where(bus, lambda numbers: numbers.get("excluded"), crawl="first")


async def said(caplog, words: str) -> None:
    """Wait until the log has these words."""
    while words not in caplog.text:
        await asyncio.sleep(0.01)
