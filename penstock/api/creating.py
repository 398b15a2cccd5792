"""POST /crawls: a crawl is begun, recorded, and answered with; watchers of the list hear of it afterwards.

What a body says is named and checked as on the command line, and goes before the server's own settings, those before
what a spider says. A spider is asked for by its name. Private addresses are for the operator alone to allow.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, BackgroundTasks, Response
from pydantic import BaseModel, ConfigDict, Field

from contract.crawls import (
    DEEPEST,
    LONGEST_DELAY_SECONDS,
    LONGEST_PATIENCE_SECONDS,
    MOST_ATTEMPTS,
    MOST_LINKS,
    Wish,
    new_crawl_id,
)
from contract.errors import Refused
from penstock.api.house import House, TheHouse
from penstock.api.idempotency import IdempotencyKey, reserved
from penstock.api.limits import LONGEST_URL, MOST_SEEDS, Patterns, Seed, Whole
from penstock.api.models import Crawl, Scope
from penstock.api.problems import Trouble, documented
from penstock.api.steering import recorded
from penstock.deny_presets import PRESETS, Preset
from penstock.plan import Plan, make_plan
from penstock.seeds import check_reachable, given_urls
from penstock.submit import start_fresh
from scraper.errors import FetchError
from scraper.http.addresses import check_url

router = APIRouter(tags=["crawls"])


class NewCrawl(BaseModel):
    """A crawl to begin; what is left out is as the server, the spider, or Penstock has it."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    seeds: Annotated[list[Seed], Field(max_length=MOST_SEEDS, description="Left out: the spider's.")] = []
    name: Annotated[str | None, Field(min_length=1, max_length=200, description="Left out: the first host.")] = None
    spider: Annotated[str | None, Field(max_length=200, description="One of GET /spiders.")] = None
    args: Annotated[dict[str, str], Field(max_length=100, description="What the spider finds in `spider.args`.")] = {}
    sitemaps: Annotated[bool | None, Field(description="Begin at the sitemaps of the seeds' hosts too.")] = None
    delay: Annotated[
        float | None, Field(ge=0, le=LONGEST_DELAY_SECONDS, description="Seconds between requests to a host.")
    ] = None
    per_host: Annotated[Whole | None, Field(ge=1, le=10_000, description="Requests in flight to a host.")] = None
    max_pages: Annotated[Whole | None, Field(ge=0, le=10**9, description="0: no bound.")] = None
    max_depth: Annotated[Whole | None, Field(ge=0, le=DEEPEST, description="Links from a seed; 0: no bound.")] = None
    max_pages_per_host: Annotated[Whole | None, Field(ge=0, le=10**9, description="0: no bound.")] = None
    max_links_per_page: Annotated[Whole | None, Field(ge=1, le=MOST_LINKS, description="Of one page.")] = None
    same_body: Annotated[
        Whole | None, Field(ge=0, le=10**9, description="Pages of one body whose links are taken up; 0: all.")
    ] = None
    max_url_length: Annotated[Whole | None, Field(ge=1, le=65_536, description="Longer ones are left out.")] = None
    max_hops: Annotated[Whole | None, Field(ge=0, le=100, description="Redirects in a row.")] = None
    max_attempts: Annotated[Whole | None, Field(ge=1, le=MOST_ATTEMPTS, description="Requests for one URL.")] = None
    scope: Annotated[Scope | None, Field(description="Where links may lead.")] = None
    allow: Annotated[Patterns | None, Field(description="Only URLs that match one of these.")] = None
    deny: Annotated[Patterns | None, Field(description="No URLs that match one of these.")] = None
    deny_preset: Annotated[
        list[Preset] | None, Field(max_length=len(PRESETS), description="Ready patterns, besides `deny`.")
    ] = None
    ignore_robots: bool | None = None
    max_crawl_delay: Annotated[
        float | None, Field(ge=0, le=LONGEST_DELAY_SECONDS, description="Hosts that ask for more seconds are left out.")
    ] = None
    robots_patience: Annotated[
        float | None,
        Field(ge=0, le=LONGEST_PATIENCE_SECONDS, description="Seconds to wait for a robots.txt that cannot be had."),
    ] = None
    give_up_host: Annotated[
        float | None,
        Field(ge=0, le=LONGEST_PATIENCE_SECONDS, description="Seconds to ask a host that refuses every request."),
    ] = None
    detect_encoding: Annotated[bool | None, Field(description="Guess the encoding of pages that declare none.")] = None
    follow_nofollow: Annotated[bool | None, Field(description="Follow the links of pages that ask not to.")] = None
    obey: Annotated[list[Wish] | None, Field(max_length=3, description="What else pages may ask.")] = None
    user_agent: Annotated[str | None, Field(max_length=500)] = None
    webhook: Annotated[str | None, Field(max_length=LONGEST_URL, description="An http or https URL.")] = None


@router.post(
    "/crawls",
    status_code=201,
    responses={
        **documented(400, 403, 409, 413, 415, 422, 503),
        201: {"headers": {"Location": {"description": "The crawl's address.", "schema": {"type": "string"}}}},
    },
)
async def create(
    house: TheHouse, wanted: NewCrawl, response: Response, background: BackgroundTasks, key: IdempotencyKey = None
) -> Crawl:
    """Begin a crawl. With an `Idempotency-Key`, the same request again is answered with the same crawl for a day."""
    plan = await asyncio.to_thread(_plan, house, wanted)
    await check_reachable(list(plan.seeds), allow_private=house.settings.allow_private)
    crawl = await _id(house, wanted, key)
    answer = await start_fresh(house.bus, plan, crawl=crawl, patience_seconds=house.patience_seconds)
    if answer.refused:
        raise _refused(answer.refused, crawl=crawl, other=answer.crawl)
    response.headers["Location"] = f"/crawls/{crawl}"
    # One that was begun before need not be recorded as it is now, only as begun.
    return await recorded(house, crawl, version=1 if answer.resumed else answer.version, background=background)


def _plan(house: House, wanted: NewCrawl) -> Plan:
    """Raises `Refused`, whose `field` names what cannot be used."""
    spider = house.spiders.get(wanted.spider) if wanted.spider is not None else None
    if wanted.spider is not None and spider is None:
        known = ", ".join(sorted(house.spiders)) or "none; the server was started without --spider"
        raise Refused(f"no spider {wanted.spider!r} here; known are: {known}", field="spider")
    check_webhook(house, wanted.webhook)
    said: dict[str, Any] = wanted.model_dump(exclude={"seeds", "spider", "name", "args"}, exclude_none=True)
    said |= {word: tuple(said[word]) for word in ("allow", "deny", "deny_preset", "obey") if word in said}
    reference = spider.reference if spider else None
    settings = msgspec.structs.replace(house.settings, **said, name=wanted.name, spider=reference)
    return make_plan(settings, given_urls(wanted.seeds), spider=spider.spider if spider else None, args=wanted.args)


def check_webhook(house: House, webhook: str | None) -> None:
    """Raise `Refused` for what is no http or https URL, or a private address that the operator has not allowed."""
    if webhook is None:
        return
    try:
        check_url(webhook, allow_private=house.settings.allow_private)
    except FetchError as error:
        raise Refused(f"the webhook cannot be used: {error}", field="webhook") from None


async def _id(house: House, wanted: NewCrawl, key: str | None) -> str:
    """An id for this crawl: with an idempotency key, the same one each time."""
    if key is None:
        return new_crawl_id()
    body = json.dumps(wanted.model_dump(exclude_unset=True), sort_keys=True)
    return await reserved(house.bus, key, body=body, crawl=new_crawl_id())


def _refused(why: str, *, crawl: str, other: str) -> Trouble:
    if other == crawl:
        return Trouble(422, why, word="refused")
    return Trouble(409, why, word="name-in-use", field="name", crawl=other)
