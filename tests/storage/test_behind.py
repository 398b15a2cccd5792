"""SQL that has lost what Redis was told is recorded: Redis is rebuilt from it, and no page is missing in the end.

Scheduler and recorder are real; the web, its fetcher and its parser are a table. SQL goes back in time as it does by a
power cut, by a failover to a replica that was behind, or where an older copy takes its place.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert

from contract.bus import Bus, publish
from contract.bus.emptying import empty
from contract.bus.groups import ensure_groups, mark_restored
from contract.bus.recorded import Mark, acknowledge, latest_mark
from contract.commands import CrawlStart
from contract.crawls import CrawlFinished, CrawlSpec, CrawlStarted
from contract.settings import Settings
from contract.topology import RECORD
from penstock.submit import answer_to, new_command
from storage.read_models import queries
from storage.sql import tables
from storage.sql.database import open_database, writing
from storage.store import ledger
from tests import builders
from tests.builders import life
from tests.scheduler.harness import Run, running
from tests.scheduler.web import Web
from tests.storage.helpers import contents, recording, write
from tests.storage.test_replay import at_work
from tests.system.commands import until

A, X, Y = "http://a.test/", "http://a.test/x", "http://a.test/y"
WEB = {A: {X, Y}, X: (), Y: ()}
ALL = tables.metadata.sorted_tables
Copy = dict[str, list[dict[str, Any]]]


class World:
    """A crawl's stages and its database, which can be set back in time."""

    def __init__(self, bus: Bus, run: Run, settings: Settings) -> None:
        self.bus, self.run, self.settings = bus, run, settings
        self.engine = open_database(settings, name="test")

    def copied(self) -> Copy:
        """All that SQL has now."""
        return contents(self.engine, ALL)

    def put_back(self, copy: Copy) -> None:
        """Nothing that came after this copy has happened."""
        put_back(self.engine, copy)

    async def recorded(self, **facts: object) -> queries.CrawlRow:
        """Wait until this is recorded of the only crawl."""

        def found() -> queries.CrawlRow | None:
            row = next(iter(queries.crawls(self.engine)), None)
            return row if row and all(getattr(row, name) == fact for name, fact in facts.items()) else None

        await until(lambda: bool(found()))
        row = found()
        assert row
        return row

    def fetched(self) -> set[str]:
        """The URLs that are recorded as fetched."""
        return {row["url"] for row in queries.pages(self.engine) if row["outcome"] == "fetched"}


def put_back(engine: Engine, copy: Copy) -> None:
    with writing(engine) as connection:
        for table in reversed(ALL):
            connection.execute(delete(table))
        for table in ALL:
            if copy[table.name]:
                connection.execute(insert(table), copy[table.name])


@pytest.fixture
async def world(bus: Bus, redis_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """All that a crawl takes but for the recorder, on each kind of database."""
    await mark_restored(bus, await ensure_groups(bus))
    async with running(bus, Web(WEB), hurried=True) as run:
        run.recording.clear()  # which is what the recorder is for
        found = World(bus, run, Settings(redis_url=redis_url, database_url=database_url, data=str(tmp_path)))
        yield found
        found.engine.dispose()


@contextlib.asynccontextmanager
async def half_way(world: World) -> AsyncIterator[Copy]:
    """A crawl of three pages of which the first is recorded, as in this copy."""
    world.run.hold = {X, Y}
    async with recording(world.settings):
        await world.run.start(A, name="mine")
        await world.recorded(state="running", parsed=1)
        yield world.copied()


async def test_pages_that_sql_loses_under_a_recorder_are_fetched_again(world: World):
    async with half_way(world) as copy:
        await world.run.let_go(X)
        await world.recorded(parsed=2)
        world.put_back(copy)
        await until(lambda: sum(url == X for url, _, _ in world.run.starts) == 2)
        await world.run.let_go(Y)
        done = await world.recorded(state="finished", fetched=3, parsed=3)

    assert world.fetched() == {A, X, Y}
    assert queries.is_complete(world.engine, done.id)


async def test_pages_that_an_older_copy_lacks_are_fetched_again_after_the_crawl_was_over(world: World):
    async with half_way(world) as copy:
        await world.run.let_go(X, Y)
        await world.recorded(state="finished", parsed=3)
    world.put_back(copy)
    async with recording(world.settings):
        done = await world.recorded(state="finished", fetched=3, parsed=3)

    assert world.fetched() == {A, X, Y}
    assert queries.is_complete(world.engine, done.id)


async def test_a_copy_that_knows_the_end_of_a_crawl_but_not_all_its_pages_brings_the_crawl_back(world: World):
    async with half_way(world) as copy:
        await world.run.let_go(X, Y)
        await world.recorded(state="finished", parsed=3)
        after = world.copied()
    copy["crawls"] = after["crawls"]
    copy["events"] += [row for row in after["events"] if row["type"] == CrawlFinished.TYPE]
    world.put_back(copy)
    async with recording(world.settings):
        done = await world.recorded(state="finished", fetched=3, parsed=3)
        await until(lambda: queries.is_complete(world.engine, done.id))

    assert world.fetched() == {A, X, Y}


async def test_what_redis_still_holds_is_recorded_before_it_is_emptied_and_commands_stay(world: World):
    async with half_way(world) as copy:
        await world.run.let_go(X)
        await world.recorded(parsed=2)
    await world.run.let_go(Y)
    await until(lambda: sum(url == Y for url, _, _ in world.run.starts) == 1)
    await world.run.drained_of("scheduler.settle", "scraper.parse", "scheduler.discover")
    world.put_back(copy)
    other = new_command(
        CrawlStart(spec=CrawlSpec(name="other", delay_seconds=0.0, obey_robots=False), seeds=(A,)), crawl="other"
    )
    await world.bus.redis.delete(world.bus.keys.restored)  # so that it waits until it is carried out
    await publish(world.bus, other)
    async with recording(world.settings):
        answer = await answer_to(world.bus, other)
        await until(lambda: [row.state for row in queries.crawls(world.engine)] == ["finished"] * 2)
        found = {row.name: row for row in queries.crawls(world.engine)}

    assert (answer.refused, answer.crawl, answer.resumed) == (None, "other", False)
    assert found["mine"].fetched == found["other"].fetched == 3
    mine = [url for url, _, _ in world.run.starts].count(Y)
    assert mine == 2, "once for each crawl: what was still on its way to SQL is not asked for again"


async def test_a_crawl_of_which_an_older_copy_knows_nothing_is_forgotten_and_may_begin_anew(world: World):
    empty = world.copied()
    async with half_way(world):
        pass
    world.put_back(empty)
    async with recording(world.settings):
        while await world.bus.redis.hlen(world.bus.keys.names):
            await asyncio.sleep(0.005)
        await world.run.let_go(X, Y)
        answer = await world.run.begin(A, name="mine")
        done = await world.recorded(state="finished", fetched=3)

    assert (answer.resumed, done.id) == (False, answer.crawl)


async def test_nothing_is_emptied_where_sql_has_all_that_redis_was_told(world: World):
    async with half_way(world):
        pass
    before = await world.bus.redis.get(world.bus.keys.epoch)
    async with recording(world.settings):
        await world.run.let_go(X, Y)
        await world.recorded(state="finished", fetched=3)

    assert await world.bus.redis.get(world.bus.keys.epoch) == before
    assert [url for url, _, _ in world.run.starts].count(X) == 1


async def test_a_crawl_that_has_ended_without_all_it_ended_with_goes_on_in_an_empty_redis(
    bus: Bus, engine: Engine, tmp_path: Path
):
    started = life(CrawlStarted, 1, spec=CrawlSpec(name="site"), seeds=(A,))
    ended = life(CrawlFinished, 2, fetched=2, failed=0, excluded=0)
    write(engine, tmp_path / "archive", started, builders.page_fetched(A), builders.page_parsed(A), ended)
    await bus.redis.flushall()
    await ensure_groups(bus)

    async with at_work(bus, engine, tmp_path) as scheduler:
        while "end" not in [part.step for part in scheduler.parts]:
            await asyncio.sleep(0.005)

    assert (scheduler.parts[0].state, scheduler.parts[0].version) == ("running", 2)


async def test_a_redis_that_is_emptied_keeps_nothing_of_a_crawl_but_when_its_hosts_were_asked(world: World):
    async with half_way(world):
        await world.run.drained_of("scheduler.settle", "scraper.parse", "scheduler.discover")
    keys, names = world.bus.keys, {name.decode() for name in await world.bus.redis.keys()}
    [crawl] = [row.id for row in queries.crawls(world.engine)]
    assert {keys.crawl(crawl), keys.host("http://a.test"), keys.hosts(crawl), keys.seen(crawl)} <= names
    asked = await world.bus.redis.hget(keys.host("http://a.test"), "asked_at")
    await publish(world.bus, new_command(CrawlStart(spec=CrawlSpec(name="other"), seeds=(A,)), crawl="other"))
    await world.bus.redis.delete(keys.restored)

    await empty(world.bus, [])

    kept = {name.decode() for name in await world.bus.redis.keys() if crawl.encode() in name or b"body:" in name}
    assert kept <= {name for name in kept if keys.answer("") in name}
    assert await world.bus.redis.hmget(keys.host("http://a.test"), ["asked_at", "in_flight"]) == [asked, b"0"]
    assert await world.bus.redis.zscore(keys.resting, "http://a.test")
    assert await world.bus.redis.xlen(keys.stream(CrawlStart.TYPE)) > 0
    await mark_restored(world.bus, await ensure_groups(world.bus))
    await world.run.let_go(X, Y)


# -- marks


def test_batches_are_numbered_over_all_recorders(engine: Engine):
    one, other = ledger.Line(), ledger.Line()
    marks = []
    for line in (one, other, one):
        with writing(engine) as connection:
            marks.append(line.enter(connection, None))

    assert [mark.batch for mark in marks] == [1, 2, 3]
    assert not any(ledger.has_lost(engine, mark) for mark in (*marks, None))
    assert ledger.latest(engine) == marks[2]


def test_a_batch_that_was_lost_is_missed_however_many_come_after_it(engine: Engine):
    one, other = ledger.Line(), ledger.Line()
    with writing(engine) as connection:
        one.enter(connection, None)
    copy = contents(engine, ALL)
    with writing(engine) as connection:
        told = one.enter(connection, None)
    put_back(engine, copy)

    for line in (other, one, one, other):
        with writing(engine) as connection:
            assert line.enter(connection, told) == told
        assert ledger.has_lost(engine, told)


async def test_the_mark_is_of_the_latest_batch_whoever_acknowledges_last(bus: Bus):
    for mark in (Mark(1, "a"), Mark(3, "b"), Mark(2, "a"), Mark(3, "c")):
        await acknowledge(bus, RECORD.name, {}, mark)

    assert await latest_mark(bus) == Mark(3, "b")


async def test_what_is_acknowledged_is_finished_and_marked_in_one_step(bus: Bus):
    await ensure_groups(bus)
    stream = bus.keys.stream("page.fetched")
    ids = [(await bus.redis.xadd(stream, {"e": "x"})).decode() for _ in range(2_500)]
    await bus.redis.xreadgroup(RECORD.name, "me", {stream: ">"}, count=2_500)

    await acknowledge(bus, RECORD.name, {"page.fetched": ids, "page.failed": ["1-0"]}, Mark(7, "a"))

    assert (await bus.redis.xpending(stream, RECORD.name))["pending"] == 0
    assert await latest_mark(bus) == Mark(7, "a")
