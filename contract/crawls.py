"""What a crawl is: its specification, and the events of its life.

Each event of its life has a `version`, one more than the one before, which is also its id (`<crawl>.v<version>`): so
the event store cannot hold two histories of one crawl.
"""

import secrets
from datetime import UTC, datetime
from typing import ClassVar, Literal

import msgspec

from contract.envelope import Payload
from contract.errors import Refused

#: What robots.txt groups are matched against, and what a site's owner finds in the log.
DEFAULT_USER_AGENT = "Penstock/0.1 (+https://github.com/penstock/penstock)"

#: No host has to wait longer than this for us by a setting: a day.
LONGEST_DELAY_SECONDS = 86_400
#: No crawl waits longer than this for one host's robots.txt: 30 days (RFC 9309 §2.3.1.4).
LONGEST_PATIENCE_SECONDS = 30 * 86_400
#: The frontier's queues tell that many depths apart.
DEEPEST = 8_000
#: What is one URL. 1: its canonical spelling. 2: all spellings that RFC 3986 §6.2.2 calls equivalent, with and without
#: a dot behind the host's name; new crawls have the latest.
LATEST_IDENTITY = 2
_MOST = 10**9
#: A URL is tried no more often than this, and no more links are taken of a page.
MOST_ATTEMPTS, MOST_LINKS = 100, 100_000
#: What people call a field of `CrawlSpec`, in settings, on the command line, of a `Spider` and over HTTP → the field.
#: `deny_preset` names patterns that end up in `deny`.
FIELDS = {
    "delay": "delay_seconds",
    "max_crawl_delay": "max_crawl_delay_seconds",
    "robots_patience": "robots_patience_seconds",
    "give_up_host": "give_up_host_seconds",
    **{
        name: name
        for name in (
            *("per_host", "max_pages", "max_depth", "max_pages_per_host", "max_links_per_page", "max_url_length"),
            *("max_hops", "max_attempts", "scope", "allow", "deny", "deny_preset", "detect_encoding"),
            *("follow_nofollow", "obey", "same_body", "user_agent"),
        )
    },
}

#: What a crawl obeys where it is told to: `rel` of links, robots tags, the URL that a page calls its own.
Wish = Literal["nofollow-links", "noindex", "canonical"]
State = Literal["running", "paused", "finished", "cancelled"]


class CrawlSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How a crawl behaves; fixed when it starts.

    `delay_seconds` between starts of requests to one host, and `per_host` of them in flight, hold over all workers.
    `max_pages` counts pages with a 2xx answer; 0 anywhere means no bound. `max_pages_per_host` counts URLs that are
    taken up, `max_hops` redirects in a row, `max_attempts` requests for one URL. `spider` is None for the generic
    extractor, else `module:attribute` or a file's path. `allow` and `deny` are regular expressions (RE2's) searched
    anywhere in the URL. `webhook` is a URL to which the events of the crawl's life are posted. `args` are what a person
    gave the spider (`spider.args`); they are recorded, so they hold no secret. `identity` is the version of the rule
    which spellings are one URL, and which host names one place; a crawl keeps the one that it was started with.
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
    webhook: str | None = None
    #: A host whose robots.txt asks for a longer crawl-delay is left out.
    max_crawl_delay_seconds: float = 300.0
    #: A host whose robots.txt cannot be had is waited for, and asked again, for this long; then it is given up.
    robots_patience_seconds: float = 14_400.0
    #: A host that refuses every request is asked, more and more rarely, for this long; then it is given up.
    give_up_host_seconds: float = 86_400.0
    #: The encoding of a page that declares none is guessed.
    detect_encoding: bool = False
    #: Answers with these statuses are pages too: `404`, or `4xx`, `5xx` for all of a hundred.
    error_pages: tuple[str, ...] = ()
    #: Links are followed of pages that ask not to (`nofollow` of a robots tag).
    follow_nofollow: bool = False
    #: What else a page may ask of those who read it.
    obey: tuple[Wish, ...] = ()
    #: Of pages of one host with the very same body, the links of so many are taken up; 0: of all.
    same_body: int = 20
    args: dict[str, str] = {}
    identity: int = 1


def check_spec(spec: CrawlSpec) -> None:
    """Raise `Refused` for a specification with a number that makes no sense."""
    if not 0 <= spec.delay_seconds <= LONGEST_DELAY_SECONDS:
        raise Refused(f"delay must be between 0 and {LONGEST_DELAY_SECONDS} seconds, not {spec.delay_seconds}")
    if not 0 <= spec.max_crawl_delay_seconds <= LONGEST_DELAY_SECONDS:
        most, found = LONGEST_DELAY_SECONDS, spec.max_crawl_delay_seconds
        raise Refused(f"max_crawl_delay must be between 0 and {most} seconds, not {found}")
    if not 0 <= spec.robots_patience_seconds <= LONGEST_PATIENCE_SECONDS:
        most, found = LONGEST_PATIENCE_SECONDS, spec.robots_patience_seconds
        raise Refused(f"robots_patience must be between 0 and {most} seconds, not {found}")
    if not 0 <= spec.give_up_host_seconds <= LONGEST_PATIENCE_SECONDS:
        most, found = LONGEST_PATIENCE_SECONDS, spec.give_up_host_seconds
        raise Refused(f"give_up_host must be between 0 and {most} seconds, not {found}")
    if not 0 < spec.max_attempts <= MOST_ATTEMPTS:
        raise Refused(f"max_attempts must be between 1 and {MOST_ATTEMPTS}, not {spec.max_attempts}")
    for name in ("per_host", "max_url_length"):
        if not 0 < getattr(spec, name) <= _MOST:
            raise Refused(f"{name} must be between 1 and {_MOST}, not {getattr(spec, name)}")
    for name in ("max_pages", "max_pages_per_host", "max_links_per_page", "max_hops", "same_body"):
        if not 0 <= getattr(spec, name) <= _MOST:
            raise Refused(f"{name} must be between 0 and {_MOST}, not {getattr(spec, name)}")
    if not 0 <= spec.max_depth <= DEEPEST:
        raise Refused(f"max_depth must be between 0 and {DEEPEST}, not {spec.max_depth}")
    if not 1 <= spec.identity <= LATEST_IDENTITY:
        raise Refused(f"identity must be between 1 and {LATEST_IDENTITY}, not {spec.identity}")


class CrawlStarted(Payload, frozen=True):
    """A crawl began, with these seeds."""

    TYPE: ClassVar[str] = "crawl.started"
    spec: CrawlSpec
    seeds: tuple[str, ...]
    version: int = 0


class SeedsAdded(Payload, frozen=True):
    """Seeds were added to a crawl."""

    TYPE: ClassVar[str] = "seeds.added"
    seeds: tuple[str, ...]
    version: int = 0


class CrawlPaused(Payload, frozen=True):
    """No further page of this crawl is issued."""

    TYPE: ClassVar[str] = "crawl.paused"
    version: int = 0


class CrawlResumed(Payload, frozen=True):
    """The crawl goes on."""

    TYPE: ClassVar[str] = "crawl.resumed"
    version: int = 0


class CrawlCancelled(Payload, frozen=True):
    """The crawl was ended by a person."""

    TYPE: ClassVar[str] = "crawl.cancelled"
    version: int = 0


class CrawlFinished(Payload, frozen=True):
    """Every URL of the crawl has its outcome; these are the frontier's final counts of URLs."""

    TYPE: ClassVar[str] = "crawl.finished"
    fetched: int
    failed: int
    excluded: int
    version: int = 0


ALL = (CrawlStarted, SeedsAdded, CrawlPaused, CrawlResumed, CrawlCancelled, CrawlFinished)


def life_id(crawl: str, version: int) -> str:
    """The id of the event of a crawl's life that has this version."""
    return f"{crawl}.v{version}"


def new_crawl_id() -> str:
    """A crawl id that sorts by time and can be read aloud: `20261123-141530-9f3a2c`."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
