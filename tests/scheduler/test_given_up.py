"""What discover and settle can do nothing with becomes a dead letter, and the crawl ends all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contract.bus import Bus, Consumer
from contract.bus.consumer import DELIVERY_LIMIT
from contract.bus.dead_letters import DeadLetter, dead_letters, drop, retry
from contract.crawls import CrawlFinished
from contract.topology import DISCOVER, SETTLE, Stage
from scheduler.discover import discover
from scheduler.settle import settle
from tests.scheduler.harness import Run, running
from tests.scheduler.web import Answering, Web

A, HOST_A = "http://a.test/", "http://a.test"
#: Where the harness has the stage of its scheduler.
PLACE = {DISCOVER.name: 5, SETTLE.name: 7}
STAGES = {DISCOVER.name: discover, SETTLE.name: settle}


async def ends_its_readers(bus: Bus, stage: Stage) -> None:
    """The first message that this stage takes ends it, as often as is borne."""
    for _ in range(DELIVERY_LIMIT):
        with pytest.raises(ZeroDivisionError):
            await _taken_and_died_of(bus, stage)


async def _taken_and_died_of(bus: Bus, stage: Stage) -> None:
    async with Consumer(bus, stage) as consumer:
        while not await consumer.take(1, block_ms=20):
            pass
        raise ZeroDivisionError


@asynccontextmanager
async def given_up(bus: Bus, run: Run, stage: Stage) -> AsyncIterator[tuple[str, DeadLetter]]:
    """A crawl whose first message ends this stage as often as is borne; then the stage is there again."""
    run.tasks[PLACE[stage.name]].cancel()
    crawl = await run.start(A, max_attempts=1)
    await ends_its_readers(bus, stage)
    working = asyncio.create_task(STAGES[stage.name](bus, run.stop, asyncio.Event()))
    try:
        await run.finished(crawl)
        [letter] = [one async for one in dead_letters(bus)]
        yield crawl, letter
    finally:
        working.cancel()


async def in_flight(bus: Bus) -> tuple[int, int]:
    """Slots of the host that are taken, and jobs of all crawls."""
    of_host = await bus.redis.hget(bus.keys.host(HOST_A), "in_flight")
    return int(of_host or 0), int(await bus.redis.get(bus.keys.in_flight) or 0)


@pytest.mark.parametrize("act", [retry, drop])
@pytest.mark.parametrize(
    ("stage", "answer", "counts"),
    [
        (DISCOVER, {A + "1"}, (1, 0, 0)),  # the link is lost, and comes with the letter
        (SETTLE, {A + "1"}, (2, 0, 0)),
        (SETTLE, Answering(status=404), (0, 1, 0)),
        (SETTLE, Answering(status=503), (0, 1, 0)),
        (SETTLE, Answering(reason="not:robots"), (0, 0, 1)),
    ],
)
async def test_the_crawl_ends_with_exact_counts_and_the_host_is_free(bus, stage, answer, counts, act):
    async with (
        asyncio.timeout(50),
        running(bus, Web({A: answer, A + "1": set()})) as run,
        given_up(bus, run, stage) as (crawl, letter),
    ):
        assert letter.reason == f"delivered {DELIVERY_LIMIT} times without an end"
        assert await in_flight(bus) == (0, 0)
        assert await act(bus, letter)
        await run.drained()
        [end] = run.of(CrawlFinished, crawl)

    assert (end.fetched, end.failed, end.excluded) == counts
    assert await in_flight(bus) == (0, 0)
    assert not [one async for one in dead_letters(bus)]


async def test_links_that_come_with_a_letter_are_found_while_the_crawl_runs(bus):
    async with asyncio.timeout(50), running(bus, Web({A: {A + "1"}, A + "1": set(), A + "2": set()})) as run:
        run.hold = {A + "2"}
        crawl = await run.start(A + "2")
        run.tasks[PLACE[DISCOVER.name]].cancel()
        await run.add(crawl, A)
        await ends_its_readers(bus, DISCOVER)
        working = asyncio.create_task(discover(bus, run.stop, asyncio.Event()))
        while not (letters := [one async for one in dead_letters(bus)]):
            await asyncio.sleep(0.01)
        await retry(bus, letters[0])
        await run.until(lambda: any(url == A + "1" for url, _, _ in run.starts))
        await run.let_go(A + "2")
        end = await run.finished(crawl)
        working.cancel()

    assert end.fetched == 3
