"""crawl.*, seeds.add → frontier, crawl.*, seeds.added, page.excluded: plant seeds; pause, resume and cancel crawls.

Takes commands one at a time, in the order of their stream. Each answers on a list of its own, so that who sent it
learns which crawl it speaks of, or why it was refused. Owns nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence

from contract.bus import Bus, Consumer, Delivery
from contract.bus.groups import is_restored
from contract.bus.scripts import Call, patiently, run_all
from contract.commands import CrawlCancel, CrawlPause, CrawlResume, CrawlStart, SeedsAdd
from contract.crawls import CrawlSpec, check_spec
from contract.errors import Refused
from contract.topology import SEED
from scheduler.crawls import Crawls
from scheduler.frontier import Candidate, Frontier, candidate
from scheduler.frontier.frontier import NOT_YET
from scheduler.pace import Turn
from scheduler.patterns import check_patterns
from scheduler.scope import Scope
from scheduler.urls import CanonicalURL, canonical

#: `seeds.add` may overtake the `crawl.start` that it belongs to (two streams); it waits this long for it.
_PATIENCE_SECONDS, _LOOK_SECONDS = 1.0, 0.02
#: Crawl ids are part of keys and of messages worded in Lua.
CRAWL_ID = re.compile(r"[\w.-]{1,100}", re.ASCII)
_VERBS = {CrawlPause: "paused", CrawlResume: "resumed", CrawlCancel: "cancelled"}


async def seed(bus: Bus, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Carry out commands until asked to stop; sets `woken` when there may be something to dispatch."""
    frontier, crawls = Frontier(bus, SEED.name), Crawls(bus)
    async with Consumer(bus, SEED) as consumer:
        while not stop.is_set():
            for delivery in await consumer.take(1):
                while not stop.is_set() and not await _carry_out(bus, consumer, frontier, crawls, delivery):
                    await asyncio.sleep(_LOOK_SECONDS)
                woken.set()


async def _carry_out(bus: Bus, consumer: Consumer, frontier: Frontier, crawls: Crawls, delivery: Delivery) -> bool:
    """Carry a command out; False while the frontier is still rebuilt from what is recorded: nothing has happened."""
    if not await patiently(lambda: is_restored(bus)):
        return False
    if await run_all(bus.redis, [await _call(frontier, crawls, delivery)]) == [NOT_YET]:
        return False
    consumer.forget([delivery])
    return True


async def _call(frontier: Frontier, crawls: Crawls, delivery: Delivery) -> Call:
    command = delivery.payload
    if isinstance(command, CrawlStart):
        return await _start(frontier, delivery, command)
    if not isinstance(command, SeedsAdd):
        return frontier.control(delivery, _VERBS[type(command)], expected=command.expected_version)
    spec = await _patiently(crawls, delivery.envelope.crawl)
    if spec is None:
        return frontier.refuse(delivery, "there is no such unfinished crawl")
    scope = Scope(spec)
    urls = canonical_urls(command.seeds)
    return frontier.add(
        delivery,
        seeds=command.seeds,
        expected=command.expected_version,
        last=command.last,
        batch=command.batch,
        part=command.part,
        places={scope.place(url) for url in urls},
        found=await Turn().made(_judged(scope, urls)),
    )


async def _start(frontier: Frontier, delivery: Delivery, command: CrawlStart) -> Call:
    try:
        if not CRAWL_ID.fullmatch(delivery.envelope.crawl):
            raise Refused("a crawl's id is made of letters, digits, `.`, `_` and `-`")
        check_spec(command.spec)
        check_patterns(command.spec)
        scope = Scope(command.spec)
    except Refused as error:
        return frontier.refuse(delivery, str(error))
    urls = canonical_urls(command.seeds)
    return frontier.start(
        delivery,
        spec=command.spec,
        seeds=command.seeds,
        parts=command.parts or int(command.more),
        fresh=command.fresh,
        places={scope.place(url) for url in urls},
        found=await Turn().made(_judged(scope, urls)),
    )


def canonical_urls(seeds: Sequence[str]) -> list[CanonicalURL]:
    """Those of the seeds that are URLs."""
    return [url for text in seeds if (url := canonical(text))]


def candidates(scope: Scope, urls: Sequence[CanonicalURL]) -> list[Candidate]:
    """These seeds as candidates, each with the reason against it if there is one."""
    return list(_judged(scope, urls))


def _judged(scope: Scope, urls: Sequence[CanonicalURL]) -> Iterator[Candidate]:
    for url in urls:
        reason = scope.reason_against(url, depth=0, seed=True) or ""
        yield candidate(url, identity=scope.spec.identity, depth=0, reason=reason)


async def _patiently(crawls: Crawls, crawl: str) -> CrawlSpec | None:
    waited = 0.0
    while (spec := (await crawls.specs([crawl]))[crawl]) is None and waited < _PATIENCE_SECONDS:
        await asyncio.sleep(_LOOK_SECONDS)
        waited += _LOOK_SECONDS
    return spec
