"""Start a crawl in a cluster, show it, and sum it up."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from functools import partial

from contract.bus import Bus
from contract.bus.dead_letters import Filter, dead_letters
from contract.bus.guards import check_server
from contract.commands import Answer
from contract.errors import Refused
from contract.settings import Settings
from contract.topology import NOTIFY, RECORD
from penstock.cluster import Cluster
from penstock.plan import Plan
from penstock.submit import start
from penstock.summary import Summary, summary_of
from penstock.view.state import CrawlState
from penstock.watching import view_for, watch
from penstock.webhooks.sender import DEADLINE_SECONDS
from scheduler.report import backlogs

#: A scheduler answers within a second; who hears nothing for so long is told where to look.
_SILENT_SECONDS = 5.0
#: Between two looks whether another crawl still needs the cluster that this command started.
_OTHERS_SECONDS = 0.5
#: A cluster without a crawl stays this long for webhooks: one attempt, and the event's way to it.
WEBHOOKS_SECONDS = DEADLINE_SECONDS + 2.0
_WEBHOOKS_LOOK_SECONDS = 0.02


async def follow_crawl(cluster: Cluster, plan: Plan, stop: asyncio.Event, *, began: float) -> Summary:
    """Start the crawl of this plan, or go on with it, and show it until it is over; returns what it came to."""
    settings = cluster.settings
    async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
        if not cluster.is_ours:
            await check_server(bus)
        note = await asyncio.to_thread(_compared, settings, plan)
        with _said_if_nobody_answers(cluster):
            answer = await start(bus, plan)
        _say_started(settings, plan, answer, note)
        state = await watch(bus, settings, answer.crawl, plan.spec.name, view_for(settings.progress))
        summary = await _summary(bus, settings, state, seconds=time.monotonic() - began)
        if cluster.is_ours:
            await _wait_for_others(bus, stop, but=answer.crawl)
            if plan.spec.webhook:
                await _wait_for_webhooks(bus, stop)
            cluster.is_idle = not stop.is_set()
        return summary


@contextlib.contextmanager
def _said_if_nobody_answers(cluster: Cluster) -> Iterator[None]:
    """A cluster that is ours has a scheduler; of another one nobody knows."""
    words = "penstock: no answer yet; do `penstock scheduler` and `penstock record` run there?"
    hint = asyncio.get_running_loop().call_later(_SILENT_SECONDS, partial(print, words, file=sys.stderr, flush=True))
    if cluster.is_ours:
        hint.cancel()
    try:
        yield
    finally:
        hint.cancel()


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


async def _summary(bus: Bus, settings: Settings, state: CrawlState, *, seconds: float) -> Summary:
    which = Filter(stage=RECORD.name, crawl=state.crawl)
    lost = 0 if state.complete else len([letter async for letter in dead_letters(bus, which)])
    return await asyncio.to_thread(
        summary_of, settings, state.crawl, seconds=seconds, state=state.state, unrecorded=lost
    )


async def _wait_for_others(bus: Bus, stop: asyncio.Event, *, but: str) -> None:
    """Other commands may have joined our cluster; it stays until their crawls are over too."""
    told = False
    while not stop.is_set() and await others_at_work(bus, but=but):
        if not told:
            print("penstock: other crawls of this folder still run; waiting for them", file=sys.stderr)
            told = True
        await asyncio.sleep(_OTHERS_SECONDS)


async def others_at_work(bus: Bus, *, but: str) -> set[str]:
    """The ids of crawls that are not over."""
    return {crawl.decode() for crawl in await bus.redis.zrange(bus.keys.turns, 0, -1)} - {but}


async def _wait_for_webhooks(bus: Bus, stop: asyncio.Event) -> None:
    """Let the last events reach their receivers before the cluster ends; one that does not answer is not waited for."""
    deadline = time.monotonic() + WEBHOOKS_SECONDS
    while not stop.is_set() and (await backlogs(bus))[NOTIFY.name]:
        if time.monotonic() > deadline:
            print(
                "penstock: a webhook has not been taken yet; it is posted again when penstock runs here next",
                file=sys.stderr,
            )
            return
        await asyncio.sleep(_WEBHOOKS_LOOK_SECONDS)
