"""`penstock crawl`: a cluster if there is none, a crawl in it, a view of it, and the exit status that it deserves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from typing import Any

from sqlalchemy import Engine

from events import codec
from events.bus import Bus
from events.bus.guards import check_server
from events.commands import Answer
from events.crawls import CrawlStarted
from events.errors import Refused
from events.logs import configure_logs
from events.settings import Settings, load
from penstock.cluster import Cluster, one_machine
from penstock.plan import Plan, make_plan
from penstock.seeds import check_reachable, seed_urls
from penstock.submit import start
from penstock.summary import Summary, print_summary, summary_of
from penstock.watching import view_for, watch
from storage import event_store, queries
from storage.database import open_database

log = logging.getLogger("penstock.crawl")

FINISHED, NOTHING_FETCHED, INTERRUPTED = 0, 1, 130
#: Between two looks whether another crawl still needs the cluster that this command started.
_OTHERS_SECONDS = 0.5


def crawl(seeds: list[str], given: dict[str, Any], *, seeds_file: str | None, json: bool) -> int:
    """Run the command; returns the exit status."""
    began = time.monotonic()
    settings = load(given)
    urls = seed_urls(seeds, file=seeds_file)
    plan = _plan(settings, urls)
    return asyncio.run(_crawl(settings, plan, json=json, began=began))


def _plan(settings: Settings, urls: list[str]) -> Plan:
    spider = None
    if settings.spider:
        from scraper.spiders import load_spider

        spider = load_spider(settings.spider)
    if not urls and spider is None and (unfinished := _unfinished(settings)):
        return unfinished
    return make_plan(settings, urls, spider=spider)


def _unfinished(settings: Settings) -> Plan | None:
    """The plan of the crawl that was stopped here: `penstock crawl` alone goes on with it."""
    if not settings.database_url and not (settings.folder / "penstock.db").exists():
        return None
    engine = open_database(settings)
    for row in queries.crawls(engine):
        if row.state in ("running", "paused") and settings.name in (None, row.name):
            stored = event_store.read(engine, types=(CrawlStarted.TYPE,), crawl=row.id)
            return next((_plan_of(one) for one in stored), None)
    return None


def _plan_of(stored: event_store.Stored) -> Plan:
    started: CrawlStarted = codec.decode(stored.raw).payload
    return Plan(started.spec, started.seeds)


async def _crawl(settings: Settings, plan: Plan, *, json: bool, began: float) -> int:
    if not settings.redis_url:
        await check_reachable(list(plan.seeds), allow_private=settings.allow_private)
    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with one_machine(settings) as cluster:
        if cluster.is_ours:
            configure_logs(settings.log_level, to=open(settings.folder / "logs" / "penstock.log", "a"))  # noqa: SIM115
        summary = await _in_cluster(cluster, plan, stop, began=began)
        if summary is None:
            _say_interrupted(plan)
    if summary is None:
        return INTERRUPTED
    print_summary(summary, json=json)
    return FINISHED if summary.fetched else NOTHING_FETCHED


async def _in_cluster(cluster: Cluster, plan: Plan, stop: asyncio.Event, *, began: float) -> Summary | None:
    settings = cluster.settings
    async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
        if not cluster.is_ours:
            await check_server(bus)
        engine = await asyncio.to_thread(open_database, settings)
        task = asyncio.create_task(_start_and_watch(bus, engine, settings, plan, began))
        summary = await _until(task, stop, cluster)
        if summary and cluster.is_ours:
            await _wait_for_others(bus, stop)
    return summary


async def _start_and_watch(bus: Bus, engine: Engine, settings: Settings, plan: Plan, began: float) -> Summary:
    answer = await start(bus, plan)
    _say_started(settings, plan, answer)
    state = await watch(bus, engine, answer.crawl, plan.spec.name, view_for(settings.progress))
    seconds = time.monotonic() - began
    return await asyncio.to_thread(summary_of, engine, answer.crawl, settings, seconds=seconds, state=state.state)


async def _until(task: asyncio.Task[Summary], stop: asyncio.Event, cluster: Cluster) -> Summary | None:
    """The task's result, or None if a person asked to stop; raises what made the cluster fail."""
    stopped = asyncio.create_task(stop.wait())
    failed = cluster.supervisor.failed if cluster.supervisor else asyncio.get_running_loop().create_future()
    await asyncio.wait({task, stopped, failed}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if task.done():
        return task.result()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    if failed.done():
        failed.result()
    return None


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)


async def _wait_for_others(bus: Bus, stop: asyncio.Event) -> None:
    """Other commands may have joined our cluster; it stays until their crawls are over too."""
    told = False
    while not stop.is_set() and await bus.redis.zcard(bus.keys.turns):
        if not told:
            print("penstock: other crawls of this folder still run; waiting for them", file=sys.stderr)
            told = True
        await asyncio.sleep(_OTHERS_SECONDS)


def _say_started(settings: Settings, plan: Plan, answer: Answer) -> None:
    if answer.refused:
        raise Refused(answer.refused)
    if settings.progress != "none":
        verb = "going on with" if answer.resumed else "started"
        print(f"penstock: {verb} crawl {answer.crawl} ({plan.spec.name})", file=sys.stderr)


def _say_interrupted(plan: Plan) -> None:
    print(
        "penstock: stopping; what is in flight is finished first (Ctrl-C again ends it at once, and loses nothing). "
        f"The same command goes on with it: penstock crawl --name {plan.spec.name}",
        file=sys.stderr,
    )
