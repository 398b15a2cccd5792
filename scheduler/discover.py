"""page.parsed → frontier, page.excluded, crawl.finished: add links that are in scope and not yet known.

Takes pages that were read, in batches; each page's links and the acknowledgement of its delivery are one script. How
long it takes to judge links is up to whoever wrote the crawl's patterns, so other stages have their turns meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence

from contract.bus import Bus, Consumer, Delivery
from contract.bus.scripts import Call, run_all
from contract.commands import KnownLinks
from contract.concerning import concerning
from contract.pages import Link, PageParsed
from contract.topology import DISCOVER
from scheduler.crawls import Crawls, Known
from scheduler.frontier import Candidate, Frontier, candidate
from scheduler.frontier.frontier import SCOPE_HAS_GROWN
from scheduler.pace import Turn, gather
from scheduler.scope import Scope
from scheduler.urls import canonical

log = logging.getLogger(DISCOVER.name)

#: Pages taken at once: small enough that the first links of a crawl are on their way at once.
_BATCH = 100


async def discover(bus: Bus, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Add links until asked to stop; sets `woken` when there may be something to dispatch."""
    frontier, crawls = Frontier(bus, DISCOVER.name), Crawls(bus)

    def bury(delivery: Delivery, reason: str) -> Call:
        kind = "" if delivery.payload.again or delivery.again else "read"
        return frontier.give_up(delivery, reason, host=delivery.payload.host, kind=kind)

    async with Consumer(bus, DISCOVER, bury_by=bury) as consumer:
        while not stop.is_set():
            deliveries = await consumer.take(_BATCH)
            taken = len(deliveries)
            while deliveries and not stop.is_set():
                consumer.forget(await _add_some(bus, frontier, crawls, deliveries))
                deliveries = [one for one in deliveries if consumer.holds(one)]
                woken.set()
            if taken:
                await gather(taken)


async def _add_some(bus: Bus, frontier: Frontier, crawls: Crawls, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Add the links of the first of these pages, as many as can be judged in a turn; the pages that are done."""
    scopes = await crawls.scopes(one.envelope.crawl for one in deliveries)
    calls, turn = list[Call](), Turn()
    for one in deliveries:
        calls.append(await _call(frontier, one, scopes[one.envelope.crawl], turn))
        if turn.is_over:
            break
    done = []
    for one, new in zip(deliveries, await run_all(bus.redis, calls), strict=False):
        if new == SCOPE_HAS_GROWN:
            crawls.forget_scope(one.envelope.crawl)
        else:
            done.append(one)
    return done


async def _call(frontier: Frontier, delivery: Delivery, known: Known | None, turn: Turn) -> Call:
    if known is None:
        return frontier.discover(delivery, [], places="")
    with concerning(DISCOVER.name, delivery.message):
        found = await _found(known.scope, delivery.payload, turn)
    return frontier.discover(delivery, found, places=known.places)


async def _found(scope: Scope, page: PageParsed, turn: Turn) -> list[Candidate]:
    try:
        return await turn.made(candidates(scope, page))
    except Exception:
        # The page has to count as read, or its crawl would never end.
        log.exception("the links of a page are lost: %s", page.url, extra={"action": "links_lost"})
        return []


def candidates(scope: Scope, page: PageParsed | KnownLinks) -> Iterator[Candidate]:
    """What the links of a page come to. Links that are not http or https URLs were counted by the parser."""
    return (one for link in page.links if (one := _candidate(scope, page, link)))


def _candidate(scope: Scope, page: PageParsed | KnownLinks, link: Link) -> Candidate | None:
    url = canonical(link.url)
    if url is None:
        return None
    depth, hops = (page.depth, page.hops + 1) if link.redirect else (page.depth + 1, 0)
    reason = scope.reason_against(url, depth=depth, hops=hops) or ""
    chain = page.chain if link.redirect and isinstance(page, PageParsed) else ()
    identity = scope.spec.identity
    return candidate(url, identity=identity, depth=depth, hops=hops, via=page.url, reason=reason, chain=chain)
