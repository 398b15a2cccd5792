"""Commands: requests to exactly one stage, in the imperative. `<noun>.<verb>` is the type name."""

from typing import ClassVar, Literal

import msgspec

from contract.crawls import CrawlSpec
from contract.envelope import Payload
from contract.pages import Link


class CrawlStart(Payload, frozen=True):
    """Begin a crawl, or go on with the unfinished one of the same name; `scheduler.seed` answers with its id.

    `more` says that further seeds follow as `seeds.add`, so that the crawl cannot finish before they came, and `parts`
    how many of them. `fresh`: it is refused, with the other one's id, where an unfinished crawl has its name.
    """

    TYPE: ClassVar[str] = "crawl.start"
    spec: CrawlSpec
    seeds: tuple[str, ...]
    more: bool = False
    fresh: bool = False
    parts: int = 0


class SeedsAdd(Payload, frozen=True):
    """Add seeds to a running crawl.

    Those that `CrawlStart.parts` has announced say which `part` (from 1) they are, and of what `batch`: the crawl that
    `crawl.start` has asked for. When all have come, in any order, the crawl is held no longer. `last` does the same for
    a sender that has counted nothing.
    `expected_version` is of the crawl as who gives the command knows it; where it has another, the command is refused.
    """

    TYPE: ClassVar[str] = "seeds.add"
    seeds: tuple[str, ...]
    last: bool = False
    batch: str = ""
    part: int = 0
    expected_version: int | None = None


class CrawlPause(Payload, frozen=True):
    """Issue no further page of this crawl until it is resumed."""

    TYPE: ClassVar[str] = "crawl.pause"
    expected_version: int | None = None


class CrawlResume(Payload, frozen=True):
    """Go on with a paused crawl."""

    TYPE: ClassVar[str] = "crawl.resume"
    expected_version: int | None = None


class CrawlCancel(Payload, frozen=True):
    """End a crawl at once; what is in flight ends as excluded, its memory is freed."""

    TYPE: ClassVar[str] = "crawl.cancel"
    expected_version: int | None = None


class PageFetch(Payload, frozen=True):
    """A URL job: get this page, and say what came of it.

    `fingerprint` is 16 hex digits; `attempt` starts at 1; `hops` counts the redirects that led here; `via` is the
    page that linked to it; `robots` marks a job that asks for the host's robots.txt instead of a page.
    `chain` has a mark for each URL of the redirects that led here, with a `+` where its answer set a cookie.
    `refusals` of the attempts before were ended by the host's refusal to be asked so often.
    """

    TYPE: ClassVar[str] = "page.fetch"
    url: str
    host: str
    fingerprint: str = ""
    depth: int = 0
    hops: int = 0
    attempt: int = 1
    via: str | None = None
    robots: bool = False
    chain: tuple[str, ...] = ()
    refusals: int = 0


class KnownPage(msgspec.Struct, frozen=True, array_like=True):
    """A recorded outcome, of the attempt that stands. `wait_until` (Unix ms) is what a failed one's host has asked for.

    `outcome` tells a page (2xx) from what has moved (3xx); `read` whether a page.parsed is recorded too.
    """

    url: str
    depth: int
    hops: int
    via: str | None
    attempt: int
    outcome: Literal["page", "moved", "failed", "excluded"]
    reason: str = ""
    retryable: bool = False
    wait_until: int = 0
    read: bool = False


class KnownLinks(msgspec.Struct, frozen=True, array_like=True):
    """The recorded links of a page."""

    url: str
    depth: int
    hops: int
    links: tuple[Link, ...]


class FrontierRestore(Payload, frozen=True):
    """A part of what is recorded of an unfinished crawl, for the frontier of a Redis that has lost it, or a part of it.

    The steps follow one another, each only when all parts of the one before have been worked in (counted for this
    `run`): the `crawl` (its specification, seeds, and the crawl-delays of hosts in ms), its `pages` (outcomes), its
    `links` (with the seeds once more), its `end` (with the fingerprints of `unread` pages that nobody can give to the
    parsers, though the frontier waits for that). Parts of one step come in any order, and any of them twice. It holds
    for one `epoch` only. A crawl of which Redis has lost no more than that it was cancelled has the first step alone.
    """

    TYPE: ClassVar[str] = "frontier.restore"
    epoch: str
    run: str
    step: Literal["crawl", "pages", "links", "end"]
    spec: CrawlSpec | None = None
    state: Literal["running", "paused", "cancelled"] = "running"
    version: int = 0
    seeds: tuple[str, ...] = ()
    crawl_delays: tuple[tuple[str, int], ...] = ()
    pages: tuple[KnownPage, ...] = ()
    links: tuple[KnownLinks, ...] = ()
    unread: tuple[str, ...] = ()


ALL = (CrawlStart, SeedsAdd, CrawlPause, CrawlResume, CrawlCancel, PageFetch, FrontierRestore)


class Answer(msgspec.Struct, frozen=True):
    """What `scheduler.seed` made of a command: the crawl that it speaks of now, its version, or why it was refused."""

    crawl: str
    resumed: bool = False
    refused: str | None = None
    version: int = 0
