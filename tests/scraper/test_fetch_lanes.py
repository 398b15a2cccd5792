"""What a worker that died had in hand is fetched soon, and nothing is given up for what another job did."""

import asyncio
import contextlib
import random
from collections import Counter

import msgspec
import pytest

from contract import codec
from contract.bus import Consumer, publish
from contract.bus.consumer import DELIVERY_LIMIT
from contract.bus.leases import end_leases
from contract.commands import PageFetch
from contract.crawls import CrawlSpec
from contract.envelope import new_message
from contract.settings import Settings
from contract.topology import FETCH
from scraper.fetch import Fetcher, when_buried
from scraper.fetchers.lanes import LANES, Lanes
from scraper.http.client import Client
from tests.scraper.raw_server import answer, raw_server

CRAWL = "20261123-120000-abcdef"


class Hospital:
    """A site whose `bad` pages end the worker that asks for them; `slow` ones take their time, some hang."""

    def __init__(self):
        self.asked, self.death, self.healed = Counter(), asyncio.Event(), asyncio.Event()
        self.in_flight = 0

    async def serve(self, server, reader, writer):
        path = server.requests[-1].split()[1].decode()
        self.asked[path] += 1
        self.in_flight += 1
        try:
            if path.startswith("/bad"):
                self.death.set()
            if path.startswith("/slow"):
                await asyncio.sleep(0.2)
            if path.startswith(("/bad", "/hangs")):
                await self.healed.wait()
            writer.write(answer())
            await writer.drain()
        finally:
            self.in_flight -= 1


@contextlib.asynccontextmanager
async def hospital():
    site = Hospital()

    async def serve(reader, writer):
        await site.serve(server, reader, writer)

    async with raw_server(serve) as server:
        site.url = server.url
        yield site


async def issue(bus, site, paths):
    """Jobs of a crawl without delays."""
    spec = msgspec.json.encode(CrawlSpec(name="x", delay_seconds=0, obey_robots=False))
    await bus.redis.hset(bus.keys.crawl(CRAWL), mapping={"state": "running", "spec": spec})
    jobs = [PageFetch(url=site.url + path, host=site.url) for path in paths]
    await publish(bus, *(new_message(job, id=f"j.{n}", source="test", crawl=CRAWL) for n, job in enumerate(jobs)))


async def life(bus, url, site, concurrency, **changes):
    """A worker from its start to its death, or until all is done (True). What it held is free at once."""
    settings = Settings(redis_url=url, allow_private=True, concurrency=concurrency, deadline_seconds=60)
    consumer = Consumer(bus, FETCH, when_buried=when_buried, counts_late=True)
    async with Client(settings) as client:
        fetcher = Fetcher(consumer, client, settings, **changes)
        working = asyncio.create_task(fetcher.run(lambda: False, dry_seconds=0.01, longest_seconds=600))
        dying = asyncio.create_task(site.death.wait())
        async with asyncio.timeout(60):
            await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, dying):
            task.cancel()
        survived, _ = await asyncio.gather(working, dying, return_exceptions=True)
    site.death.clear()
    await end_leases(bus, is_dead=lambda name: name == consumer.name)
    return not isinstance(survived, asyncio.CancelledError)


async def paths(bus, kind):
    """The pages with this outcome."""
    entries = await bus.redis.xrange(bus.keys.stream(kind))
    return sorted("/" + codec.decode(fields[b"e"]).payload.url.rpartition("/")[2] for _, fields in entries)


def ward(seed):
    """Jobs of which some end their worker, in some order; the first story is one of an innocent among the bad."""
    if seed == 0:
        return 2, ["/slow", *(f"/bad{n}" for n in range(DELIVERY_LIMIT))]
    dice = random.Random(seed)
    jobs = [f"/bad{n}" for n in range(dice.randint(1, 4))]
    jobs += [f"/{dice.choice(['slow', 'good'])}{n}" for n in range(dice.randint(4, 12))]
    dice.shuffle(jobs)
    return dice.choice([2, 4, 16]), jobs


@pytest.mark.parametrize("seed", range(4))
async def test_only_jobs_that_end_their_workers_are_given_up(bus, redis_url, seed):
    concurrency, jobs = ward(seed)
    bad = sorted(path for path in jobs if path.startswith("/bad"))
    async with hospital() as site:
        await issue(bus, site, jobs)
        deaths = 0
        while not await life(bus, redis_url, site, concurrency):
            deaths += 1

    assert await paths(bus, "page.fetched") == sorted(set(jobs) - set(bad))
    assert await paths(bus, "page.failed") == bad
    assert await bus.redis.xlen(bus.keys.dead(FETCH.name)) == len(bad)
    assert deaths <= len(bad) * DELIVERY_LIMIT
    assert (await bus.redis.xpending(bus.keys.stream("page.fetch"), FETCH.name))["pending"] == 0


async def test_hosts_that_hang_after_a_death_do_not_hold_the_others(bus, redis_url):
    hanging = [f"/hangs{n}" for n in range(LANES)]
    good = [f"/good{n}" for n in range(4)]
    async with hospital() as site:
        await issue(bus, site, [*hanging, *good])
        dead = Consumer(bus, FETCH)
        await dead.take(len(hanging) + len(good))
        await end_leases(bus, is_dead=lambda name: name == dead.name)

        living = asyncio.create_task(life(bus, redis_url, site, 16, lane_seconds=0.01))
        async with asyncio.timeout(30):
            while await paths(bus, "page.fetched") != good:
                await asyncio.sleep(0.01)
        assert site.in_flight == LANES  # all of them hang on
        site.healed.set()
        assert await living

    assert await paths(bus, "page.fetched") == sorted([*hanging, *good])
    assert max(site.asked.values()) == 1


async def test_what_waits_for_its_lane_when_its_worker_dies_is_not_blamed(bus, redis_url):
    async with hospital() as site:
        await issue(bus, site, ["/hangs", "/waits"])
        ids = [one.id for one in await Consumer(bus, FETCH).take(2)]
        stream = bus.keys.stream("page.fetch")
        await bus.redis.xclaim(stream, FETCH.name, "dead", 0, ids, idle=60_000, retrycount=2)

        async def die():
            while "dead" in await owners(bus) or not site.asked["/hangs"]:
                await asyncio.sleep(0.01)
            site.death.set()

        dying = asyncio.create_task(die())
        assert not await life(bus, redis_url, site, 16)
        await dying
        counts = [one["times_delivered"] for one in await bus.redis.xpending_range(stream, FETCH.name, "-", "+", 5)]

    assert (counts, site.asked["/waits"]) == ([3, 2], 0)


async def owners(bus):
    """The consumers that hold jobs."""
    found = await bus.redis.xpending_range(bus.keys.stream("page.fetch"), FETCH.name, "-", "+", 50)
    return {one["consumer"].decode() for one in found}


class Beds:
    """Blocks in lanes, each there until it is let go."""

    def __init__(self, **changes):
        self.lanes, self.inside, self.tasks = Lanes(self.handed_over, **changes), [], []
        self.written, self.go = asyncio.Event(), {}
        self.written.set()

    async def handed_over(self):
        await self.written.wait()

    async def enter(self, name, count):
        async def lie():
            async with self.lanes.lane(count):
                self.inside.append(name)
                await self.go[name].wait()
                self.inside.remove(name)

        self.go[name] = asyncio.Event()
        self.tasks.append(asyncio.create_task(lie()))
        await settled()

    async def leave(self, *names):
        for name in names:
            self.go[name].set()
        await settled()


async def settled():
    """Let all that can go on do so: no clock is needed for it."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_eight_are_tried_at_once_that_came_back_once_and_one_that_came_back_twice():
    beds = Beds()
    for n in range(9):
        await beds.enter(f"second {n}", 2)
    for n in range(2):
        await beds.enter(f"third {n}", 3)

    assert beds.inside == [*(f"second {n}" for n in range(8)), "third 0"]
    assert not beds.lanes.take_back
    await beds.leave("second 3", "third 0")
    assert beds.inside[-2:] == ["second 8", "third 1"]
    assert beds.lanes.take_back
    await beds.leave(*beds.go)
    await asyncio.gather(*beds.tasks)


async def test_a_last_delivery_is_alone_from_its_beginning_until_its_outcome_is_in_redis():
    beds = Beds()
    await beds.enter("first", 1)
    await beds.enter("last", DELIVERY_LIMIT)
    assert (beds.inside, beds.lanes.take) == (["first"], False)

    await beds.leave("first")
    assert beds.inside == ["last"]
    beds.written.clear()
    await beds.leave("last")
    assert not beds.lanes.take  # it is done, but Redis does not know it
    beds.written.set()
    await asyncio.gather(*beds.tasks)
    assert beds.lanes.take


async def test_a_last_delivery_waits_for_what_is_done_and_not_in_redis_yet():
    beds = Beds()
    beds.written.clear()
    await beds.enter("last", DELIVERY_LIMIT)
    assert beds.inside == []

    beds.written.set()
    await settled()
    assert beds.inside == ["last"]
    await beds.leave("last")
    await asyncio.gather(*beds.tasks)


async def test_who_is_long_in_its_lane_leaves_it_and_goes_on():
    beds = Beds(seconds=0)
    await beds.enter("hangs", 3)
    await beds.enter("next", 3)
    async with asyncio.timeout(10):
        while beds.inside != ["hangs", "next"]:
            await asyncio.sleep(0)
    await beds.leave("hangs", "next")
    await asyncio.gather(*beds.tasks)
