"""What a crawl is: its specification, and the events of its life."""

import secrets
from datetime import UTC, datetime
from typing import ClassVar, Literal

import msgspec

from events.envelope import Payload

#: What robots.txt groups are matched against, and what a site's owner finds in the log.
DEFAULT_USER_AGENT = "Penstock/0.1 (+https://github.com/penstock/penstock)"

State = Literal["running", "paused", "finished", "cancelled"]


class CrawlSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How a crawl behaves; fixed when it starts.

    `delay_seconds` between starts of requests to one host, and `per_host` of them in flight, hold over all workers.
    `max_pages` counts pages with a 2xx answer; 0 anywhere means no bound. `spider` is None for the generic extractor,
    else `module:attribute` or a file's path. `allow` and `deny` are regular expressions searched in the whole URL.
    """

    name: str
    spider: str | None = None
    scope: Literal["host", "domain", "any"] = "host"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    delay_seconds: float = 1.0
    per_host: int = 1
    max_pages: int = 0
    max_depth: int = 0
    max_pages_per_host: int = 0
    max_links_per_page: int = 10_000
    max_url_length: int = 2_000
    max_hops: int = 10
    max_attempts: int = 4
    obey_robots: bool = True
    user_agent: str = DEFAULT_USER_AGENT


class CrawlStarted(Payload, frozen=True):
    """A crawl began, with these seeds."""

    TYPE: ClassVar[str] = "crawl.started"
    spec: CrawlSpec
    seeds: tuple[str, ...]


class SeedsAdded(Payload, frozen=True):
    """Seeds were added to a crawl."""

    TYPE: ClassVar[str] = "seeds.added"
    seeds: tuple[str, ...]


class CrawlPaused(Payload, frozen=True):
    """No further page of this crawl is issued."""

    TYPE: ClassVar[str] = "crawl.paused"


class CrawlResumed(Payload, frozen=True):
    """The crawl goes on."""

    TYPE: ClassVar[str] = "crawl.resumed"


class CrawlCancelled(Payload, frozen=True):
    """The crawl was ended by a person."""

    TYPE: ClassVar[str] = "crawl.cancelled"


class CrawlFinished(Payload, frozen=True):
    """Every URL of the crawl has its outcome; these are the frontier's final counts of URLs."""

    TYPE: ClassVar[str] = "crawl.finished"
    fetched: int
    failed: int
    excluded: int


ALL = (CrawlStarted, SeedsAdded, CrawlPaused, CrawlResumed, CrawlCancelled, CrawlFinished)


def new_crawl_id() -> str:
    """A crawl id that sorts by time and can be read aloud: `20261123-141530-9f3a2c`."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
