"""Which crawls are ahead of a Redis that has gone back in time, and what a recorder does about them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from contract.bus import Bus
from contract.commands import FrontierRestore
from contract.crawls import (
    CrawlCancelled,
    CrawlFinished,
    CrawlPaused,
    CrawlResumed,
    CrawlSpec,
    CrawlStarted,
    SeedsAdded,
)
from storage.recovery.ahead import Lookout
from tests.builders import CRAWL, life
from tests.storage.helpers import write
from tests.storage.test_replay import at_work

A = "http://site.test/"
STARTED = life(CrawlStarted, 1, spec=CrawlSpec(name="site"), seeds=(A,))
PAUSED, CANCELLED = life(CrawlPaused, 2), life(CrawlCancelled, 2)
FINISHED = life(CrawlFinished, 2, fetched=1, failed=0, excluded=0)


async def in_redis(bus: Bus, state: str, version: int, **more: str) -> None:
    """What the server that is there now knows of the crawl."""
    await bus.redis.hset(bus.keys.crawl(CRAWL), mapping={"state": state, "version": version, **more})
    if state in ("running", "paused"):
        await bus.redis.hset(bus.keys.names, "site", CRAWL)


@pytest.mark.parametrize(
    ("recorded", "here"),
    [
        pytest.param([STARTED], None, id="its start was lost"),
        pytest.param([STARTED, PAUSED], ("running", 1), id="a command was lost"),
        pytest.param([STARTED, life(SeedsAdded, 2, seeds=(A,))], ("running", 1), id="seeds were lost"),
        pytest.param([STARTED, CANCELLED], ("running", 1), id="its end was lost"),
        pytest.param([STARTED, PAUSED, life(CrawlResumed, 3)], ("finished", 2), id="it ended as what is paused in SQL"),
        pytest.param([STARTED, PAUSED], ("cancelled", 2), id="it was cancelled as what is paused in SQL"),
    ],
)
async def test_a_crawl_is_ahead_where(bus: Bus, engine: Engine, tmp_path: Path, recorded, here):
    write(engine, tmp_path / "archive", *recorded)
    if here:
        await in_redis(bus, *here)
    lookout = Lookout(bus, engine)

    assert await lookout.look() == {}  # it may be written just now
    assert list(await lookout.look()) == [CRAWL]


@pytest.mark.parametrize(
    ("recorded", "here"),
    [
        pytest.param([STARTED], ("running", 1), id="both know the same"),
        pytest.param([STARTED], ("paused", 2), id="it is not recorded yet that it was paused"),
        pytest.param([STARTED], ("finished", 2), id="nor that it has ended"),
        pytest.param([STARTED, FINISHED], ("running", 1), id="it does its end again"),
        pytest.param([STARTED, FINISHED], ("finished", 2), id="it has ended"),
        pytest.param([STARTED, CANCELLED], None, id="it has ended long ago"),
    ],
)
async def test_a_crawl_is_not_ahead_where(bus: Bus, engine: Engine, tmp_path: Path, recorded, here):
    write(engine, tmp_path / "archive", *recorded)
    if here:
        await in_redis(bus, *here)
    lookout = Lookout(bus, engine)

    assert [await lookout.look() for _ in range(3)] == [{}, {}, {}]


async def test_what_goes_on_meanwhile_is_not_ahead(bus: Bus, engine: Engine, tmp_path: Path):
    write(engine, tmp_path / "archive", STARTED, PAUSED)
    await in_redis(bus, "running", 1)
    lookout = Lookout(bus, engine)
    await lookout.look()
    await in_redis(bus, "paused", 2)

    assert await lookout.look() == {}


async def told(bus: Bus, engine: Engine, folder: Path, *, count: int) -> AsyncIterator[FrontierRestore]:
    """The parts that recorders tell a Redis that was restored long ago."""
    async with at_work(bus, engine, folder, recorders=2) as scheduler:
        async with asyncio.timeout(10):
            while len(scheduler.parts) < count:
                await asyncio.sleep(0.005)
        for part in scheduler.parts:
            yield part


async def test_a_crawl_whose_start_was_lost_is_told_whole(bus: Bus, engine: Engine, tmp_path: Path):
    write(engine, tmp_path / "archive", STARTED)

    parts = [part async for part in told(bus, engine, tmp_path, count=4)]

    assert [(part.step, part.version, part.state) for part in parts[:2]] == [("crawl", 1, "running")] * 2
    assert [part.step for part in parts[2:4]] == ["links", "end"]
    assert parts[1].seeds == parts[2].seeds == (A,)


async def test_a_database_that_fails_in_the_middle_is_waited_for(bus: Bus, engine: Engine, tmp_path: Path, caplog):
    write(engine, tmp_path / "archive", STARTED)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE seeds RENAME TO away"))

    async with at_work(bus, engine, tmp_path) as scheduler, asyncio.timeout(10):
        while "will begin again" not in caplog.text:
            await asyncio.sleep(0.005)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO seeds"))
        while "end" not in [part.step for part in scheduler.parts]:
            await asyncio.sleep(0.005)


async def test_of_a_crawl_that_was_cancelled_nothing_else_is_told(bus: Bus, engine: Engine, tmp_path: Path):
    write(engine, tmp_path / "archive", STARTED, CANCELLED)
    await in_redis(bus, "running", 1)

    [part] = [part async for part in told(bus, engine, tmp_path, count=1)]

    assert (part.step, part.version, part.state) == ("crawl", 2, "cancelled")
