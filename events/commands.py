"""Commands: requests to exactly one stage, in the imperative. `<noun>.<verb>` is the type name."""

from typing import ClassVar

import msgspec

from events.crawls import CrawlSpec
from events.envelope import Payload


class CrawlStart(Payload, frozen=True):
    """Begin a crawl, or go on with the unfinished one of the same name; `scheduler.seed` answers with its id.

    `more` says that further seeds follow as `seeds.add`, so that the crawl cannot finish before they came.
    """

    TYPE: ClassVar[str] = "crawl.start"
    spec: CrawlSpec
    seeds: tuple[str, ...]
    more: bool = False


class SeedsAdd(Payload, frozen=True):
    """Add seeds to a running crawl; `last` releases the hold that `CrawlStart.more` put on its end."""

    TYPE: ClassVar[str] = "seeds.add"
    seeds: tuple[str, ...]
    last: bool = False
    part: int = 0


class CrawlPause(Payload, frozen=True):
    """Issue no further page of this crawl until it is resumed."""

    TYPE: ClassVar[str] = "crawl.pause"


class CrawlResume(Payload, frozen=True):
    """Go on with a paused crawl."""

    TYPE: ClassVar[str] = "crawl.resume"


class CrawlCancel(Payload, frozen=True):
    """End a crawl at once; what is in flight ends as excluded, its memory is freed."""

    TYPE: ClassVar[str] = "crawl.cancel"


class PageFetch(Payload, frozen=True):
    """A URL job: get this page, and say what came of it.

    `fingerprint` is 16 hex digits; `attempt` starts at 1; `hops` counts the redirects that led here; `via` is the
    page that linked to it; `robots` marks a job that asks for the host's robots.txt instead of a page.
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


ALL = (CrawlStart, SeedsAdd, CrawlPause, CrawlResume, CrawlCancel, PageFetch)


class Answer(msgspec.Struct, frozen=True):
    """What `scheduler.seed` made of a command: the crawl that it speaks of now, or why it was refused."""

    crawl: str
    resumed: bool = False
    refused: str | None = None
