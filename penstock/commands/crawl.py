"""`penstock crawl`: a cluster if there is none, a crawl in it, a view of it, and the exit status that it deserves.

What is wrong with the words of the command is said before anything starts. The stages are started before this process
imports what it needs to watch them, because a person waits for the first page.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from contract.crawls import CrawlSpec
from contract.errors import Refused
from contract.logs import configure_logs
from contract.safe_text import without_credentials
from contract.settings import Settings, load
from penstock.cluster import Cluster, one_machine
from penstock.contact import ask_contact
from penstock.plan import Plan, make_plan, spider_args
from penstock.seeds import check_reachable, seed_urls
from penstock.serving import listen_first, of_no_crawl, served
from penstock.spider_words import SpiderWords
from penstock.stopping import INTERRUPTED, stop_on_signals
from penstock.webhooks.targets import receiver_of

if TYPE_CHECKING:
    from penstock.summary import Summary

#: The other one is of a crawl without one page, or of one that is not over, or not whole, by what is recorded of it.
FINISHED, UNFINISHED = 0, 1
#: So long after its end, who watches the crawl over HTTP is still told of it.
_LINGER_SECONDS = 1.0


def crawl(
    seeds: list[str],
    given: dict[str, Any],
    *,
    seeds_file: str | None,
    json: bool,
    serve: bool,
    args: Sequence[str] = (),
) -> int:
    """Run the command; returns the exit status. Raises `Refused` for what a person must mend."""
    began = time.monotonic()
    settings = load(given)
    if "api_port" in given and not serve:
        raise Refused("--port goes with --serve, which serves the HTTP API while the crawl runs")
    urls = seed_urls(seeds, file=seeds_file)
    said = spider_args(args)
    spider = _spider(settings, said)
    asked = ask_contact(settings, urls or [*spider.seeds] if spider else urls)
    plan = _plan(msgspec.structs.replace(settings, contact=asked), urls, spider, said)
    with listen_first(of_no_crawl(settings)) if serve else contextlib.nullcontext() as listening:
        return asyncio.run(_crawl(settings, plan, listening, json=json, began=began))


def run_plan(settings: Settings, plan: Plan, *, json: bool) -> int:
    """Crawl by a plan that somebody else has made; the exit status. Raises `Refused` for what a person must mend."""
    return asyncio.run(_crawl(settings, plan, None, json=json, began=time.monotonic()))


def _spider(settings: Settings, args: dict[str, str]) -> Any:
    if not settings.spider:
        return None
    from scraper.spiders import load_spider

    return load_spider(settings.spider, args)


def _plan(settings: Settings, urls: list[str], spider: Any, args: dict[str, str]) -> Plan:
    if not urls and spider is None and (unfinished := _unfinished(settings)):
        return unfinished
    return make_plan(settings, urls, spider=spider, args=args)


def _unfinished(settings: Settings) -> Plan | None:
    """The plan of the crawl that was stopped here: `penstock crawl` alone goes on with it."""
    if not settings.database_url and not (settings.folder / "penstock.db").exists():
        return None
    from penstock.unfinished import latest_unfinished

    return latest_unfinished(settings)


async def _crawl(settings: Settings, plan: Plan, listening: socket.socket | None, *, json: bool, began: float) -> int:
    if not settings.redis_url:
        if plan.spec.webhook:
            await check_reachable([receiver_of(plan.spec.webhook)], allow_private=settings.allow_private)
        await check_reachable(list(plan.seeds), allow_private=settings.allow_private)
    stop = stop_on_signals()
    async with one_machine(settings) as cluster:
        if cluster.is_ours:
            configure_logs(settings.log_level, to=open(settings.folder / "logs" / "penstock.log", "a"))  # noqa: SIM115
        words = SpiderWords(settings.folder) if cluster.is_ours and plan.spec.spider else None
        async with _served(cluster, listening):
            summary = await _in_cluster(cluster, plan, stop, began=began)
        if summary is None:
            _say_interrupted(plan.spec, ours=cluster.is_ours)
    for line in words.shown() if words else ():
        print(f"spider: {line}", file=sys.stderr)
    if summary is None:
        return INTERRUPTED
    from penstock.summary import print_summary

    print_summary(summary, json=json)
    return exit_status(summary)


def exit_status(summary: Summary) -> int:
    """What a crawl deserves: only one that is over, wholly recorded, and has got a page has gone well."""
    return FINISHED if summary.pages and summary.is_over and not summary.unrecorded else UNFINISHED


@contextlib.asynccontextmanager
async def _served(cluster: Cluster, listening: socket.socket | None) -> AsyncIterator[None]:
    """Have the API answered inside the block, if a socket is given for it."""
    if listening is None:
        yield
        return
    async with served(cluster, of_no_crawl(cluster.settings), listening):
        yield
        await asyncio.sleep(_LINGER_SECONDS)


async def _in_cluster(cluster: Cluster, plan: Plan, stop: asyncio.Event, *, began: float) -> Summary | None:
    """Start and follow the crawl; None if a person asked to stop. Raises what made the cluster fail."""
    from penstock.following import follow_crawl

    following = asyncio.create_task(follow_crawl(cluster, plan, stop, began=began))
    stopped = asyncio.create_task(stop.wait())
    failed = cluster.supervisor.failed if cluster.supervisor else asyncio.get_running_loop().create_future()
    await asyncio.wait({following, stopped, failed}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if following.done():
        return following.result()
    following.cancel()
    await asyncio.wait({following})
    if failed.done():
        failed.result()
    return None


def _say_interrupted(spec: CrawlSpec, *, ours: bool) -> None:
    words = shlex.join(["penstock", *map(without_credentials, sys.argv[1:])])
    if ours:
        print("penstock: stopping; what is in flight is finished first (Ctrl-C again ends it at once)", file=sys.stderr)
        print(f"penstock: the same command goes on with it: {words}", file=sys.stderr)
        return
    steering = "penstock watch, pause, cancel"
    print(f"penstock: no longer watching; {spec.name} goes on in its cluster ({steering})", file=sys.stderr)
