"""What a dead letter comes to in the frontier: another attempt, counted once, or a page whose links are added."""

import pytest

from contract import codec
from contract.bus import Bus
from contract.bus.dead_letters import dead_letters, retry
from contract.errors import Refused
from contract.pages import PageExcluded, PageFailed, PageFetched, PageParsed
from contract.topology import FETCH
from scheduler.dead_jobs import is_dead_job, revive
from tests.scheduler.harness import Run, running
from tests.scheduler.web import Answering, Web

A = "http://a.test/"
GONE = Answering(status=410, reason="worker_lost")


async def letter_of(bus: Bus):
    [letter] = [letter async for letter in dead_letters(bus)]
    return letter


async def buried(bus: Bus, run: Run, crawl: str, url: str) -> None:
    """As the fetch stage buries a job: beside the dead letter, a failed page."""
    await run.until(lambda: url in [where for where, _, _ in run.starts])
    jobs = [fields[b"e"] for _, fields in await bus.redis.xrange(bus.keys.stream("page.fetch"))]
    [raw] = [raw for raw in jobs if codec.decode(raw).payload.url == url]
    job = codec.decode(raw)
    fields = {"e": raw, "stream": "page.fetch", "id": "1-1", "reason": "delivered 4 times", "count": 5, "said": 1}
    await bus.redis.xadd(bus.keys.dead(FETCH.name), fields)
    assert job.envelope.crawl == crawl


async def test_a_revived_job_is_asked_for_once_more_and_the_counts_stay_exact(bus):
    web = Web({A: {A + "x", A + "y"}, A + "x": [GONE, ()], A + "y": ()})

    async with running(bus, web) as run:
        run.hold = {A + "y"}
        crawl = await run.start(A)
        await buried(bus, run, crawl, A + "x")
        await run.until(lambda: run.of(PageFailed, crawl))
        letter = await letter_of(bus)
        assert is_dead_job(letter)
        assert await revive(bus, letter)
        assert not await revive(bus, letter)
        await run.until(lambda: len(run.of(PageFetched, crawl)) == 2)
        await run.let_go(A + "y")
        end = await run.finished(crawl)

    assert (end.fetched, end.failed, end.excluded) == (3, 0, 0)
    assert [page.attempt for page in run.of(PageFetched, crawl) if page.url == A + "x"] == [2]


async def test_a_job_of_a_crawl_that_is_over_is_refused_and_stays_a_dead_letter(bus):
    async with running(bus, Web({A: [GONE]})) as run:
        crawl = await run.start(A)
        await buried(bus, run, crawl, A)
        await run.finished(crawl)
        with pytest.raises(Refused, match="over: start one with this URL as its seed: http"):
            await revive(bus, await letter_of(bus))

    assert is_dead_job(await letter_of(bus))


async def test_a_page_that_is_read_after_all_brings_its_links_and_is_not_counted_as_read_twice(bus):
    web = Web({A: {A + "slow", A + "x"}, A + "slow": (), A + "x": {A + "found"}, A + "found": ()})

    async with running(bus, web) as run:
        run.hold = {A + "slow"}
        run.unread = {A + "x"}
        crawl = await run.start(A)
        await run.until(lambda: any(page.error for page in run.of(PageParsed, crawl)))
        await run.drained_of("scheduler.discover")
        run.unread = set()
        assert await retry(bus, await letter_of(bus))
        await run.until(lambda: A + "found" in [page.url for page in run.of(PageFetched, crawl)])
        await run.let_go(A + "slow")
        end = await run.finished(crawl)

    assert (end.fetched, end.failed, end.excluded) == (4, 0, 0)
    assert [page.again for page in run.of(PageParsed, crawl) if page.url == A + "x"] == [False, True]
    assert run.of(PageExcluded, crawl) == []
