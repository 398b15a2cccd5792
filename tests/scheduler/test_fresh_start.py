"""A fresh start: a crawl of its own, or none; whoever has its name is left as it is."""

import asyncio

import pytest

from contract.bus import Bus
from contract.commands import Answer, CrawlStart
from contract.crawls import CrawlResumed, CrawlSpec, CrawlStarted, new_crawl_id
from tests.scheduler.harness import Run, running
from tests.scheduler.web import Web

A = "http://a.test/"


async def start_fresh(run: Run, crawl: str) -> Answer:
    """The answer to a fresh start of a crawl named `one`."""
    return await run.command(CrawlStart(spec=CrawlSpec(name="one"), seeds=(A,), fresh=True), crawl)


@pytest.mark.parametrize("state", ["running", "paused"])
async def test_it_is_refused_where_an_unfinished_crawl_has_the_name(bus: Bus, state: str) -> None:
    async with running(bus, Web({A: ()})) as run:
        run.hold = {A}
        first = await run.begin(A, name="one")
        if state == "paused":
            await run.pause(first.crawl)
        before = await bus.redis.hgetall(bus.keys.crawl(first.crawl))
        answer = await start_fresh(run, new_crawl_id())
        after = await bus.redis.hgetall(bus.keys.crawl(first.crawl))
        await run.let_go(A)
        await run.drained()

    assert answer.crawl == first.crawl
    assert answer.refused
    assert f"{first.crawl} is {state}" in answer.refused
    for field in (b"state", b"version", b"hold", b"discovered"):
        assert after[field] == before[field]
    assert len(run.of(CrawlStarted)) == 1
    assert not run.of(CrawlResumed)


async def test_the_same_one_again_is_the_one_that_was_begun(bus: Bus) -> None:
    crawl = new_crawl_id()
    async with running(bus, Web({A: ()})) as run:
        run.hold = {A}
        answers = await asyncio.gather(*(start_fresh(run, crawl) for _ in range(5)))
        await run.let_go(A)
        await run.finished(crawl)

    assert {answer.crawl for answer in answers} == {crawl}
    assert not any(answer.refused for answer in answers)
    assert [answer.resumed for answer in answers].count(False) == 1
    assert len(run.of(CrawlStarted)) == 1
