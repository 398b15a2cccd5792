"""The scheduler's stages share one event loop: what takes one of them long does not keep the others from it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from contract.bus import Bus, publish
from contract.commands import CrawlStart
from contract.crawls import CrawlSpec
from contract.pages import Link
from contract.topology import DISCOVER
from scheduler.discover import discover
from scheduler.pace import Turn
from scheduler.report import counts, waiting
from scheduler.seed import seed
from scheduler.settle import settle
from tests.builders import make_message, page_failed, page_parsed

#: Takes RE2 some 0.01 s for a URL as long as the links of `page`.
SLOW = r"(?:[a-z]{1,30}){1,30}X"


@contextlib.asynccontextmanager
async def running(bus: Bus, *stages: Any) -> AsyncIterator[None]:
    """These stages on one loop, cut short at the end."""
    stop, woken = asyncio.Event(), asyncio.Event()
    tasks = [asyncio.create_task(stage(bus, stop, woken)) for stage in stages]
    yield
    stop.set()  # redis-py may lose a cancellation
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def begun(bus: Bus, crawl: str, **spec: Any) -> None:
    """A crawl of one URL."""
    command = CrawlStart(spec=CrawlSpec(name=crawl, scope="any", **spec), seeds=(f"http://{crawl}.test/",))
    await publish(bus, make_message(command, crawl=crawl))
    while not (await counts(bus, crawl))["discovered"]:
        await asyncio.sleep(0.002)


async def read(bus: Bus, *, pages: int, links: int) -> None:
    """So many pages of the crawl `slow` were read, with so many links each."""
    for page in range(pages):
        found = tuple(Link(f"http://slow.test/{page}/{n}/" + "a" * 1_900) for n in range(links))
        await publish(bus, page_parsed(f"http://slow.test/{page}", crawl="slow", links=found))


async def judged(bus: Bus) -> int:
    """Links that are known."""
    return (await counts(bus, "slow"))["discovered"] - 1


async def held(bus: Bus) -> int:
    """Pages in the hands of `discover`."""
    return (await waiting(bus))[DISCOVER.name].pending


async def test_outcomes_of_a_crawl_are_settled_while_links_of_another_are_judged(bus):
    async with running(bus, seed, discover, settle):
        await begun(bus, "slow", deny=(SLOW,))
        await begun(bus, "quick")
        await read(bus, pages=1, links=500)
        while not await held(bus):
            await asyncio.sleep(0.002)

        await publish(bus, page_failed("http://quick.test/", crawl="quick", retryable=False))
        while not (await counts(bus, "quick"))["failed"]:
            await asyncio.sleep(0.002)

        assert (await held(bus), await judged(bus)) == (1, 0)


async def test_who_is_asked_to_stop_gives_back_the_pages_whose_links_are_not_judged_yet(bus):
    async with running(bus, seed):
        await begun(bus, "slow", deny=(SLOW,))
        await read(bus, pages=30, links=3)
        stop = asyncio.Event()
        discovering = asyncio.create_task(discover(bus, stop, asyncio.Event()))
        while not await judged(bus):
            await asyncio.sleep(0.002)
        stop.set()
        await discovering

    assert 0 < (left := await held(bus)) < 30
    assert await judged(bus) == 3 * (30 - left)


async def test_others_have_their_turn_between_things_that_take_long_to_make():
    steps: list[str] = []
    turn = Turn()

    def made() -> Iterator[int]:
        for number in range(2):
            steps.append(f"made {number}")
            while not turn.is_over:  # the first one takes the whole turn
                pass
            yield number

    async def other() -> None:
        steps.append("other")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(other())
        assert await turn.made(made()) == [0, 1]

    assert steps == ["made 0", "other", "made 1"]
