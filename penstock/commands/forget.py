"""`penstock forget`: crawls that are over, taken out of the record with all that they brought."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
import typer
from redis.exceptions import RedisError
from sqlalchemy import Engine

from contract.bus import Bus
from contract.bus.recorded import Mark, latest_mark
from contract.errors import Refused
from contract.logs import visible
from contract.settings import Settings, load
from penstock.cluster.cluster import running_in
from penstock.commands.recorded import chosen, recorded
from penstock.view.bar import Show, bar
from storage.archive.segments.opening import open_store
from storage.forget import Forgotten, check, count, older_than
from storage.forget import forget as take_out
from storage.read_models import queries
from storage.read_models.queries import CrawlRow
from storage.store.ledger import has_lost

#: A Redis that does not answer for so long is taken for one that cannot be asked.
_ASK_SECONDS = 5.0


def forget(names: Sequence[str], given: dict[str, Any], *, days: float | None, yes: bool, json: bool) -> None:
    """Forget these crawls and those that ended so many days ago; raises `Refused` if one of them is not over."""
    if not names and days is None:
        raise Refused("which crawls? name them, or give --older-than DAYS; `penstock crawls` lists them")
    settings = load(given)
    with recorded(settings) as engine:
        rows = _chosen(engine, [chosen(engine, name, settings).id for name in names], days)
        if not rows:
            return _print_nothing(_forget(engine, settings, []))
        for row in rows:
            check(engine, row.id)
        _ask(rows, yes=yes)
        done = _forget(engine, settings, [row.id for row in rows])
    print(msgspec.json.encode(done).decode()) if json else _print(rows, done)


def _forget(engine: Engine, settings: Settings, ids: Sequence[str]) -> Forgotten:
    total = count(engine, ids)
    store = open_store(settings)
    with bar("forgetting", unit="events") as show:
        show_all = partial(_show, show, total)
        return take_out(engine, store, ids, on_progress=show_all, keep=_may_have_lost(engine, settings))


def _may_have_lost(engine: Engine, settings: Settings) -> bool:
    """Whether SQL lacks what Redis was told is recorded, or there is no Redis to ask."""
    cluster = running_in(settings)
    if cluster is None:
        return True
    try:
        mark = asyncio.run(_mark(cluster))
    except (RedisError, OSError):
        return True
    return mark is None or has_lost(engine, mark)


async def _mark(cluster: Settings) -> Mark | None:
    async with Bus.open(cluster.redis_url, prefix=cluster.prefix) as bus, asyncio.timeout(_ASK_SECONDS):
        return await latest_mark(bus)


def _show(show: Show, total: int, gone: int) -> None:
    show(gone, max(gone, total))


def _chosen(engine: Engine, ids: Sequence[str], days: float | None) -> list[CrawlRow]:
    wanted = {*ids, *(older_than(engine, days) if days is not None else ())}
    return [row for row in queries.crawls(engine) if row.id in wanted]


def _ask(rows: Sequence[CrawlRow], *, yes: bool) -> None:
    if yes:
        return
    for row in rows:
        counts = f"{row.fetched:,} pages, {row.items:,} items"
        print(f"{row.id}  {visible(row.name)}  {row.state} {row.finished_at}  {counts}")
    if not sys.stdin.isatty():
        raise Refused("these would be forgotten for good; if that is meant, say --yes")
    typer.confirm("Forget these for good, with pages, items and archived bodies?", abort=True)


def _print_nothing(done: Forgotten) -> None:
    print("no crawl ended that long ago; nothing to forget")
    if done.deleted:
        print(f"deleted {_segments(len(done.deleted))} that an earlier run had to leave, {done.deleted_bytes:,} bytes")


def _print(rows: Sequence[CrawlRow], done: Forgotten) -> None:
    crawls = "1 crawl" if len(rows) == 1 else f"{len(rows):,} crawls"
    print(f"forgot {crawls}: {done.events:,} events; "
          f"deleted {_segments(len(done.deleted))} of the archive, {done.deleted_bytes:,} bytes")  # fmt: skip
    if done.kept:
        print(f"{_segments(len(done.kept))} may hold bodies of other crawls as well, or be written to, and stay:")
        for name in done.kept:
            print(f"  {name}")


def _segments(number: int) -> str:
    return "1 segment" if number == 1 else f"{number:,} segments"
