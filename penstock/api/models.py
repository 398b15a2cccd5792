"""The shapes of what the API answers; its OpenAPI document is made of them. Times are RFC 3339 text in UTC."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.crawls import State

Outcome = Literal["fetched", "failed", "excluded"]
Scope = Literal["host", "domain", "any"]


class Shape(BaseModel):
    """An answer; its optional members are always there, and may be null."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Counts(Shape):
    """Numbers of URLs of a crawl; `bytes` are those of fetched bodies after decoding."""

    discovered: int = 0
    queued: int = 0
    in_flight: int = 0
    fetched: int = 0
    failed: int = 0
    excluded: int = 0
    retried: int = 0
    parsed: int = 0
    items: int = 0
    bytes: int = 0


class Options(Shape):
    """How a crawl behaves, in the words of the command line; `webhook` is only its scheme and host."""

    spider: str | None
    scope: Scope
    delay: float
    per_host: int
    max_pages: int
    max_depth: int
    max_pages_per_host: int
    max_links_per_page: int
    same_body: int
    max_url_length: int
    max_hops: int
    max_attempts: int
    allow: list[str]
    deny: list[str]
    ignore_robots: bool
    max_crawl_delay: float
    robots_patience: float
    give_up_host: float
    detect_encoding: bool
    follow_nofollow: bool
    obey: list[str]
    args: dict[str, str]
    user_agent: str
    webhook: str | None


class Crawl(Shape):
    """A crawl. `version` goes up with each event of its life.

    `complete`: it has finished, and all of it is in SQL. Of a cancelled crawl that is never said, for nobody counted
    what it ends with; its `discovered` are the URLs that something came of.
    """

    id: str
    name: str
    state: State
    complete: bool
    version: int
    seeds: list[str] = Field(description="The first of them.")
    seed_count: int
    options: Options
    started_at: str | None
    finished_at: str | None
    counts: Counts


class Crawls(Shape):
    """A page of crawls, newest first; `next` is the cursor of the following page, null on the last one."""

    crawls: list[Crawl]
    next: str | None


class Page(Shape):
    """What came of a URL. `error` says why a fetched page could not be read."""

    url: str
    host: str
    outcome: Outcome
    status: int | None
    reason: str | None
    detail: str | None
    content_type: str | None
    title: str | None
    depth: int | None
    attempts: int
    bytes: int
    elapsed_ms: int | None
    items: int
    settled_at: str
    error: str | None


class Pages(Shape):
    """A page of pages, latest first."""

    pages: list[Page]
    next: str | None


class Item(Shape):
    """What a spider made of a page."""

    url: str
    type: str
    data: dict[str, Any]
    spider: str
    spider_version: str


class Items(Shape):
    """A page of items, those of the latest page first."""

    items: list[Item]
    next: str | None


class Failure(Shape):
    """A page that could not be fetched, with the reason of its last attempt, or not be read."""

    url: str
    host: str
    reason: str | None
    detail: str | None
    status: int | None
    attempts: int
    failed_at: str


class Failures(Shape):
    """A page of failures, latest first."""

    failures: list[Failure]
    next: str | None


class Host(Shape):
    """A host: what was asked of it, and what politeness knows of it now; null where nothing is known.

    `next_at`, `block_until` and `waits_until` are Unix ms, null: now. `waits_for` says what has to come before anything
    else is asked (`robots`: its robots.txt, which could not be had; `rate_limit`: the moment that it named by 429 or
    Retry-After), `waits_why` what it answered. `gaps_ms` are between the starts of recent requests, newest last;
    `per_second` is over the last minute, or since the crawl's first request where that was later.
    """

    host: str
    requests: int
    errors: int
    bytes: int
    per_second: float | None = None
    latency_ms: float | None = None
    in_flight: int = 0
    next_at: int | None = None
    block_until: int | None = None
    waits_for: str | None = None
    waits_why: str | None = None
    waits_until: int | None = None
    crawl_delay_ms: int | None = None
    robots_verdict: str | None = None
    smallest_gap_ms: int | None = None
    gaps_ms: list[int] = Field(default_factory=list)


class Hosts(Shape):
    """A page of hosts, by name."""

    hosts: list[Host]
    next: str | None


class KnownSpider(Shape):
    """A spider that the server knows, with the seeds that it brings along."""

    name: str
    seeds: list[str]
    version: str


class Spiders(Shape):
    """The spiders that a crawl may name."""

    spiders: list[KnownSpider]


class Health(Shape):
    """It works."""

    status: Literal["ok"] = "ok"


class Session(Shape):
    """Whether a token is asked for, and whether this request has shown it."""

    required: bool
    ok: bool
