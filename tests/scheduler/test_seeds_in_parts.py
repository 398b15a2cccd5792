"""A long list of seeds comes in parts, and none of them is lost, whoever works them in and in whatever order."""

import asyncio
import itertools

import pytest

from contract.commands import CrawlStart, SeedsAdd
from contract.crawls import CrawlFinished, CrawlSpec, new_crawl_id
from penstock.plan import Plan
from penstock.submit import SEEDS_A_MESSAGE, give, start
from tests.scheduler.harness import Run, running
from tests.scheduler.web import Web

SEEDS = [f"http://h{n}.test/" for n in range(4)]
WEB = {url: set() for url in SEEDS}


async def begin(run: Run, *, parts: int) -> str:
    """A crawl of the first seed that is told how many parts follow."""
    spec = CrawlSpec(name="long", delay_seconds=0.0, obey_robots=False)
    crawl = new_crawl_id()
    return (await run.command(CrawlStart(spec=spec, seeds=(SEEDS[0],), more=True, parts=parts), crawl)).crawl


def part(crawl: str, number: int) -> SeedsAdd:
    """One seed; the third says that it is the last."""
    return SeedsAdd(seeds=(SEEDS[number],), last=number == 3, batch=crawl, part=number)


@pytest.mark.parametrize("order", [*itertools.permutations((1, 2, 3)), (3, 3, 1, 3, 2), (1, 1, 1, 3, 2)])
async def test_the_parts_may_be_worked_in_in_any_order_and_twice(bus, order):
    async with running(bus, Web(WEB)) as run:
        crawl = await begin(run, parts=3)
        answers = [await run.command(part(crawl, number), crawl) for number in order]
        end = await run.finished(crawl)

    assert not any(answer.refused for answer in answers)
    assert end.fetched == len(SEEDS)


async def test_a_crawl_waits_for_a_part_that_is_still_under_way(bus):
    async with running(bus, Web(WEB)) as run:
        crawl = await begin(run, parts=3)
        await run.command(part(crawl, 3), crawl)
        await run.command(part(crawl, 3), crawl)
        await run.command(SeedsAdd(seeds=(SEEDS[2],), batch="another", part=1), crawl)
        assert not run.of(CrawlFinished)
        assert not run.starts
        await run.command(part(crawl, 1), crawl)
        await run.command(part(crawl, 2), crawl)
        assert (await run.finished(crawl)).fetched == len(SEEDS)


async def test_two_schedulers_lose_no_part(bus):
    async with running(bus, Web(WEB), schedulers=2) as run:
        for _ in range(10):
            crawl = await begin(run, parts=3)
            answers = await asyncio.gather(*(_given(run, crawl, number) for number in (3, 2, 1)))
            assert (await run.finished_now(crawl)).fetched == len(SEEDS)
            assert answers == [None, None, None]


async def test_who_asks_again_after_a_wipe_between_two_parts_sends_them_all(bus):
    spec = CrawlSpec(name="long", delay_seconds=0.0, obey_robots=False)
    async with running(bus, Web(WEB)) as run:
        crawl = await begin(run, parts=3)
        await bus.redis.hdel(bus.keys.crawl(crawl), "batch", "parts")  # what a rebuilt crawl lacks
        await bus.redis.hset(bus.keys.crawl(crawl), "hold", 0)
        again = await run.command(CrawlStart(spec=spec, seeds=(SEEDS[0],), more=True, fresh=True, parts=3), crawl)
        held = await bus.redis.hget(bus.keys.crawl(crawl), "hold")
        for number in (1, 2, 3):
            await run.command(part(crawl, number), crawl)
        end = await run.finished(crawl)
        await bus.redis.hdel(bus.keys.crawl(crawl), "batch", "parts")
        late = await run.command(CrawlStart(spec=spec, seeds=(SEEDS[0],), more=True, fresh=True, parts=3), crawl)

    assert (again.resumed, again.refused, held) == (True, None, b"3")
    assert end.fetched == len(SEEDS)
    assert late.refused == "the crawl was rebuilt before all of its seeds came, and is finished"


async def _given(run: Run, crawl: str, number: int) -> str | None:
    return (await give(run.bus, part(crawl, number), crawl=crawl)).refused


async def test_who_sends_seeds_hears_that_some_were_refused(bus):
    seeds = tuple(f"http://h.test/{n}" for n in range(2 * SEEDS_A_MESSAGE + 1))
    async with running(bus, Web({})) as run:
        sending = asyncio.create_task(start(bus, Plan(CrawlSpec(name="long"), seeds)))
        while not (known := await bus.redis.hget(bus.keys.names, "long")):
            await asyncio.sleep(0.001)
        await run.cancel(known.decode())
        answer = await sending

    assert answer.refused
    assert answer.refused.endswith("on were refused: the crawl is cancelled and takes no more seeds")
    assert not run.starts
