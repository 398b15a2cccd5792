"""What a recorder tells an empty Redis of unfinished crawls: all that is recorded, step by step, once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

from contract.bus import Bus, Consumer
from contract.bus.consumer import DELIVERY_LIMIT
from contract.bus.dead_letters import dead_letters
from contract.bus.groups import ensure_groups, is_restored
from contract.commands import FrontierRestore
from contract.settings import Settings
from contract.topology import PARSE, RESTORE
from scheduler.restore import restore
from storage.replay import replay
from tests import builders
from tests.builders import CRAWL, warc_member
from tests.storage.helpers import write

A = "http://site.test/"


@pytest.fixture
async def lost(bus: Bus) -> Bus:
    """A server that was emptied a moment ago."""
    await bus.redis.flushall()
    await ensure_groups(bus)
    return bus


class Scheduler:
    """Stands in for the scheduler: collects parts, and counts them as worked in."""

    def __init__(self, bus: Bus, meanwhile: Callable[[FrontierRestore], object]) -> None:
        self.bus, self.parts, self.meanwhile = bus, list[FrontierRestore](), meanwhile

    async def work(self) -> None:
        async with Consumer(self.bus, RESTORE) as consumer:
            while True:
                for one in await consumer.take(10, block_ms=10):
                    self.parts.append(one.payload)
                    keys, crawl = self.bus.keys, one.envelope.crawl
                    for page in one.payload.pages:
                        if page.outcome == "page" and not page.read:
                            await self.bus.redis.sadd(keys.unread(crawl), MARKS[page.url])
                    self.meanwhile(one.payload)
                    await self.bus.redis.hincrby(keys.crawl(crawl), keys.run_field(one.payload.run), 1)
                    await consumer.hand_over(one)


@contextlib.asynccontextmanager
async def at_work(
    bus: Bus,
    engine: Engine,
    folder: Path,
    *,
    recorders: int = 1,
    meanwhile: Callable[[FrontierRestore], object] = lambda part: None,
) -> AsyncIterator[Scheduler]:
    """Recorders that look after the frontier, and a scheduler; `meanwhile` is done before a part counts."""
    stop, scheduler = asyncio.Event(), Scheduler(bus, meanwhile)
    options = {"is_idle": lambda: True, "when_done": lambda: None}
    replays = [replay(bus, engine, Settings(data=str(folder)), stop, **options) for _ in range(recorders)]
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(scheduler.work())
        for one in replays:
            tasks.create_task(one)
        yield scheduler
        stop.set()
        working.cancel()


async def restored(bus: Bus) -> None:
    while not await is_restored(bus):
        await asyncio.sleep(0.005)


READ, BUSY = builders.page_fetched(A + "read"), builders.page_fetched(A + "busy", status=301)
UNREAD, BODILESS = builders.page_fetched(A + "unread"), builders.page_fetched(A + "bodiless")
MARKS = {one.payload.url: one.payload.fingerprint for one in (UNREAD, BODILESS, READ)}


async def test_where_nothing_is_unfinished_the_frontier_is_there_at_once(lost: Bus, engine: Engine, tmp_path: Path):
    read = builders.page_parsed(A + "read")
    write(engine, tmp_path / "archive", builders.crawl_started(), READ, read, builders.crawl_finished())

    async with at_work(lost, engine, tmp_path) as scheduler:
        await asyncio.wait_for(restored(lost), 0.5)

    assert scheduler.parts == []


async def test_a_crawl_is_told_by_its_specification_outcomes_links_and_end(lost: Bus, engine: Engine, tmp_path: Path):
    failed = builders.page_failed(A + "failed", retry_after_ms=30_000, started_at=1_000, elapsed_ms=5)
    write(
        *(engine, tmp_path / "archive", builders.crawl_started(A, delay_seconds=2.0), builders.seeds_added(A + "more")),
        *(builders.robots_fetched(crawl_delay_ms=1_500), READ, builders.page_parsed(A + "read"), failed),
        *(builders.page_excluded(A + "left"), builders.page_fetched(A + "moved", status=301, location=A)),
    )

    async with at_work(lost, engine, tmp_path, recorders=2) as scheduler:
        await restored(lost)

    parts = scheduler.parts
    assert len({part.run for part in parts}) == 1
    assert [part.step for part in parts] == ["crawl", "crawl", "pages", "links", "links", "end"]
    assert (parts[0].spec.delay_seconds, parts[0].crawl_delays) == (2.0, (("http://site.test", 1_500),))
    assert set(parts[1].seeds) == set(parts[3].seeds) == {A, A + "more"}
    known = {page.url: page for page in parts[2].pages}
    assert {url: page.outcome for url, page in known.items()} == {
        A + "read": "page", A + "failed": "failed", A + "left": "excluded", A + "moved": "moved",
    }  # fmt: skip
    assert (known[A + "failed"].wait_until, known[A + "failed"].retryable) == (31_005, True)
    assert [known[A + name].read for name in ("read", "moved")] == [True, False]
    assert [(page.url, page.links[0].url) for page in parts[4].links] == [(A + "read", "http://site.test/other")]


async def test_pages_that_nobody_has_read_go_to_the_parsers_with_their_bodies(
    lost: Bus, engine: Engine, tmp_path: Path
):
    write(engine, tmp_path / "archive", builders.crawl_started(), READ, builders.page_parsed(A + "read"), UNREAD)
    await _lose_bodies_of_what_follows(engine, tmp_path)

    async with at_work(lost, engine, tmp_path):
        await restored(lost)

    async with Consumer(lost, PARSE) as parser:
        pages = {one.payload.url: one for one in await parser.take(10, block_ms=10)}
        assert set(pages) == {A + "unread", A + "bodiless"}
        assert await lost.redis.get(pages[A + "unread"].body_key) == warc_member(A + "unread")
        assert pages[A + "bodiless"].body_key is None


async def given_to_parsers(bus: Bus) -> list[str]:
    async with Consumer(bus, PARSE) as parser:
        return [one.payload.url for one in await parser.take(10, block_ms=10)]


async def test_a_page_is_read_that_another_recorder_wrote_as_read_after_redis_was_told_that_it_was_not(
    lost: Bus, engine: Engine, tmp_path: Path
):
    write(engine, tmp_path / "archive", builders.crawl_started(), UNREAD)

    def it_is_read(part: FrontierRestore) -> None:
        if part.step == "pages":
            write(engine, tmp_path / "archive", builders.page_parsed(A + "unread"))

    async with at_work(lost, engine, tmp_path, meanwhile=it_is_read), asyncio.timeout(10):
        await restored(lost)

    assert await given_to_parsers(lost) == [A + "unread"]
    assert await lost.redis.exists(lost.keys.unread(CRAWL)) == 0


async def test_a_page_is_read_that_a_replay_has_told_as_unread_before_it_died(
    lost: Bus, engine: Engine, tmp_path: Path
):
    write(engine, tmp_path / "archive", builders.crawl_started(), READ, builders.page_parsed(A + "read"))
    await lost.redis.sadd(lost.keys.unread(CRAWL), MARKS[A + "read"])

    async with at_work(lost, engine, tmp_path), asyncio.timeout(10):
        await restored(lost)

    assert await given_to_parsers(lost) == [A + "read"]


async def test_a_page_that_is_waited_for_and_that_nobody_knows_is_given_up_with_the_end(
    lost: Bus, engine: Engine, tmp_path: Path
):
    write(engine, tmp_path / "archive", builders.crawl_started(), READ, builders.page_parsed(A + "read"))
    await lost.redis.sadd(lost.keys.unread(CRAWL), "0123456789abcdef")

    async with at_work(lost, engine, tmp_path) as scheduler, asyncio.timeout(10):
        await restored(lost)

    assert [part.unread for part in scheduler.parts if part.step == "end"] == [("0123456789abcdef",)]


async def test_a_replay_that_another_one_has_taken_over_from_says_no_end(lost: Bus, engine: Engine, tmp_path: Path):
    write(engine, tmp_path / "archive", builders.crawl_started(), READ, builders.page_parsed(A + "read"))
    taken = redis.Redis.from_url(lost.url)

    def somebody_else_is_at_it(part: FrontierRestore) -> None:
        if part.step == "links" and part.links:
            taken.set(lost.keys.replaying, "another", px=300)

    with taken:
        async with at_work(lost, engine, tmp_path, meanwhile=somebody_else_is_at_it) as scheduler:
            async with asyncio.timeout(10):
                while len({part.run for part in scheduler.parts}) < 2:
                    await asyncio.sleep(0.005)

    first, *_ = [part.run for part in scheduler.parts]
    assert "end" not in [part.step for part in scheduler.parts if part.run == first]


async def _lose_bodies_of_what_follows(engine: Engine, folder: Path) -> None:
    before = set((folder / "archive").iterdir())
    write(engine, folder / "archive", BODILESS)
    for segment in set((folder / "archive").iterdir()) - before:
        segment.unlink()


async def test_a_server_that_is_emptied_in_the_middle_is_told_again(lost: Bus, engine: Engine, tmp_path: Path):
    write(engine, tmp_path / "archive", builders.crawl_started(), READ)

    async with at_work(lost, engine, tmp_path) as scheduler:
        while not scheduler.parts:
            await asyncio.sleep(0.001)
        await lost.redis.flushall()
        await restored(lost)

    epochs = [part.epoch for part in scheduler.parts]
    assert len(set(epochs)) == 2
    assert [part.step for part in scheduler.parts if part.epoch == epochs[-1]][-1] == "end"


async def test_where_no_scheduler_can_work_a_part_in_all_is_told_again(lost: Bus, engine: Engine, tmp_path: Path):
    write(engine, tmp_path / "archive", builders.crawl_started(), READ, builders.page_parsed(A + "read"))
    stop, options = asyncio.Event(), {"is_idle": lambda: True, "when_done": lambda: None}

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(replay(lost, engine, Settings(data=str(tmp_path)), stop, **options))
        for _ in range(DELIVERY_LIMIT):
            with pytest.raises(ZeroDivisionError):
                await _taken_and_died_of(lost)
        tasks.create_task(restore(lost, stop, asyncio.Event()))
        await restored(lost)
        stop.set()

    [letter] = [one async for one in dead_letters(lost)]
    assert (letter.stage, letter.reason) == (RESTORE.name, f"delivered {DELIVERY_LIMIT} times without an end")
    assert await lost.redis.hget(lost.keys.crawl(CRAWL), "fetched") == b"1"


async def _taken_and_died_of(bus: Bus) -> None:
    async with Consumer(bus, RESTORE) as consumer:
        while not await consumer.take(1, block_ms=20):
            pass
        raise ZeroDivisionError


async def test_a_paused_crawl_is_told_as_paused_with_its_version(lost: Bus, engine: Engine, tmp_path: Path):
    from contract.crawls import CrawlPaused

    paused = builders.make_message(CrawlPaused(version=4), time="2026-11-23T12:00:01.000Z")
    write(engine, tmp_path / "archive", builders.crawl_started(), paused)

    async with at_work(lost, engine, tmp_path) as scheduler:
        await restored(lost)

    assert (scheduler.parts[0].state, scheduler.parts[0].version) == ("paused", 4)
    assert await lost.redis.exists(lost.keys.unread(CRAWL)) == 0


async def test_a_server_that_has_lost_that_it_was_restored_is_told_again(lost: Bus, engine: Engine, tmp_path: Path):
    """As one that comes back without its last second, though of the same epoch: else it is waited for for ever."""
    write(engine, tmp_path / "archive", builders.crawl_started(), READ, builders.page_parsed(A + "read"))

    async with at_work(lost, engine, tmp_path):
        await restored(lost)
        await lost.redis.delete(lost.keys.restored)
        await asyncio.wait_for(restored(lost), 10)
