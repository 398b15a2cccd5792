"""Crawls as the API shows them: what SQL has of them, and while they go on, the frontier's own state and counts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from contract.crawls import FIELDS, CrawlSpec
from penstock.api.house import House
from penstock.api.models import Counts, Crawl, Options
from penstock.webhooks.targets import receiver_of
from scheduler.report import lives
from storage.read_models import crawl_list
from storage.read_models.crawl_list import ListedCrawl

_OUTCOMES = ("fetched", "failed", "excluded")


async def find(house: House, id: str) -> Crawl | None:
    """The crawl of this id, as it is now."""
    row = await asyncio.to_thread(crawl_list.find, house.engine, id)
    return (await resources(house, [row]))[0] if row else None


async def watched(house: House, *, latest: int) -> list[Crawl]:
    """Every unfinished crawl, and so many of the latest ones, newest first."""
    open_ones, newest = await asyncio.gather(
        asyncio.to_thread(crawl_list.unfinished, house.engine),
        asyncio.to_thread(crawl_list.listed, house.engine, limit=latest),
    )
    rows = {row.id: row for row in [*open_ones, *newest[:latest]]}
    return await resources(house, sorted(rows.values(), key=lambda row: (row.started_at or "", row.id), reverse=True))


async def resources(house: House, rows: Sequence[ListedCrawl]) -> list[Crawl]:
    """These crawls with what the frontier says of those that are not wholly in SQL."""
    asked = [row.id for row in rows if not row.complete]
    found = await lives(house.bus, asked) if asked else {}
    return [_resource(house, row, found.get(row.id, {})) for row in rows]


def _resource(house: House, row: ListedCrawl, live: dict[str, Any]) -> Crawl:
    known = {name: live[name] for name in ("state", "version") if live.get("state")}
    return Crawl(
        id=row.id,
        name=row.name,
        **{"state": row.state, "version": row.version, **known},
        complete=row.complete,
        seeds=row.seeds,
        seed_count=row.seed_count,
        options=_options(house, row.spec),
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=_counts(row, live),
    )


def _counts(row: ListedCrawl, live: dict[str, Any]) -> Counts:
    numbers = {**row.totals, **{name: value for name, value in live.items() if name in Counts.model_fields}}
    if "cancelled" in (row.state, live.get("state")):
        # The frontier counts no more, and SQL goes on with what was in flight: neither steps back, and SQL has the end.
        numbers |= {name: max(numbers[name], row.totals[name]) for name in _OUTCOMES}
        numbers |= {"queued": 0, "in_flight": 0, "discovered": sum(numbers[name] for name in _OUTCOMES)}
    return Counts(**{"discovered": sum(row.totals[name] for name in _OUTCOMES), **numbers})


def _options(house: House, spec: CrawlSpec) -> Options:
    said: dict[str, Any] = {word: getattr(spec, field) for word, field in FIELDS.items() if hasattr(spec, field)}
    said |= {word: list(value) for word, value in said.items() if isinstance(value, tuple)}
    return Options(
        **said,
        spider=_spider_name(house, spec.spider),
        ignore_robots=not spec.obey_robots,
        args=spec.args,
        webhook=receiver_of(spec.webhook or "") or None,
    )


def _spider_name(house: House, reference: str | None) -> str | None:
    """The name under which the server knows the spider, or else the last part of its reference: no paths get out."""
    for name, known in house.spiders.items():
        if known.reference == reference:
            return name
    return reference.replace("\\", "/").rpartition("/")[2] if reference else None
