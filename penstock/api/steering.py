"""POST /crawls/{id}/pause, /resume, /cancel, /seeds: a command to a crawl, answered when it is recorded."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks
from pydantic import BaseModel, ConfigDict, Field
from redis.exceptions import RedisError

from contract.commands import CrawlCancel, CrawlPause, CrawlResume, SeedsAdd
from contract.envelope import Payload
from penstock.api.crawls import CrawlId, known_crawl
from penstock.api.house import House, TheHouse
from penstock.api.limits import MOST_SEEDS_ADDED, Seed, Whole
from penstock.api.models import Crawl
from penstock.api.problems import Trouble, documented
from penstock.seeds import given_urls
from penstock.submit import give, until_recorded

router = APIRouter(tags=["crawls"])
log = logging.getLogger("penstock.api")

_PROBLEMS = documented(400, 403, 404, 409, 413, 415, 422, 503)
#: Of a crawl; no crawl comes to more.
_Version = Annotated[
    Whole | None, Field(ge=0, le=2**53, description="Refuse unless the crawl is at this version; left out: any.")
]


class Steering(BaseModel):
    """What a command to a crawl may say."""

    model_config = ConfigDict(strict=True, extra="forbid")
    expected_version: _Version = None


class MoreSeeds(Steering):
    """Seeds to add to a crawl."""

    seeds: Annotated[list[Seed], Field(min_length=1, max_length=MOST_SEEDS_ADDED)]


@router.post("/crawls/{crawl}/pause", responses=_PROBLEMS)
async def pause(house: TheHouse, crawl: CrawlId, background: BackgroundTasks, said: Steering | None = None) -> Crawl:
    """Issue no further page until it is resumed."""
    return await _steer(house, crawl, CrawlPause(_version(said)), background)


@router.post("/crawls/{crawl}/resume", responses=_PROBLEMS)
async def resume(house: TheHouse, crawl: CrawlId, background: BackgroundTasks, said: Steering | None = None) -> Crawl:
    """Go on with a paused crawl."""
    return await _steer(house, crawl, CrawlResume(_version(said)), background)


@router.post("/crawls/{crawl}/cancel", responses=_PROBLEMS)
async def cancel(house: TheHouse, crawl: CrawlId, background: BackgroundTasks, said: Steering | None = None) -> Crawl:
    """End it at once; what it has found stays."""
    return await _steer(house, crawl, CrawlCancel(_version(said)), background)


@router.post("/crawls/{crawl}/seeds", responses=_PROBLEMS)
async def add_seeds(house: TheHouse, crawl: CrawlId, background: BackgroundTasks, more: MoreSeeds) -> Crawl:
    """Add seeds to an unfinished crawl; their hosts come into its scope."""
    await known_crawl(house, crawl)
    urls = await asyncio.to_thread(given_urls, more.seeds)
    command = SeedsAdd(seeds=tuple(urls), expected_version=more.expected_version)
    return await _steer(house, crawl, command, background)


def _version(said: Steering | None) -> int | None:
    return said.expected_version if said else None


async def _steer(house: House, crawl: str, command: Payload, background: BackgroundTasks) -> Crawl:
    await known_crawl(house, crawl)
    answer = await give(house.bus, command, crawl=crawl, patience_seconds=house.patience_seconds)
    if answer.refused:
        raise Trouble(409, answer.refused, word="refused", crawl=crawl)
    return await recorded(house, crawl, version=answer.version, background=background)


async def recorded(house: House, crawl: str, *, version: int, background: BackgroundTasks) -> Crawl:
    """The crawl when this version of it is in SQL, so that who changed it reads the change; watchers hear of it later.

    Raises `Trouble` where nobody records.
    """
    if not await until_recorded(house.engine, crawl, version, patience_seconds=house.patience_seconds):
        detail = f"it is done, but not recorded yet; does `penstock record` run? Look again at /crawls/{crawl}"
        raise Trouble(503, detail, word="unavailable", crawl=crawl)
    background.add_task(announce, house, crawl)
    return await known_crawl(house, crawl)


async def announce(house: House, crawl: str) -> None:
    """Tell watchers of the list of crawls that this one has begun, or was steered; a hint, which may get lost."""
    try:
        await house.bus.redis.publish(house.bus.keys.news, crawl)
    except RedisError as error:
        log.debug("nobody was told of crawl %s: %s", crawl, error)
