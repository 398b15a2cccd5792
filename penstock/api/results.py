"""GET /crawls/{id}/pages, /items, /failures: what a crawl has found, page by page, latest first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from penstock.api.crawls import CrawlId, known_crawl
from penstock.api.cursors import DEFAULT_LIMIT, Cursor, Limit, cursor_of, place_of
from penstock.api.house import TheHouse
from penstock.api.models import Failure, Failures, Item, Items, Outcome, Page, Pages
from penstock.api.problems import documented
from storage.read_models import paging
from storage.read_models.paging import Place
from storage.sql.text import clean

router = APIRouter(tags=["results"])

_PROBLEMS = documented(404, 422)
_Host = Annotated[str | None, Query(max_length=2_000, description="As `https://example.com`.")]
_Word = Annotated[str | None, Query(max_length=200)]


@router.get("/crawls/{crawl}/pages", responses=_PROBLEMS)
async def list_pages(
    house: TheHouse,
    crawl: CrawlId,
    outcome: Annotated[Outcome | None, Query()] = None,
    status: Annotated[int | None, Query(ge=100, le=999)] = None,
    host: _Host = None,
    reason: _Word = None,
    text: Annotated[str | None, Query(max_length=200, description="In the URL or the title.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Pages:
    """URLs that have their outcome."""
    await known_crawl(house, crawl)
    after = place_of(cursor, Place)
    wanted = {"outcome": outcome, "status": status, "host": clean(host), "reason": clean(reason), "text": clean(text)}
    rows = await asyncio.to_thread(paging.pages, house.engine, crawl, limit=limit, after=after, **wanted)
    return Pages(pages=[Page(**row) for row in rows[:limit]], next=_next(rows, limit))


@router.get("/crawls/{crawl}/items", responses=_PROBLEMS)
async def list_items(
    house: TheHouse, crawl: CrawlId, type: _Word = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Items:
    """What the spider made of them; of each page by its latest parse."""
    await known_crawl(house, crawl)
    after = place_of(cursor, Place)
    rows = await asyncio.to_thread(paging.items, house.engine, crawl, limit=limit, after=after, type=clean(type))
    return Items(items=[Item(**row) for row in rows[:limit]], next=_next(rows, limit))


@router.get("/crawls/{crawl}/failures", responses=_PROBLEMS)
async def list_failures(
    house: TheHouse,
    crawl: CrawlId,
    reason: _Word = None,
    host: _Host = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Failures:
    """URLs that could not be fetched, or fetched and not read."""
    await known_crawl(house, crawl)
    after = place_of(cursor, Place)
    wanted = {"reason": clean(reason), "host": clean(host)}
    rows = await asyncio.to_thread(paging.failures, house.engine, crawl, limit=limit, after=after, **wanted)
    return Failures(failures=[Failure(**row) for row in rows[:limit]], next=_next(rows, limit))


def _next(rows: Sequence[dict[str, Any]], limit: int) -> str | None:
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    return cursor_of(Place(last["settled_at"], last["key"], last.get("ordinal", 0)))
