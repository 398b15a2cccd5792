"""frontier → page.fetch, page.failed, page.excluded, crawl.finished: issue due URLs, as politeness allows.

Owns the rhythm: it runs when something has changed (`woken`), when the next host is due, and at least every
LONGEST_PAUSE_MS, because another scheduler may have changed something. Back-pressure is here: no job is issued while
the streams downstream hold more than the high-water marks, or Redis is nearly full. The tickets that bring Celery's
processes to the work are sent by `scheduler.tickets`.
"""

from __future__ import annotations

import asyncio
import logging

from redis.exceptions import ResponseError

from contract import metrics
from contract.bus import Bus
from contract.bus.scripts import PASSING, passing
from contract.lifetime import happened
from contract.settings import Settings
from contract.topology import DISPATCH
from scheduler.frontier import Frontier
from scheduler.frontier.frontier import Issued
from scheduler.pace import gather
from scheduler.room import Room

log = logging.getLogger(DISPATCH.name)

#: The longest pause between two looks: the price of a change that another process made.
LONGEST_PAUSE_MS = 50
#: The shortest, so that what settles together is dispatched together.
SHORTEST_PAUSE_MS = 2
#: Jobs in flight for each request that a live fetcher can have open: one at work, one waiting.
JOBS_PER_REQUEST = 2
#: Assumed capacity while no fetcher has said hello: enough to give the first ones work.
LEAST_CAPACITY = 64
#: Fewer pages than can wait downstream, so whatever waits there is too much.
_NOTHING = -1
#: Pause while Redis is away.
_AWAY_SECONDS = 0.5


async def dispatch(bus: Bus, settings: Settings, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Issue what is due until asked to stop."""
    frontier, room = Frontier(bus, DISPATCH.name), Room(bus)
    while not stop.is_set():
        metrics.beat(DISPATCH.name)
        try:
            issued = await dispatch_once(frontier, settings, is_scarce=await room.is_scarce())
        except (*PASSING, ResponseError) as error:
            if not passing(error):
                raise
            log.warning("waiting for Redis: %s", error, extra={"action": "redis_away"})
            await asyncio.sleep(_AWAY_SECONDS)
            continue
        _count(issued)
        await _pause(issued, woken)
    metrics.rest(DISPATCH.name)


def _count(issued: Issued) -> None:
    metrics.add("penstock_issued_jobs", amount=issued.count)
    metrics.add("penstock_dispatch_rounds", issued.result)
    metrics.put("penstock_back_pressure", value=issued.held_back)


async def dispatch_once(frontier: Frontier, settings: Settings, *, is_scarce: bool = False) -> Issued:
    """One round: issue what is due, unless room in Redis is scarce, and forget some of what has ended."""
    issued = await frontier.dispatch(
        least_capacity=LEAST_CAPACITY,
        jobs_per_request=JOBS_PER_REQUEST,
        most_waiting=_NOTHING if is_scarce else settings.high_water_pages,
        most_bytes=settings.high_water_bytes,
    )
    if issued.to_forget:
        await frontier.forget()
    return issued


async def _pause(issued: Issued, woken: asyncio.Event) -> None:
    await asyncio.sleep(SHORTEST_PAUSE_MS / 1000)
    await gather(issued.count)
    due = issued.next_due_ms if issued.next_due_ms >= 0 else LONGEST_PAUSE_MS
    await happened(woken, within=min(due, LONGEST_PAUSE_MS) / 1000)
    woken.clear()
