"""The life of one URL in one crawl, told from the event store.

Takes an engine, a crawl and a canonical URL; gives `Step`s in the order in which they happened, as facts. What is known
of a URL that has no events is in `storage.store.hearsay`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import Engine, select

from contract.crawls import CrawlSpec, CrawlStarted
from contract.pages import PageExcluded, PageFailed, PageFetched, PageParsed, RobotsFetched
from storage.sql import tables
from storage.sql.tables import digest, mark
from storage.store import event_store
from storage.store.event_store import Place, Recorded

What = Literal["seed", "discovered", "redirected", "robots", "issued", "fetched", "failed", "excluded", "parsed"]
#: Where the rules of a host lie (RFC 9309 §2.3).
ROBOTS = "/robots.txt"
#: Steps of one moment come in this order, in which one leads to the next.
_ORDER = get_args(What)
#: Redirects that lead to a known URL may be as many as a site has pages; these are enough to see it.
MOST_REDIRECTS = 20


class Step(msgspec.Struct, frozen=True):
    """Something that happened to a URL: when (RFC 3339, UTC), what, and the facts of it, by name."""

    at: str
    what: What
    facts: dict[str, Any]


def history(engine: Engine, crawl: str, url: str) -> list[Step]:
    """The steps in order; empty for a URL of which nothing is recorded."""
    events = [event for event in _about(engine, crawl, url) if event.message.payload.url == url]
    pages = [event for event in events if not isinstance(event.message.payload, PageParsed)]
    steps = [*_seed(engine, crawl, url), *_discovered(engine, crawl, events)]
    steps += _redirected(engine, crawl, url, pages)
    robots = _robots_before(engine, crawl, pages)
    steps += [_robots(event) for event in ([robots] if robots else _robots_at(engine, crawl, url))]
    steps += _issued(pages, spec=spec_of(engine, crawl), robots=robots)
    segments = _segments(engine, events)
    steps += [_outcome(engine, event, segments) for event in pages]
    steps += [_parsed(event) for event in events if isinstance(event.message.payload, PageParsed)]
    return sorted(steps, key=lambda step: (step.at, _ORDER.index(step.what)))


def spec_of(engine: Engine, crawl: str) -> CrawlSpec | None:
    """How the crawl was asked to behave, or None where its beginning is not recorded."""
    for stored in event_store.read(engine, types=(CrawlStarted.TYPE,), crawl=crawl):
        started: CrawlStarted = stored.recorded().message.payload
        return started.spec
    return None


def _about(engine: Engine, crawl: str, word: str) -> Iterator[Recorded]:
    """The events about a URL, or about a host; not those of another crawl that has the same mark by chance."""
    for stored in event_store.read(engine, about=mark(crawl, word)):
        event = stored.recorded()
        if event.message.envelope.crawl == crawl:
            yield event


def _seed(engine: Engine, crawl: str, url: str) -> list[Step]:
    seed = tables.seeds.c
    with engine.connect() as connection:
        at = connection.execute(select(seed.at).where(seed.key == digest(crawl, url))).scalar_one_or_none()
    return [Step(at, "seed", {})] if at else []


def _discovered(engine: Engine, crawl: str, events: Sequence[Recorded]) -> list[Step]:
    """When the page that led here was read first."""
    first = next((e.message.payload for e in events if getattr(e.message.payload, "via", None)), None)
    if first is None:
        return []
    facts = {"via": first.via, "depth": first.depth, "hops": first.hops}
    parsed = [e for e in _about(engine, crawl, first.via) if isinstance(e.message.payload, PageParsed)]
    times = [event.message.envelope.time for event in parsed]
    return [Step(min(times, default=events[0].message.envelope.time), "discovered", facts)]


def _redirected(engine: Engine, crawl: str, url: str, pages: Sequence[Recorded]) -> list[Step]:
    """Redirects that led here when the URL was known already; only a look at all pages of the crawl can tell."""
    via = {event.message.payload.via for event in pages}
    page = tables.pages.c
    query = select(page.url, page.settled_at).where(page.crawl == crawl, page.location == url)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(page.settled_at, page.url).limit(MOST_REDIRECTS)).all()
    return [Step(row.settled_at, "redirected", {"from": row.url}) for row in rows if row.url not in via]


def _robots_before(engine: Engine, crawl: str, pages: Sequence[Recorded]) -> Recorded | None:
    """What was known of the host's robots.txt when the URL was first asked for, or ruled out."""
    if not pages:
        return None
    until = pages[0].message.envelope.time
    of_host = _about(engine, crawl, pages[0].message.payload.host)
    verdicts = [event for event in of_host if isinstance(event.message.payload, RobotsFetched)]
    before = [event for event in verdicts if event.message.envelope.time <= until]
    return max(before or verdicts[:1], key=lambda event: event.message.envelope.time, default=None)


def _robots_at(engine: Engine, crawl: str, url: str) -> list[Recorded]:
    """What came of asking for this URL, if it is a host's robots.txt."""
    of_host = _about(engine, crawl, url.removesuffix(ROBOTS)) if url.endswith(ROBOTS) else ()
    return [event for event in of_host if getattr(event.message.payload, "url", None) == url]


def _robots(event: Recorded) -> Step:
    robots: RobotsFetched = event.message.payload
    names = ("host", "verdict", "status", "reason", "crawl_delay_ms", "stale")
    return Step(event.message.envelope.time, "robots", {name: getattr(robots, name) for name in names})


def _issued(pages: Sequence[Recorded], *, spec: CrawlSpec | None, robots: Recorded | None) -> list[Step]:
    """When each attempt was handed to a fetcher, and what it had to wait for until then, as far as events can tell."""
    steps, before = [], None
    for payload in (event.message.payload for event in pages):
        if not isinstance(payload, PageFetched | PageFailed):
            continue
        facts = {"attempt": payload.attempt, **_why_waited(before, spec, robots)}
        if payload.started_at:
            steps.append(Step(_text(payload.started_at - payload.waited_ms), "issued", facts))
        before = payload
    return steps


def _why_waited(
    before: PageFetched | PageFailed | None, spec: CrawlSpec | None, robots: Recorded | None
) -> dict[str, Any]:
    if isinstance(before, PageFailed):
        since = {"since": _text(before.started_at + before.elapsed_ms)} if before.started_at else {}
        if before.retry_after_ms:
            return {"waited_for": "retry_after", "asked_ms": before.retry_after_ms, **since}
        return {"waited_for": "backoff", **since}
    delay_ms = int(spec.delay_seconds * 1000) if spec else 0
    crawl_delay_ms = robots.message.payload.crawl_delay_ms if robots and spec and spec.obey_robots else 0
    if crawl_delay_ms > delay_ms:
        return {"waited_for": "crawl_delay", "asked_ms": crawl_delay_ms}
    return {"waited_for": "delay", "asked_ms": delay_ms} if delay_ms else {}


def _outcome(engine: Engine, event: Recorded, segments: dict[int, Any]) -> Step:
    page = event.message.payload
    match page:
        case PageFetched():
            facts = {name: getattr(page, name) for name in _FETCHED} | {"bytes": page.body.size}
            if page.location:
                facts["leads_to"] = _outcome_of(engine, event.message.envelope.crawl, page.location)
            if event.place:
                facts |= _body(event.place, segments[event.place.segment])
            return Step(_text(page.started_at), "fetched", facts)
        case PageFailed():
            at = _text(page.started_at) if page.started_at else event.message.envelope.time
            return Step(at, "failed", {name: getattr(page, name) for name in _FAILED})
        case PageExcluded():
            return Step(event.message.envelope.time, "excluded", {name: getattr(page, name) for name in _EXCLUDED})
    raise AssertionError(f"{page.TYPE} is no outcome")


def _body(place: Place, segment: Any) -> dict[str, Any]:
    """Where a body lies, or why it does not any more: its segment has been cut since."""
    if place.offset + place.length > segment.length:
        return {"body_lost": f"the archive's {segment.name} has lost its end"}
    return {"body": msgspec.structs.asdict(place) | {"segment": segment.name}}


_ATTEMPT = ("attempt", "depth", "hops", "via", "status", "waited_ms", "elapsed_ms")
_FETCHED = (*_ATTEMPT, "content_type", "location", "flags")
_FAILED = (*_ATTEMPT, "reason", "detail", "retryable", "retry_after_ms", "asked")
_EXCLUDED = ("attempt", "depth", "hops", "via", "reason", "detail")


def _outcome_of(engine: Engine, crawl: str, url: str) -> str | None:
    page = tables.pages.c
    with engine.connect() as connection:
        return connection.execute(select(page.outcome).where(page.key == digest(crawl, url))).scalar_one_or_none()


def _parsed(event: Recorded) -> Step:
    page: PageParsed = event.message.payload
    names = ("spider", "spider_version", "title", "links_found", "links_left_out", "error", "detail", "elapsed_ms")
    also = ("encoding", "encoding_source")
    facts = {name: getattr(page, name) for name in (*names, *also)} | {"items": len(page.items)}
    if page.wishes:
        facts["wishes"] = msgspec.to_builtins(page.wishes)
        facts["unfollowed"] = len(page.unfollowed)
    return Step(event.message.envelope.time, "parsed", facts)


def _segments(engine: Engine, events: Sequence[Recorded]) -> dict[int, Any]:
    ids = {event.place.segment for event in events if event.place}
    with engine.connect() as connection:
        return {row.id: row for row in connection.execute(select(tables.segments).where(tables.segments.c.id.in_(ids)))}


def _text(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
