"""Start a crawl in a cluster, show it, and sum it up."""

from __future__ import annotations

import asyncio
import sys
import time

from events.bus import Bus
from events.bus.guards import check_server
from events.commands import Answer
from events.errors import Refused
from events.settings import Settings
from penstock.cluster import Cluster
from penstock.plan import Plan
from penstock.submit import start
from penstock.summary import Summary, summary_of
from penstock.watching import view_for, watch

#: Between two looks whether another crawl still needs the cluster that this command started.
_OTHERS_SECONDS = 0.5


async def follow_crawl(cluster: Cluster, plan: Plan, stop: asyncio.Event, *, began: float) -> Summary:
    """Start the crawl of this plan, or go on with it, and show it until it is over; returns what it came to."""
    settings = cluster.settings
    async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
        if not cluster.is_ours:
            await check_server(bus)
        note = await asyncio.to_thread(_compared, settings, plan)
        answer = await start(bus, plan)
        _say_started(settings, plan, answer, note)
        state = await watch(bus, settings, answer.crawl, plan.spec.name, view_for(settings.progress))
        seconds = time.monotonic() - began
        summary = await asyncio.to_thread(summary_of, settings, answer.crawl, seconds=seconds, state=state.state)
        if cluster.is_ours:
            await _wait_for_others(bus, stop)
            cluster.is_idle = not stop.is_set()
        return summary


def _compared(settings: Settings, plan: Plan) -> str | None:
    if settings.database_url.startswith("sqlite") and not (settings.folder / "penstock.db").exists():
        return None  # nothing was crawled into this folder yet, and SQL takes half a second to import
    from penstock.unfinished import check_same

    return check_same(settings, plan)


def _say_started(settings: Settings, plan: Plan, answer: Answer, note: str | None) -> None:
    if answer.refused:
        raise Refused(answer.refused)
    if settings.progress != "none":
        verb = "going on with" if answer.resumed else "started"
        print(f"penstock: {verb} crawl {answer.crawl} ({plan.spec.name})", file=sys.stderr)
    if answer.resumed and note:
        print(f"penstock: {note}", file=sys.stderr)


async def _wait_for_others(bus: Bus, stop: asyncio.Event) -> None:
    """Other commands may have joined our cluster; it stays until their crawls are over too."""
    told = False
    while not stop.is_set() and await bus.redis.zcard(bus.keys.turns):
        if not told:
            print("penstock: other crawls of this folder still run; waiting for them", file=sys.stderr)
            told = True
        await asyncio.sleep(_OTHERS_SECONDS)
