"""The scheduler as a process: it runs until it is asked to stop, and ends as a whole when one stage fails."""

import asyncio

import pytest

from contract.bus import Bus, publish
from contract.commands import CrawlStart
from contract.crawls import CrawlSpec
from contract.errors import UnsafeServer
from contract.progress import snapshot
from contract.settings import Settings
from contract.topology import FETCH
from scheduler import service
from scheduler.report import backlogs
from scheduler.tickets import offer_tickets
from tests.builders import CRAWL, make_message


async def started(bus: Bus) -> None:
    """A crawl of one host with one seed."""
    spec = CrawlSpec(name="one", obey_robots=False)
    await publish(bus, make_message(CrawlStart(spec=spec, seeds=("http://a.test/",))))


async def test_it_schedules_reports_sends_tickets_and_stops_when_asked(bus, redis_url):
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(Settings(redis_url=redis_url), stop))
    await started(bus)
    while (await snapshot(bus, CRAWL)).get("frontier", {}).get("in_flight") != 1:
        await asyncio.sleep(0.01)
    while not await bus.redis.llen(f"{bus.keys.tickets_prefix}{FETCH.name}"):
        await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 5)

    found = (await snapshot(bus, CRAWL))["frontier"]
    assert (found["state"], found["discovered"], found["queued"], found["unfinished"]) == ("running", 1, 0, 2)
    assert await bus.redis.xlen(bus.keys.stream("page.fetch")) == 1


async def test_it_ends_as_a_whole_when_one_stage_fails(bus, redis_url):
    running = asyncio.create_task(service.run(Settings(redis_url=redis_url), asyncio.Event()))
    await started(bus)
    while not await bus.redis.xlen(bus.keys.stream("page.fetch")):
        await asyncio.sleep(0.01)
    await bus.redis.set(bus.keys.turns, "not a sorted set")

    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(running, 10)


async def test_it_refuses_a_server_that_would_lose_work(bus, redis_url):
    await bus.redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(UnsafeServer):
            await service.run(Settings(redis_url=redis_url), asyncio.Event())
    finally:
        await bus.redis.config_set("maxmemory-policy", "noeviction")


async def test_one_ticket_waits_while_there_is_work_and_none_without(bus, redis_url):
    stop, queue = asyncio.Event(), f"{bus.keys.tickets_prefix}{FETCH.name}"
    offering = asyncio.create_task(offer_tickets(bus, Settings(redis_url=redis_url), stop))
    await asyncio.sleep(0.3)
    assert await bus.redis.llen(queue) == 0
    await bus.redis.set(bus.keys.in_flight, 3)
    for _ in range(2):  # a ticket that was taken is followed by another
        while not await bus.redis.llen(queue):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert await bus.redis.llen(queue) == 1
        await bus.redis.delete(queue)
    stop.set()
    await offering


async def test_a_backlog_is_what_a_stage_has_not_finished(bus):
    assert set((await backlogs(bus)).values()) == {0}

    await started(bus)
    await bus.redis.xreadgroup("scheduler.seed", "dead", {bus.keys.stream("crawl.start"): ">"})
    await started(bus)

    assert (await backlogs(bus))["scheduler.seed"] == 2
