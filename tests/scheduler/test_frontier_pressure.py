"""Back-pressure: nothing is issued while what is downstream holds too much, and all goes on when it is through."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from scheduler.frontier import Frontier
from scheduler.room import SCARCE
from tests.scheduler.harness import running, take_turns
from tests.scheduler.web import Web

A = "http://a.test/"
MANY = {A: {f"{A}{n}" for n in range(200)}} | {f"{A}{n}": set() for n in range(200)}


async def _held(bus, **marks: int) -> None:
    while not (await take_turns(Frontier(bus, "scheduler.dispatch"), **marks)).held_back:
        await asyncio.sleep(0.005)


async def test_dispatch_stops_while_pages_wait_to_be_parsed_and_goes_on(bus):
    marks = {"high_water_pages": 20}

    async with running(bus, Web(MANY), **marks) as run:
        crawl = await run.start(*MANY, per_host=4)
        await run.until(lambda: len(run.starts) > 5)
        run.parsing.clear()
        await _held(bus, **marks)
        await run.drained_of("scraper.fetch", "scheduler.settle")
        held_at = len(run.starts)
        await asyncio.sleep(0.1)
        assert len(run.starts) == held_at < 60
        run.parsing.set()
        end = await run.finished(crawl)

    assert end.fetched == 201


async def test_dispatch_stops_while_events_wait_to_be_recorded(bus):
    marks = {"high_water_pages": 20}

    async with running(bus, Web(MANY), **marks) as run:
        run.recording.clear()
        crawl = await run.start(*MANY, per_host=4)
        await _held(bus, **marks)
        run.recording.set()
        end = await run.finished(crawl)

    assert end.fetched == 201


async def test_dispatch_stops_while_bodies_hold_too_many_bytes(bus):
    async with running(bus, Web({A: set()}), high_water_bytes=1_000) as run:
        await bus.redis.set(bus.keys.body_bytes, 1_001)
        crawl = await run.start(A)
        await asyncio.sleep(0.1)
        assert not run.starts
        await bus.redis.set(bus.keys.body_bytes, 999)
        await run.finished(crawl)


@pytest.fixture
async def nearly_full(bus) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A server with a little room left, until what is given is called."""

    async def no_more() -> None:
        await bus.redis.config_set("maxmemory", 0)

    await bus.redis.set("somebody else's", bytes(30_000_000))
    used = int((await bus.redis.info("memory"))["used_memory"])
    await bus.redis.config_set("maxmemory", int(used / (SCARCE + 0.03)))
    yield no_more
    await no_more()


async def test_nothing_is_issued_while_redis_is_nearly_full_but_a_crawl_can_be_cancelled(bus, nearly_full, caplog):
    async with running(bus, Web({A: set()})) as run:
        waits, ends = await run.start(A), await run.start(A + "other")
        await run.cancel(ends)
        assert not run.starts
        await nearly_full()
        await run.finished(waits)

    assert caplog.text.count("nothing is issued: Redis is at 93 % of its maxmemory") == 1


async def test_no_more_is_in_flight_than_the_live_fetchers_can_ask_for(bus):
    async with running(bus, Web({})) as run:
        run.hold = {f"http://h{n}.test/" for n in range(300)}
        crawl = await run.start(*run.hold, scope="any")
        await run.until(lambda: len(run.starts) == 128)  # as if there were 64
        await bus.redis.zadd(bus.keys.fetchers, {"one|100": 9e12, "two|25": 9e12, "dead|999": 1})
        await run.until(lambda: len(run.starts) == 250)
        await run.let_go(*run.hold)
        await run.finished(crawl)
