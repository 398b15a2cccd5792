"""page.parsed → the frontier: links that are in scope and not yet known; the rest ends as page.excluded.

Takes pages that were read, in batches; each page's links and the acknowledgement of its delivery are one script.
"""

from __future__ import annotations

import asyncio

from events.bus import Bus, Consumer, Delivery
from events.bus.scripts import Call, run_all
from events.pages import Link, PageParsed
from events.topology import DISCOVER
from scheduler.crawls import Crawls
from scheduler.frontier import Candidate, Frontier, candidate
from scheduler.scope import Scope
from scheduler.urls import canonical

#: Pages taken at once: small enough that the first links of a crawl are on their way at once.
_BATCH = 100


async def discover(bus: Bus, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Add links until asked to stop; sets `woken` when there may be something to dispatch."""
    frontier, crawls = Frontier(bus, DISCOVER.name), Crawls(bus)
    async with Consumer(bus, DISCOVER) as consumer:
        while not stop.is_set():
            deliveries = await consumer.take(_BATCH)
            if deliveries:
                await run_all(bus.redis, [await _call(frontier, crawls, one) for one in deliveries])
                consumer.forget(deliveries)
                woken.set()


async def _call(frontier: Frontier, crawls: Crawls, delivery: Delivery) -> Call:
    scope = await crawls.scope(delivery.envelope.crawl)
    return frontier.discover(delivery, candidates(scope, delivery.payload) if scope else [])


def candidates(scope: Scope, page: PageParsed) -> list[Candidate]:
    """What the links of a page come to. Links that are not http or https URLs were counted by the parser."""
    return [one for link in page.links if (one := _candidate(scope, page, link))]


def _candidate(scope: Scope, page: PageParsed, link: Link) -> Candidate | None:
    url = canonical(link.url)
    if url is None:
        return None
    depth, hops = (page.depth, page.hops + 1) if link.redirect else (page.depth + 1, 0)
    reason = scope.reason_against(url, depth=depth, hops=hops) or ""
    return candidate(url, depth=depth, hops=hops, via=page.url, reason=reason)
