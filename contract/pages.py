"""Events of a page's life. Each issued `page.fetch` ends in exactly one of fetched, failed and excluded.

Bodies do not ride in events: `BodyRef` is the claim check, and the bytes lie in Redis under the event's id until every
consumer group is past the event.
"""

from typing import Any, ClassVar

import msgspec

from contract.envelope import Payload

#: Of an answer with 4xx or 5xx, the bytes of the body that are kept at most; what a browser would show fits.
KEPT_BYTES = 256 * 1024


class BodyRef(msgspec.Struct, frozen=True, kw_only=True):
    """The claim check of one body.

    `digest` is `sha256:` and hex of the decoded body, `size` its bytes, `wire` the bytes that came over the network,
    `stored` the bytes that are kept of it: gzip members with the WARC records of the answer and of the request.
    """

    digest: str
    size: int
    wire: int
    stored: int


def body_mark(body: BodyRef) -> str:
    """The first 16 hex digits of the digest: enough to tell the pages of a host apart."""
    return body.digest.rpartition(":")[2][:16]


def may_be_followed(robots: str | None) -> bool:
    """Whether these words of robots tags (`Wishes.robots`) let a page's links be followed."""
    return robots_words(robots).isdisjoint(("nofollow", "none"))


def robots_words(robots: str | None) -> frozenset[str]:
    """The words of robots tags (`Wishes.robots`)."""
    return frozenset(robots.split(", ")) if robots else frozenset()


class Wishes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a page asks of those who read it; None and empty where it says nothing.

    `robots` are the words of robots tags, in headers and in the document, that are for us: `noindex, nofollow`.
    `canonical` is the URL that it calls its own. `train_ai`, `search`, `ai_input`: whether it may be used so (the
    categories of draft-ietf-aipref-vocab and of Content Signals); `license` is where the terms are.
    """

    robots: str = ""
    canonical: str | None = None
    train_ai: bool | None = None
    search: bool | None = None
    ai_input: bool | None = None
    license: str | None = None


class PageFetched(Payload, frozen=True):
    """The host answered with 2xx or 3xx, or with a status that the crawl asks for, and the whole answer is kept.

    Times are milliseconds; `started_at` is Unix time of the request, `elapsed_ms` from the request's sending until the
    body's end, `waited_ms` from being issued until the request. `location` is the resolved target of a redirect.
    `asked` is False where no request reached the host. `chain` is that of `page.fetch`, with this answer's URL added if
    it is a redirect. `wishes` are what the host's robots.txt says of this page's use.
    """

    TYPE: ClassVar[str] = "page.fetched"
    url: str
    host: str
    fingerprint: str
    depth: int
    hops: int
    attempt: int
    via: str | None
    status: int
    content_type: str
    body: BodyRef
    started_at: int
    elapsed_ms: int
    waited_ms: int = 0
    location: str | None = None
    flags: tuple[str, ...] = ()
    asked: bool = True
    chain: tuple[str, ...] = ()
    wishes: Wishes | None = None


class PageFailed(Payload, frozen=True):
    """No usable answer: `reason` is a word of the classification, `detail` a sentence for people.

    `retry_after_ms` is what the host asked for by Retry-After; `retryable` whether another attempt may help. Where the
    host did answer, with 4xx or 5xx, `body` and `content_type` are of that answer: its first KEPT_BYTES are kept.
    """

    TYPE: ClassVar[str] = "page.failed"
    url: str
    host: str
    fingerprint: str
    depth: int
    hops: int
    attempt: int
    via: str | None
    reason: str
    detail: str = ""
    status: int | None = None
    retryable: bool = False
    retry_after_ms: int | None = None
    started_at: int = 0
    elapsed_ms: int = 0
    waited_ms: int = 0
    asked: bool = True
    chain: tuple[str, ...] = ()
    content_type: str = ""
    body: BodyRef | None = None
    refusals: int = 0


class PageExcluded(Payload, frozen=True):
    """Not fetched on purpose. `attempt` is 0 where the URL was left out before it was ever issued."""

    TYPE: ClassVar[str] = "page.excluded"
    url: str
    host: str
    fingerprint: str
    depth: int
    hops: int = 0
    attempt: int = 0
    via: str | None = None
    reason: str = ""
    detail: str = ""
    robots: bool = False


def body_of(payload: Payload) -> BodyRef | None:
    """The claim check that an event has, if it has one: a page's, a failed one's, or a robots.txt's."""
    return getattr(payload, "body", None)


class ReturnedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A URL job that was not done, through no fault of its URL; its host is that of the message."""

    url: str
    fingerprint: str
    depth: int
    hops: int
    attempt: int
    via: str | None = None
    chain: tuple[str, ...] = ()


class RobotsFetched(Payload, frozen=True):
    """What a host's robots.txt came to (RFC 9309).

    `verdict` is `rules` (a file to match against), `allow` (there is none) or `retry` (unreachable, to be asked again;
    `deny` in old events); `reason` then says why. `stale`: an older copy is held, and is gone by meanwhile (RFC 9309
    §2.4). `returned` is the page's job that asked, and goes back to the frontier as it was. `body` is the file itself.
    """

    TYPE: ClassVar[str] = "robots.fetched"
    host: str
    url: str
    attempt: int
    verdict: str
    status: int | None = None
    reason: str = ""
    crawl_delay_ms: int = 0
    retry_after_ms: int | None = None
    sitemaps: tuple[str, ...] = ()
    started_at: int = 0
    elapsed_ms: int = 0
    asked: bool = True
    stale: bool = False
    returned: ReturnedJob | None = None
    body: BodyRef | None = None


class Link(msgspec.Struct, frozen=True, array_like=True):
    """A URL that a page points to; `redirect` keeps the page's depth and adds a hop."""

    url: str
    redirect: bool = False


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was extracted; `data` is a JSON object."""

    type: str
    data: dict[str, Any]


class PageParsed(Payload, frozen=True):
    """What a body said, or why it could not be read (`error`: a word, `detail`: a sentence).

    `links` holds those that this parser has not handed over before in this crawl; `links_found` counts all. `again`
    says that the page was given up before, which another event has said, so that it counts as read already. `chain` is
    that of `page.fetched`, and goes on with its redirect. `encoding` is what its characters were read in, and
    `encoding_source` what said so: `mark` (a byte order mark), `header`, `document`, `detector` (a guess), `nothing`.
    `unfollowed` are links that the page asks not to follow, and that were not handed on. `body_mark` is the beginning
    of the body's digest, by which pages with the same one are told; empty for a redirect.
    """

    TYPE: ClassVar[str] = "page.parsed"
    url: str
    host: str
    fingerprint: str
    depth: int
    hops: int
    title: str | None = None
    links: tuple[Link, ...] = ()
    links_found: int = 0
    links_left_out: int = 0
    items: tuple[Item, ...] = ()
    spider: str = "generic"
    spider_version: str = ""
    error: str | None = None
    detail: str = ""
    elapsed_ms: float = 0.0
    again: bool = False
    chain: tuple[str, ...] = ()
    encoding: str = ""
    encoding_source: str = ""
    wishes: Wishes | None = None
    unfollowed: tuple[str, ...] = ()
    body_mark: str = ""


ALL = (PageFetched, PageFailed, PageExcluded, RobotsFetched, PageParsed)
