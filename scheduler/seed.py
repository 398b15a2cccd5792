"""crawl.start, seeds.add, crawl.pause, crawl.resume, crawl.cancel → the frontier, and an event that says so.

Takes commands one at a time, in the order of their stream. Each answers on a list of its own, so that who sent it
learns which crawl it speaks of. Owns nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from events.bus import Bus, Consumer, Delivery
from events.bus.scripts import Call, run_all
from events.commands import CrawlCancel, CrawlPause, CrawlResume, CrawlStart, SeedsAdd
from events.topology import SEED
from scheduler.crawls import Crawls
from scheduler.frontier import Candidate, Frontier, candidate
from scheduler.scope import Scope
from scheduler.urls import canonical

#: `seeds.add` may overtake the `crawl.start` that it belongs to (two streams); it waits this long for it.
_PATIENCE_SECONDS, _LOOK_SECONDS = 10.0, 0.05
_VERBS = {CrawlPause: "paused", CrawlResume: "resumed", CrawlCancel: "cancelled"}


async def seed(bus: Bus, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Carry out commands until asked to stop; sets `woken` when there may be something to dispatch."""
    frontier, crawls = Frontier(bus, SEED.name), Crawls(bus)
    async with Consumer(bus, SEED) as consumer:
        while not stop.is_set():
            for delivery in await consumer.take(1):
                await run_all(bus.redis, [await _call(frontier, crawls, delivery)])
                consumer.forget([delivery])
                woken.set()


async def _call(frontier: Frontier, crawls: Crawls, delivery: Delivery) -> Call:
    command = delivery.payload
    if isinstance(command, CrawlStart):
        found = candidates(Scope(command.spec, command.seeds), command.seeds)
        return frontier.start(delivery, spec=command.spec, seeds=command.seeds, hold=command.more, found=found)
    if isinstance(command, SeedsAdd):
        scope = await _patiently(crawls, delivery.envelope.crawl)
        found = candidates(scope, command.seeds) if scope else []
        return frontier.add(delivery, seeds=command.seeds, part=command.part, last=command.last, found=found)
    return frontier.control(delivery, _VERBS[type(command)])


def candidates(scope: Scope, seeds: Sequence[str]) -> list[Candidate]:
    """The seeds that are URLs, each with the reason against it if there is one."""
    urls = [url for text in seeds if (url := canonical(text))]
    return [candidate(url, depth=0, reason=scope.reason_against(url, depth=0, seed=True) or "") for url in urls]


async def _patiently(crawls: Crawls, crawl: str) -> Scope | None:
    waited = 0.0
    while (scope := await crawls.scope(crawl)) is None and waited < _PATIENCE_SECONDS:
        await asyncio.sleep(_LOOK_SECONDS)
        waited += _LOOK_SECONDS
    return scope
