"""frontier.restore → frontier, page.excluded, crawl.finished, crawl.cancelled: build the frontier from the record.

Takes the parts of a replay, gives them to the frontier by the same pure functions (canonical URL, scope, retry policy)
by which fresh pages come in. Parts of one step may be worked in by any number of schedulers, in any order, and twice.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable, Iterator

from contract.bus import Bus, Consumer, Delivery
from contract.bus.hand_over import HandOver, hand_over_call
from contract.bus.scripts import Call, run_all
from contract.commands import FrontierRestore, KnownPage
from contract.crawls import CrawlSpec
from contract.errors import PenstockError
from contract.topology import RESTORE
from scheduler.crawls import Crawls
from scheduler.discover import candidates as linked
from scheduler.frontier import Candidate, Frontier
from scheduler.frontier.jobs import Known
from scheduler.politeness import backoff_ms, has_another_attempt
from scheduler.scope import Scope
from scheduler.seed import candidates as planted
from scheduler.seed import canonical_urls
from scheduler.settle import next_attempt
from scheduler.urls import CanonicalURL, canonical, mark_of

log = logging.getLogger(RESTORE.name)

_BATCH = 8
#: Reasons for which a URL was left out of a crawl's queues though its scope has nothing against it.
_ADMITTED = frozenset(("max_pages", "host_pages", "crawl_delay"))


async def restore(bus: Bus, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Work in what is replayed until asked to stop; sets `woken` when there may be something to dispatch."""
    frontier, crawls, chance = Frontier(bus, RESTORE.name), Crawls(bus), random.Random()
    async with Consumer(bus, RESTORE, bury_by=frontier.restore_lost) as consumer:
        while not stop.is_set():
            if deliveries := await consumer.take(_BATCH):
                await run_all(bus.redis, [await _safe_call(frontier, crawls, one, chance) for one in deliveries])
                consumer.forget(deliveries)
                woken.set()


async def _safe_call(frontier: Frontier, crawls: Crawls, delivery: Delivery, chance: random.Random) -> Call:
    try:
        return await _call(frontier, crawls, delivery, chance)
    except PenstockError:
        raise
    except Exception:
        # It has to count as worked in, or no crawl would ever go on.
        log.exception("a part of what is recorded is lost: %s", delivery.envelope.id, extra={"action": "part_lost"})
        return frontier.restore_pages(delivery, [])


async def _call(frontier: Frontier, crawls: Crawls, delivery: Delivery, chance: random.Random) -> Call:
    part: FrontierRestore = delivery.payload
    if part.step == "end":
        return frontier.restore_end(delivery, unread=part.unread)
    if part.step == "crawl":
        assert part.spec is not None, "a crawl has a specification"
        scope = Scope(part.spec)
        return frontier.restore_crawl(delivery, places={scope.place(url) for url in canonical_urls(part.seeds)})
    crawl = delivery.envelope.crawl
    crawls.forget_scope(crawl)  # the last part of the step before may have widened it
    known = (await crawls.scopes([crawl]))[crawl]
    if known is None:  # a part from another world
        return hand_over_call(frontier.bus.keys, RESTORE.name, HandOver(delivery))
    if part.step == "pages":
        return frontier.restore_pages(delivery, list(_pages(part.pages, known.scope.spec, chance)))
    return frontier.restore_links(delivery, _links(known.scope, part))


def _links(scope: Scope, part: FrontierRestore) -> list[Candidate]:
    found = planted(scope, canonical_urls(part.seeds))
    for page in part.links:
        found += linked(scope, page)
    return found


def _pages(pages: Iterable[KnownPage], spec: CrawlSpec, chance: random.Random) -> Iterator[Known]:
    for page in pages:
        if url := canonical(page.url):
            yield known_page(page, url, spec=spec, chance=chance)
        else:
            log.error("a recorded page is passed over: %s", page.url, extra={"action": "page_lost"})


def known_page(page: KnownPage, url: CanonicalURL, *, spec: CrawlSpec, chance: random.Random) -> Known:
    """What a recorded outcome means for the frontier; pure, but for the jitter that `chance` gives."""
    mark = mark_of(url, spec.identity, came_from=page.via if page.hops else None)
    kind, wait_ms, job = str(page.outcome), 0, b""
    if page.outcome == "excluded" and page.attempt == 0 and page.reason not in _ADMITTED:
        kind = "left"
    if page.outcome == "failed" and has_another_attempt(page, max_attempts=spec.max_attempts):
        kind, wait_ms, job = "retry", backoff_ms(page.attempt, chance), next_attempt(page, mark, host=url.host)
    return Known(
        mark=mark,
        host=url.host,
        depth=page.depth,
        kind=kind,
        attempt=page.attempt,
        read=page.read,
        block_until=page.wait_until,
        retry_in_ms=wait_ms,
        job=job,
    )
