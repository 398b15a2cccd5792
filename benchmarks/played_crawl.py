"""A crawl by the real scheduler on a real server, whose fetcher, parser and recorder are played by the caller.

Each stage works only while it is told to, so that what Redis holds can be looked at between any two of them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any

import msgspec

from benchmarks import pages
from contract.bus import Bus, Consumer, Delivery, HandOver, Keep, publish
from contract.bus.groups import ensure_groups, mark_restored
from contract.bus.janitor import tidy
from contract.commands import CrawlStart
from contract.envelope import new_message
from contract.topology import FETCH, NOTIFY, PARSE, RECORD, Stage
from scheduler.discover import discover
from scheduler.report import backlogs
from scheduler.seed import seed
from scheduler.settle import settle

CRAWL = "20261123-120000-abcdef"
#: A robots.txt of 1 KB.
ROBOTS = "User-agent: *\n" + "".join(f"Disallow: /no/such/folder-{n:02}/\n" for n in range(32))
PAGES_A_ROUND = 200
Made = Callable[[Delivery], HandOver]
Work = Callable[[Bus, asyncio.Event], Coroutine[Any, Any, None]]


async def begin(bus: Bus, **spec: Any) -> None:
    """Start anew, with a crawl of one seed."""
    await bus.redis.flushall()
    await mark_restored(bus, await ensure_groups(bus))
    start = CrawlStart(spec=msgspec.structs.replace(pages.SPEC, **spec), seeds=(pages.url_of(0, 1),))
    await publish(bus, new_message(start, id="start", source="benchmark", crawl=CRAWL))
    async with working(bus, seeding, acking(RECORD), acking(NOTIFY)):
        await drained(bus)
    await tidy(bus)


async def admit(bus: Bus, urls: Sequence[str]) -> None:
    """Let the frontier know these URLs, found on pages that were read before."""
    async with working(bus, discovering, acking(RECORD)):
        for some in parts(urls, PAGES_A_ROUND * pages.LINKS):
            await publish(bus, *(pages.found(CRAWL, links) for links in parts(some, pages.LINKS)))
            await drained(bus)
            await tidy(bus)


def parts(urls: Sequence[str], length: int) -> Iterator[Sequence[str]]:
    """These URLs, so many at a time."""
    return (urls[start : start + length] for start in range(0, len(urls), length))


async def drained(bus: Bus) -> None:
    """Wait until nobody has anything to do but fetchers and parsers."""
    while sum(number for stage, number in (await backlogs(bus)).items() if stage not in (FETCH.name, PARSE.name)):
        await asyncio.sleep(0.005)


async def play(bus: Bus, stage: Stage, made: Made) -> None:
    """Be this stage until its streams are dry."""
    async with Consumer(bus, stage) as consumer:
        await work_off(consumer, made)


async def work_off(consumer: Consumer, made: Made) -> None:
    """Finish what there is for this consumer."""
    while deliveries := await consumer.take(PAGES_A_ROUND, block_ms=1):
        await consumer.hand_over_all([made(one) for one in deliveries])


def seeding(bus: Bus, stop: asyncio.Event) -> Coroutine[Any, Any, None]:
    """The stage that begins crawls."""
    return seed(bus, stop, asyncio.Event())


def discovering(bus: Bus, stop: asyncio.Event) -> Coroutine[Any, Any, None]:
    """The stage that adds links."""
    return discover(bus, stop, asyncio.Event())


def settling(bus: Bus, stop: asyncio.Event) -> Coroutine[Any, Any, None]:
    """The stage that frees hosts."""
    return settle(bus, stop, asyncio.Event())


def acking(stage: Stage) -> Work:
    """A stage that is through with everything at once."""

    async def work(bus: Bus, stop: asyncio.Event) -> None:
        async with Consumer(bus, stage) as consumer:
            while not stop.is_set():
                await work_off(consumer, HandOver)
                await asyncio.sleep(0.005)

    return work


@contextlib.asynccontextmanager
async def working(bus: Bus, *stages: Work) -> AsyncIterator[None]:
    """These stages as tasks, for the length of the block."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(stage(bus, stop)) for stage in stages]
        yield
        stop.set()
        for one in running:
            one.cancel()


# -- who is played


def answered(bus: Bus, bodies: Sequence[bytes]) -> Made:
    """The fetcher: robots.txt for who asks for it, else one of the bodies."""

    def answer(delivery: Delivery) -> HandOver:
        job = delivery.payload
        if job.robots:
            message, shared = pages.robots(delivery.envelope, job, ROBOTS)
            return HandOver(delivery, [message], Keep(bus.keys.robots(job.host), shared.stored, shared.life_ms))
        message, kept = pages.fetched(delivery.envelope, job, bodies[int(job.url[-14:-5]) % len(bodies)])
        return HandOver(delivery, [message], Keep(bus.keys.body(message.envelope.id), kept))

    return answer


async def read(bus: Bus, urls: Sequence[str]) -> Made:
    """The parser: the generic extractor, and 80 links that the frontier knows already."""
    names = await bus.redis.keys(bus.keys.body("*"))
    kept = dict(zip(names, await bus.redis.mget(names), strict=True))

    def said(delivery: Delivery) -> HandOver:
        number = int(delivery.payload.url[-14:-5])
        links = [urls[(number + step) % len(urls)] for step in range(pages.LINKS)]
        body = kept[bus.keys.body(delivery.envelope.id).encode()]
        return HandOver(delivery, [pages.parsed(delivery.message, body, links=links)])

    return said


def nothing_new(delivery: Delivery) -> HandOver:
    """A parser that finds nothing."""
    return HandOver(delivery, [pages.nothing(delivery.message)])
