"""A fetcher that stops while another works: what it gives back is asked for by that one, and no lease is waited for."""

import asyncio
import time

import msgspec
import pytest

from contract.bus import Bus, publish
from contract.bus.clock import now_ms
from contract.bus.consumer import RECLAIM_SECONDS
from contract.commands import PageFetch
from contract.crawls import CrawlSpec
from contract.envelope import new_message
from contract.settings import Settings
from contract.topology import FETCH
from scraper.fetch import BLOCK_MS, work_stream
from scraper.fetchers.presence import present
from tests.scraper.raw_server import answer, raw_server

CRAWL = "20261123-120000-abcdef"
JOBS = 20


async def test_what_a_stopping_fetcher_gives_back_is_asked_for_by_another_that_works(
    bus: Bus, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scraper.fetch.DRAIN_SECONDS", 0.05)
    settings = Settings(redis_url=redis_url, allow_private=True)
    leaving, staying = asyncio.Event(), asyncio.Event()

    async def only_the_second_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) <= JOBS:
            await reader.read()
        writer.write(answer())

    async with raw_server(only_the_second_time) as server, asyncio.timeout(8):
        await issue(bus, server.url)
        first = asyncio.create_task(work_stream(settings, leaving.is_set))
        await until(lambda: len(server.requests) == JOBS)
        second = asyncio.create_task(work_stream(settings, staying.is_set, dry_seconds=60))
        leaving.set()
        assert await first == 0
        given_back_at = time.monotonic()
        await until(lambda: len(server.requests) == 2 * JOBS)
        seconds = time.monotonic() - given_back_at
        await fetched(bus)
        staying.set()
        assert await second == JOBS

    assert seconds < RECLAIM_SECONDS + BLOCK_MS / 1000 + 0.5
    assert len(server.requests) == 2 * JOBS
    assert await bus.redis.xlen(bus.keys.stream("page.fetched")) == JOBS
    assert (await bus.redis.xpending(bus.keys.stream("page.fetch"), FETCH.name))["pending"] == 0


async def issue(bus: Bus, root: str) -> None:
    """Jobs of a crawl without delays."""
    spec = msgspec.json.encode(CrawlSpec(name="x", delay_seconds=0, obey_robots=False))
    await bus.redis.hset(bus.keys.crawl(CRAWL), mapping={"state": "running", "spec": spec})
    jobs = [PageFetch(url=f"{root}/{number}", host=root) for number in range(JOBS)]
    await publish(bus, *(new_message(job, id=f"{n}", source="test", crawl=CRAWL) for n, job in enumerate(jobs)))


async def until(holds) -> None:
    """Wait for what the fetchers make true."""
    while not holds():
        await asyncio.sleep(0.005)


async def fetched(bus: Bus) -> None:
    """Wait until every job has its outcome."""
    while await bus.redis.xlen(bus.keys.stream("page.fetched")) < JOBS:
        await asyncio.sleep(0.005)


async def test_a_fetcher_that_died_is_forgotten_by_the_next_that_lives(bus: Bus) -> None:
    async with present(bus, "living", concurrency=2):
        await dead(bus, "killed|16", 60_000)
        await dead(bus, "silent|16", -1)
        async with present(bus, "new", concurrency=4):
            assert await bus.redis.zrange(bus.keys.fetchers, 0, -1) == [b"living|2", b"new|4", b"killed|16"]
            assert set(await bus.redis.hkeys(bus.keys.fetcher_clocks)) == {b"living|2", b"new|4", b"killed|16"}


async def dead(bus: Bus, member: str, left_ms: int) -> None:
    """A fetcher that ended without a word, and counts as alive for so much longer."""
    await bus.redis.zadd(bus.keys.fetchers, {member: await now_ms(bus) + left_ms})
    await bus.redis.hset(bus.keys.fetcher_clocks, member, 0)
