"""`penstock watch`: a crawl as it goes on, for as long as somebody looks."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

import msgspec

from contract.bus import Bus
from contract.errors import Refused
from contract.settings import Settings, load
from penstock.cluster import running_in
from penstock.commands.recorded import crawl_of
from penstock.summary import print_summary, summary_of
from penstock.view.state import CrawlState
from penstock.watching import states, view_for
from penstock.watching import watch as watch_crawl

INTERRUPTED = 130
#: Of seconds and rates in JSON.
_DIGITS = 3


def watch(crawl: str | None, given: dict[str, Any], *, json: bool) -> int:
    """Watch until the crawl is over; returns the exit status."""
    settings = load(given)
    row = crawl_of(settings, crawl)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_watch(settings, row, json=json))
        return 0
    print("no longer watched; the crawl goes on", file=sys.stderr)
    return INTERRUPTED


async def _watch(settings: Settings, row: Any, *, json: bool) -> None:
    cluster = running_in(settings)
    if cluster is None or row.state in ("finished", "cancelled"):
        if row.state in ("running", "paused"):
            raise Refused(f"crawl {row.id} is not being worked on; go on with: penstock crawl --name {row.name}")
        print_summary(summary_of(settings, row.id, seconds=_seconds(row), state=row.state), json=json)
        return
    async with Bus.open(cluster.redis_url, prefix=cluster.prefix) as bus:
        if not json:
            await watch_crawl(bus, settings, row.id, row.name, view_for(settings.progress))
            return
        async for state in states(bus, settings, row.id, row.name):
            print(_as_json(state), flush=True)


def _as_json(state: CrawlState) -> str:
    return msgspec.json.encode(
        msgspec.structs.replace(
            state,
            seconds=_rounded(state.seconds),
            pages_per_second=_rounded(state.pages_per_second),
            spark=tuple(map(_rounded, state.spark)),
        )
    ).decode()


def _rounded(number: float) -> float:
    return round(number, _DIGITS)


def _seconds(row: Any) -> float:
    from datetime import datetime

    if not (row.started_at and row.finished_at):
        return 0.0
    ended, began = (datetime.fromisoformat(text) for text in (row.finished_at, row.started_at))
    return (ended - began).total_seconds()
