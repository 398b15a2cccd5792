"""frontier → page.fetch, page.excluded, crawl.finished: issue due URLs, host by host, as politeness allows.

Owns the rhythm: it runs when something has changed (`woken`), when the next host is due, and at least every
LONGEST_PAUSE_MS, because another scheduler may have changed something. Back-pressure is here: no job is issued while
the streams downstream hold more than the high-water marks. Also sends tickets to Celery while there is work.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from events.bus import Bus
from events.bus.scripts import passing
from events.settings import Settings
from events.topology import DISPATCH
from scheduler.frontier import Frontier
from scheduler.frontier.frontier import Issued
from scheduler.tickets import Tickets

#: The longest pause between two looks: the price of a change that another process made.
LONGEST_PAUSE_MS = 50
#: The shortest, so that a busy crawl is dispatched in batches instead of one by one.
SHORTEST_PAUSE_MS = 3
#: Jobs in flight for each request that a live fetcher can have open: one at work, one waiting.
JOBS_PER_REQUEST = 2
#: Assumed capacity while no fetcher has said hello: enough to give the first ones work.
LEAST_CAPACITY = 64


async def dispatch(bus: Bus, settings: Settings, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Issue what is due until asked to stop."""
    frontier, tickets = Frontier(bus, DISPATCH.name), Tickets(bus, settings)
    while not stop.is_set():
        issued = await _round(frontier, settings)
        await tickets.offer(working=issued.count > 0 or await _in_flight(bus) > 0)
        await frontier.forget()
        await _pause(issued, woken)


async def _round(frontier: Frontier, settings: Settings) -> Issued:
    capacity = max(LEAST_CAPACITY, await live_capacity(frontier.bus))
    return await frontier.dispatch(
        most_in_flight=capacity * JOBS_PER_REQUEST,
        most_waiting=settings.high_water_pages,
        most_bytes=settings.high_water_bytes,
    )


async def _pause(issued: Issued, woken: asyncio.Event) -> None:
    # A moment first, so that what settles together is dispatched together.
    await asyncio.sleep(SHORTEST_PAUSE_MS / 1000)
    due = issued.next_due_ms if issued.next_due_ms >= 0 else LONGEST_PAUSE_MS
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(woken.wait(), min(due, LONGEST_PAUSE_MS) / 1000)
    woken.clear()


async def live_capacity(bus: Bus) -> int:
    """Requests that all live fetchers together can have open; each says its own as `name|capacity`."""
    try:
        members = await bus.redis.zrangebyscore(bus.keys.fetchers, int(time.time() * 1000), "+inf")
    except Exception as error:
        if not passing(error):
            raise
        return 0
    return sum(int(member.rpartition(b"|")[2] or 0) for member in members)


async def _in_flight(bus: Bus) -> int:
    try:
        return int(await bus.redis.get(bus.keys.in_flight) or 0)
    except Exception as error:
        if not passing(error):
            raise
        return 0
