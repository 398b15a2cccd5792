"""A command that nobody answers is taken back: it does not run by itself when a scheduler comes."""

import asyncio

import pytest

from contract.bus import Consumer
from contract.bus.take_back import take_back
from contract.commands import CrawlCancel, CrawlStart
from contract.crawls import CrawlSpec
from contract.topology import SEED
from penstock.submit import Unanswered, give, new_command
from scheduler.seed import seed

START = CrawlStart(spec=CrawlSpec(name="late"), seeds=("https://a.test/",))


async def scheduled(bus, *, until) -> None:
    """Carry commands out until this one is answered."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(seed(bus, stop, asyncio.Event()))
        await give(bus, until, crawl="other", patience_seconds=30)
        stop.set()


async def test_a_crawl_that_was_refused_as_unanswered_does_not_begin_when_a_scheduler_comes(bus):
    with pytest.raises(Unanswered, match="nothing will come of the command, which was taken back"):
        await give(bus, START, crawl="late", patience_seconds=0)
    await scheduled(bus, until=CrawlStart(spec=CrawlSpec(name="other"), seeds=START.seeds))

    assert await bus.redis.hgetall(bus.keys.names) == {b"other": b"other"}


async def test_of_many_only_the_one_that_was_given_up_is_taken_back(bus):
    with pytest.raises(Unanswered):
        await give(bus, START, crawl="first", patience_seconds=0)
    async with asyncio.TaskGroup() as tasks:
        kept = tasks.create_task(give(bus, START, crawl="kept", patience_seconds=30))
        while not await bus.redis.xlen(bus.keys.stream(START.TYPE)):
            await asyncio.sleep(0)
        with pytest.raises(Unanswered):
            await give(bus, CrawlCancel(), crawl="kept", patience_seconds=0)
        tasks.create_task(scheduled(bus, until=CrawlStart(spec=CrawlSpec(name="other"), seeds=START.seeds)))

    assert kept.result().crawl == "kept"
    assert await bus.redis.hget(bus.keys.crawl("kept"), "state") == b"running"


async def test_one_that_a_scheduler_holds_is_said_to_be_on_its_way(bus):
    async with Consumer(bus, SEED) as dead:
        giving = asyncio.create_task(give(bus, START, crawl="held", patience_seconds=1))
        while not await dead.take(1):
            pass
        with pytest.raises(Unanswered, match=r"may still be carried out: .* penstock cancel held$"):
            await giving
        assert await bus.redis.xlen(bus.keys.stream(START.TYPE)) == 1


async def test_on_a_server_that_was_flushed_there_is_nothing_to_take_back(bus):
    await bus.redis.flushall()

    assert not await take_back(bus, new_command(START, crawl="gone"), SEED)
