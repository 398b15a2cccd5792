"""Watching over HTTP: progress as server-sent events, and what charts and tables of hosts are made of."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from penstock.api.crawls import CrawlId, known_crawl
from penstock.api.cursors import DEFAULT_LIMIT, Limit
from penstock.api.house import TheHouse
from penstock.api.hub import streams
from penstock.api.hub.crawl import name_of
from penstock.api.hub.feed import follow_feed
from penstock.api.hub.hosts import hosts_of
from penstock.api.hub.messages import END, MEDIA_TYPE, Events
from penstock.api.models import Host, Shape
from penstock.api.problems import documented
from storage.read_models import host_totals
from storage.read_models.timeline import timeline

router = APIRouter(tags=["watching"])

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "Server-sent events."}
}
#: Digits of a position; a longer one is none of ours.
_LONGEST = 18


class Timeline(Shape):
    """A crawl's requests over time, without holes; the last point may still grow."""

    bucket_seconds: int
    points: list[tuple[int, int, int, int | None]] = Field(
        description="Unix time at which it begins, pages fetched, attempts failed, mean ms of a fetched page."
    )


class CrawlHosts(Shape):
    """Hosts of a crawl."""

    hosts: list[Host]


@router.get("/progress", status_code=200, response_class=Events, responses=_EVENTS)
async def watch_crawls(house: TheHouse) -> Response:
    """The unfinished and the latest crawls, after each change: events `crawls`, at most one a second."""
    return Events(streams.crawls(house.hub))


@router.get(
    "/crawls/{crawl}/progress",
    status_code=200,
    response_class=Events,
    responses={**_EVENTS, 204: {"description": "It is over, and you know."}, **documented(404, 422)},
)
async def watch_crawl(
    house: TheHouse,
    crawl: CrawlId,
    detail: Annotated[bool, Query(description="Also its latest pages, and its hosts.")] = False,
    last_event_id: Annotated[str | None, Header(description="The id of the last event that you have.")] = None,
) -> Response:
    """A crawl's progress: events `progress`, with `detail` also `pages` and `hosts`, and last of all `end`.

    First comes how it stands, then each change, at most ten a second. With `detail`, ids are positions, and who comes
    back with the last one is told every page since, however many. A watcher that stays, while more pages come between
    two messages than are held (500, and 100 excluded ones), is told in `left_out` how many those were;
    `GET /crawls/{crawl}/pages` has them. `end` has the counts that SQL has; who has heard it is answered 204.
    """
    if last_event_id == END:
        return Response(status_code=204)
    name = name_of(house.hub, crawl) or (await known_crawl(house, crawl)).name
    if detail:
        return Events(streams.details(house.hub, crawl, name, _position(last_event_id)))
    return Events(streams.progress(house.hub, crawl, name))


def _position(id: str | None) -> int | None:
    return int(id) if id and id.isascii() and id.isdigit() and len(id) <= _LONGEST else None


@router.get("/crawls/{crawl}/timeline", responses=documented(404))
async def get_timeline(house: TheHouse, crawl: CrawlId) -> Timeline:
    """A crawl's requests over time, in at most 600 points."""
    await known_crawl(house, crawl)
    found = await asyncio.to_thread(timeline, house.engine, crawl)
    return Timeline(**msgspec.structs.asdict(found))


@router.get("/crawls/{crawl}/hosts", responses=documented(404, 422))
async def list_crawl_hosts(
    house: TheHouse,
    crawl: CrawlId,
    order: Annotated[Literal["busiest", "slowest"], Query(description="Which come first.")] = "busiest",
    limit: Limit = DEFAULT_LIMIT,
) -> CrawlHosts:
    """The hosts of a crawl that most is asked of, or whose pages took longest of late."""
    name = name_of(house.hub, crawl) or (await known_crawl(house, crawl)).name
    async with follow_feed(house.hub, crawl, name) as feed:
        await feed.is_ready.wait()
        names = feed.paces.busiest(limit) if order == "busiest" else feed.paces.slowest(limit)
        if order == "busiest" and len(names) < limit:
            totals = await asyncio.to_thread(host_totals.busiest, house.engine, crawl, limit=limit)
            names = list(dict.fromkeys([*names, *(each.host for each in totals)]))[:limit]
        return CrawlHosts(hosts=await hosts_of(house, crawl, names, feed.paces))
