"""GET /crawls and /crawls/{id}: what was crawled, and what goes on."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from contract.crawls import State
from penstock.api.cursors import DEFAULT_LIMIT, Cursor, Limit, cursor_of, place_of
from penstock.api.house import TheHouse
from penstock.api.models import Crawl, Crawls
from penstock.api.problems import Trouble, documented
from penstock.api.resources import find, resources
from storage.read_models import crawl_list

router = APIRouter(tags=["crawls"])


async def crawl_id(house: TheHouse, crawl: Annotated[str, Path(description="The crawl's id, or its name.")]) -> str:
    """The id in a path, or that of the newest crawl of this name; raises `Trouble` where there is none."""
    found = await asyncio.to_thread(crawl_list.id_of, house.engine, crawl)
    if found is None:
        raise no_crawl(crawl)
    return found


def no_crawl(crawl: str) -> Trouble:
    """The problem of an id that is not known."""
    return Trouble(404, f"no crawl {crawl[:100]!r}; GET /crawls lists them")


#: What a route writes to be given the id of a crawl that may exist.
CrawlId = Annotated[str, Depends(crawl_id)]


@router.get("/crawls", responses=documented(422))
async def list_crawls(
    house: TheHouse,
    state: Annotated[State | None, Query(description="Only crawls in this state.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Crawls:
    """Crawls, newest first."""
    after = place_of(cursor, tuple[str, str])
    rows = await asyncio.to_thread(crawl_list.listed, house.engine, limit=limit, after=after, state=state)
    shown = rows[:limit]
    last = cursor_of((shown[-1].started_at or "", shown[-1].id)) if len(rows) > limit else None
    found = await resources(house, shown)
    # What SQL has of a state is a moment older than what the frontier says of it.
    return Crawls(crawls=[crawl for crawl in found if state in (None, crawl.state)], next=last)


@router.get("/crawls/{crawl}", responses=documented(404))
async def get_crawl(house: TheHouse, crawl: CrawlId) -> Crawl:
    """One crawl, as it is now."""
    return await known_crawl(house, crawl)


async def known_crawl(house: TheHouse, crawl: str) -> Crawl:
    """The crawl of this id; raises `Trouble` where there is none."""
    found = await find(house, crawl)
    if found is None:
        raise no_crawl(crawl)
    return found
