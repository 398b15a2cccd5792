"""Golden messages: bytes that are committed once and must mean the same for ever.

A golden file holds one message as it stood on a stream, with every field set to something that is not its default.
`GOLDENS` says what each file means today. A file is never changed; a field or a version that comes later gets a file of
its own (`page.fetch.v2.json`, or `page.fetch.v1-priority.json` for a field of version 1), and what the old files mean
with it stands here beside them.

`python -m tests.contract.goldens` writes those that are missing.
"""

from pathlib import Path
from typing import Any

from msgspec import structs

from contract import codec
from contract.commands import (
    CrawlCancel,
    CrawlPause,
    CrawlResume,
    CrawlStart,
    FrontierRestore,
    KnownLinks,
    KnownPage,
    PageFetch,
    SeedsAdd,
)
from contract.crawls import (
    CrawlCancelled,
    CrawlFinished,
    CrawlPaused,
    CrawlResumed,
    CrawlSpec,
    CrawlStarted,
    SeedsAdded,
)
from contract.envelope import Envelope, Message, Payload
from contract.pages import (
    BodyRef,
    Item,
    Link,
    PageExcluded,
    PageFailed,
    PageFetched,
    PageParsed,
    ReturnedJob,
    RobotsFetched,
    Wishes,
)

FOLDER = Path(__file__).parent / "golden"

_HOST = "https://shop.example:8443"
_URL = f"{_HOST}/größe?page=2&q=猫"
_SEEDS = (f"{_HOST}/", "http://xn--bcher-kva.example/a%20b")
_SPEC = CrawlSpec(
    name="shop",
    spider="spiders/shop.py",
    scope="domain",
    allow=("/shop/", r"page=\d+"),
    deny=(r"\.pdf$",),
    delay_seconds=0.25,
    per_host=3,
    max_pages=5_000,
    max_depth=7,
    max_pages_per_host=400,
    max_links_per_page=250,
    max_url_length=1_024,
    max_hops=5,
    max_attempts=6,
    obey_robots=False,
    user_agent="ShopBot/2.1 (+https://shop.example/bot)",
)
_WITH_WEBHOOK = structs.replace(_SPEC, webhook="https://hooks.example/penstock?token=猫")
_WITH_PATIENCE = structs.replace(_WITH_WEBHOOK, max_crawl_delay_seconds=120.0, robots_patience_seconds=600.0)
_WITH_GUESSES = structs.replace(_WITH_PATIENCE, detect_encoding=True)
_WITH_ARGS = structs.replace(_WITH_GUESSES, args={"part": "books"})
_WITH_ERRORS = structs.replace(_WITH_ARGS, error_pages=("404", "5xx"))
_WITH_IDENTITY = structs.replace(_WITH_ERRORS, identity=2)
_WITH_NOFOLLOW = structs.replace(_WITH_IDENTITY, follow_nofollow=True)
_AS_GUEST = structs.replace(_WITH_NOFOLLOW, give_up_host_seconds=3600.0)
_OBEDIENT = structs.replace(_AS_GUEST, obey=("nofollow-links", "noindex", "canonical"))
_BOUNDED = structs.replace(_OBEDIENT, same_body=7)
_JOB: dict[str, Any] = {"url": _URL, "host": _HOST, "fingerprint": "9f86d081884c7d65", "depth": 3, "hops": 2}
_PAGE: dict[str, Any] = {**_JOB, "attempt": 2, "via": f"{_HOST}/"}
_BODY = BodyRef(
    digest="sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0bb22cd15d6c15b0f00a08",
    size=37_412,
    wire=9_120,
    stored=9_544,
)


def _golden(payload: Payload, *, source: str, cause: str) -> Message:
    envelope = Envelope(
        id=f"20261123-141530-9f3a2c.{payload.TYPE}.1",
        source=source,
        type=payload.TYPE,
        time="2026-11-23T14:15:31.042Z",
        crawl="20261123-141530-9f3a2c",
        subject=_URL,
        correlationid="20261123-141530-9f3a2c",
        causationid=f"20261123-141530-9f3a2c.{cause}.1",
    )
    return Message(envelope, payload)


def _command(payload: Payload) -> Message:
    return _golden(payload, source="penstock", cause="crawl.start")


def _of_crawl(payload: Payload) -> Message:
    return _golden(payload, source="scheduler.seed", cause="crawl.start")


_FETCHED = PageFetched(
    **_PAGE,
    status=301,
    content_type="text/html; charset=utf-8",
    body=_BODY,
    started_at=1_795_443_331_042,
    elapsed_ms=182,
    waited_ms=1_250,
    location=f"{_HOST}/größe/2",
    flags=("truncated", "late"),
    asked=False,
)
_FAILED = PageFailed(
    **_PAGE,
    reason="http_503",
    detail="the host answered 503 (Überlastet)",
    status=503,
    retryable=True,
    retry_after_ms=120_000,
    started_at=1_795_443_331_042,
    elapsed_ms=95,
    waited_ms=1_250,
    asked=False,
)
_ROBOTS = RobotsFetched(
    host=_HOST,
    url=f"{_HOST}/robots.txt",
    attempt=2,
    verdict="retry",
    status=503,
    reason="http_503",
    crawl_delay_ms=2_500,
    retry_after_ms=30_000,
    sitemaps=(f"{_HOST}/sitemap.xml",),
    started_at=1_795_443_331_042,
    elapsed_ms=40,
    asked=False,
)
_ROBOTS_AWAY = structs.replace(
    _ROBOTS,
    stale=True,
    returned=ReturnedJob(url=_URL, fingerprint="9f86d081884c7d65", depth=3, hops=2, attempt=2, via=f"{_HOST}/"),
    body=_BODY,
)
_PARSED = PageParsed(
    **_JOB,
    title="Größe 2 – 猫 \U0001f408",
    links=(Link(f"{_HOST}/größe/2", redirect=True), Link(f"{_HOST}/a")),
    links_found=12,
    links_left_out=3,
    items=(Item(type="product", data={"price": 12.5, "tags": ["a", None, True], "size": {"cm": 40}}),),
    spider="shop",
    spider_version="c0ffee12",
    error="too_deep",
    detail="the page nests 4,097 elements",
    elapsed_ms=3.75,
    again=True,
)
_WISHES = Wishes(
    robots="noindex, nofollow",
    canonical=f"{_HOST}/größe",
    train_ai=False,
    search=True,
    ai_input=False,
    license=f"{_HOST}/terms",
)
_READ_AS = {"encoding": "windows-1251", "encoding_source": "detector"}

_RESTORE = FrontierRestore(
    epoch="5f1c07a2d4e98b36",
    run="9b1e44c0",
    step="links",
    spec=_SPEC,
    state="paused",
    version=7,
    seeds=_SEEDS,
    crawl_delays=((_HOST, 2_500),),
    pages=(KnownPage(_URL, 3, 2, f"{_HOST}/", 2, "failed", "http_503", True, 1_795_443_361_042, True),),
    links=(KnownLinks(_URL, 3, 2, (Link(f"{_HOST}/größe/2", redirect=True),)),),
)
_CHAIN = ("2b1f0e5ab2d3", "9f86d081884c+")

#: File's name without `.json` → what its bytes mean.
GOLDENS: dict[str, Message] = {
    "crawl.start.v1": _command(CrawlStart(spec=_SPEC, seeds=_SEEDS, more=True)),
    "crawl.start.v1-webhook": _command(CrawlStart(spec=_WITH_WEBHOOK, seeds=_SEEDS, more=True)),
    "crawl.start.v1-fresh": _command(CrawlStart(spec=_SPEC, seeds=_SEEDS, fresh=True)),
    "crawl.start.v1-args": _command(CrawlStart(spec=_WITH_ARGS, seeds=_SEEDS)),
    "crawl.start.v1-errors": _command(CrawlStart(spec=_WITH_ERRORS, seeds=_SEEDS)),
    "crawl.started.v1-errors": _of_crawl(CrawlStarted(version=1, spec=_WITH_ERRORS, seeds=_SEEDS)),
    "frontier.restore.v1-errors": _golden(
        structs.replace(_RESTORE, spec=_WITH_ERRORS), source="storage.replay", cause="crawl.started"
    ),
    "crawl.start.v1-identity": _command(CrawlStart(spec=_WITH_IDENTITY, seeds=_SEEDS)),
    "crawl.start.v1-nofollow": _command(CrawlStart(spec=_WITH_NOFOLLOW, seeds=_SEEDS)),
    "crawl.started.v1-nofollow": _of_crawl(CrawlStarted(version=1, spec=_WITH_NOFOLLOW, seeds=_SEEDS)),
    "frontier.restore.v1-nofollow": _golden(
        structs.replace(_RESTORE, spec=_WITH_NOFOLLOW), source="storage.replay", cause="crawl.started"
    ),
    "crawl.start.v1-guest": _command(CrawlStart(spec=_AS_GUEST, seeds=_SEEDS)),
    "crawl.started.v1-guest": _of_crawl(CrawlStarted(version=1, spec=_AS_GUEST, seeds=_SEEDS)),
    "frontier.restore.v1-guest": _golden(
        structs.replace(_RESTORE, spec=_AS_GUEST), source="storage.replay", cause="crawl.started"
    ),
    "crawl.start.v1-obedient": _command(CrawlStart(spec=_OBEDIENT, seeds=_SEEDS)),
    "crawl.started.v1-obedient": _of_crawl(CrawlStarted(version=1, spec=_OBEDIENT, seeds=_SEEDS)),
    "frontier.restore.v1-obedient": _golden(
        structs.replace(_RESTORE, spec=_OBEDIENT), source="storage.replay", cause="crawl.started"
    ),
    "crawl.start.v1-bounded": _command(CrawlStart(spec=_BOUNDED, seeds=_SEEDS)),
    "crawl.started.v1-bounded": _of_crawl(CrawlStarted(version=1, spec=_BOUNDED, seeds=_SEEDS)),
    "frontier.restore.v1-bounded": _golden(
        structs.replace(_RESTORE, spec=_BOUNDED), source="storage.replay", cause="crawl.started"
    ),
    "crawl.start.v1-guesses": _command(CrawlStart(spec=_WITH_GUESSES, seeds=_SEEDS)),
    "crawl.start.v1-patience": _command(CrawlStart(spec=_WITH_PATIENCE, seeds=_SEEDS)),
    "crawl.start.v1-parts": _command(CrawlStart(spec=_SPEC, seeds=_SEEDS, more=True, parts=3)),
    "seeds.add.v1-parts": _command(
        SeedsAdd(seeds=_SEEDS, last=True, expected_version=4, batch="20261123-141530-9f3a2c", part=3)
    ),
    "seeds.add.v1": _command(SeedsAdd(seeds=_SEEDS, last=True, expected_version=4)),
    "crawl.pause.v1": _command(CrawlPause(expected_version=4)),
    "crawl.resume.v1": _command(CrawlResume(expected_version=4)),
    "crawl.cancel.v1": _command(CrawlCancel(expected_version=4)),
    "page.fetch.v1": _golden(PageFetch(**_PAGE, robots=True), source="scheduler.dispatch", cause="page.parsed"),
    "frontier.restore.v1": _golden(_RESTORE, source="storage.replay", cause="crawl.started"),
    "frontier.restore.v1-webhook": _golden(
        structs.replace(_RESTORE, spec=_WITH_WEBHOOK), source="storage.replay", cause="crawl.started"
    ),
    "frontier.restore.v1-unread": _golden(
        structs.replace(_RESTORE, step="end", unread=("8c1f0e5ab2d39476",)),
        source="storage.replay",
        cause="crawl.started",
    ),
    "frontier.restore.v1-args": _golden(
        structs.replace(_RESTORE, spec=_WITH_ARGS), source="storage.replay", cause="crawl.started"
    ),
    "frontier.restore.v1-identity": _golden(
        structs.replace(_RESTORE, spec=_WITH_IDENTITY), source="storage.replay", cause="crawl.started"
    ),
    "frontier.restore.v1-guesses": _golden(
        structs.replace(_RESTORE, spec=_WITH_GUESSES), source="storage.replay", cause="crawl.started"
    ),
    "frontier.restore.v1-patience": _golden(
        structs.replace(_RESTORE, spec=_WITH_PATIENCE), source="storage.replay", cause="crawl.started"
    ),
    "crawl.started.v1-args": _of_crawl(CrawlStarted(version=1, spec=_WITH_ARGS, seeds=_SEEDS)),
    "crawl.started.v1-identity": _of_crawl(CrawlStarted(version=1, spec=_WITH_IDENTITY, seeds=_SEEDS)),
    "crawl.started.v1-guesses": _of_crawl(CrawlStarted(version=1, spec=_WITH_GUESSES, seeds=_SEEDS)),
    "crawl.started.v1-patience": _of_crawl(CrawlStarted(version=1, spec=_WITH_PATIENCE, seeds=_SEEDS)),
    "crawl.started.v1": _of_crawl(CrawlStarted(version=1, spec=_SPEC, seeds=_SEEDS)),
    "crawl.started.v1-webhook": _of_crawl(CrawlStarted(version=1, spec=_WITH_WEBHOOK, seeds=_SEEDS)),
    "seeds.added.v1": _of_crawl(SeedsAdded(version=5, seeds=_SEEDS)),
    "crawl.paused.v1": _of_crawl(CrawlPaused(version=5)),
    "crawl.resumed.v1": _of_crawl(CrawlResumed(version=5)),
    "crawl.cancelled.v1": _of_crawl(CrawlCancelled(version=5)),
    "crawl.finished.v1": _of_crawl(CrawlFinished(version=6, fetched=4_981, failed=17, excluded=902)),
    "page.fetched.v1": _golden(_FETCHED, source="scraper.fetch", cause="page.fetch"),
    "page.failed.v1": _golden(_FAILED, source="scraper.fetch", cause="page.fetch"),
    "page.excluded.v1": _golden(
        PageExcluded(**_PAGE, reason="robots", detail="Disallow: /größe", robots=True),
        source="scraper.fetch",
        cause="page.fetch",
    ),
    "robots.fetched.v1": _golden(_ROBOTS, source="scraper.fetch", cause="page.fetch"),
    "robots.fetched.v1-away": _golden(_ROBOTS_AWAY, source="scraper.fetch", cause="page.fetch"),
    "page.parsed.v1-encoding": _golden(
        structs.replace(_PARSED, **_READ_AS), source="scraper.parse", cause="page.fetched"
    ),
    "page.parsed.v1-wishes": _golden(
        structs.replace(_PARSED, wishes=_WISHES, unfollowed=(f"{_HOST}/login",)),
        source="scraper.parse",
        cause="page.fetched",
    ),
    "page.parsed.v1-body": _golden(
        structs.replace(_PARSED, wishes=_WISHES, body_mark="9f86d081884c7d65"),
        source="scraper.parse",
        cause="page.fetched",
    ),
    "page.parsed.v1": _golden(_PARSED, source="scraper.parse", cause="page.fetched"),
    "page.fetch.v1-chain": _golden(
        PageFetch(**_PAGE, robots=True, chain=_CHAIN), source="scheduler.dispatch", cause="page.parsed"
    ),
    "page.fetched.v1-chain": _golden(
        structs.replace(_FETCHED, chain=_CHAIN), source="scraper.fetch", cause="page.fetch"
    ),
    "page.fetched.v1-wishes": _golden(
        structs.replace(_FETCHED, wishes=_WISHES), source="scraper.fetch", cause="page.fetch"
    ),
    "page.failed.v1-kept": _golden(
        structs.replace(_FAILED, content_type="text/html", body=_BODY), source="scraper.fetch", cause="page.fetch"
    ),
    "page.fetch.v1-refused": _golden(
        PageFetch(**_PAGE, chain=_CHAIN, refusals=2), source="scheduler.settle", cause="page.failed"
    ),
    "page.failed.v1-refused": _golden(
        structs.replace(_FAILED, chain=_CHAIN, refusals=2), source="scraper.fetch", cause="page.fetch"
    ),
    "page.failed.v1-chain": _golden(structs.replace(_FAILED, chain=_CHAIN), source="scraper.fetch", cause="page.fetch"),
    "page.parsed.v1-chain": _golden(
        structs.replace(_PARSED, chain=_CHAIN), source="scraper.parse", cause="page.fetched"
    ),
    "robots.fetched.v1-chain": _golden(
        structs.replace(_ROBOTS_AWAY, returned=structs.replace(_ROBOTS_AWAY.returned, chain=_CHAIN)),
        source="scraper.fetch",
        cause="page.fetch",
    ),
}


def golden_bytes(name: str) -> bytes:
    """The committed bytes of one golden message."""
    return (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")


def _traced(message: Message) -> Message:
    envelope = structs.replace(message.envelope, traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    return Message(envelope, message.payload)


#: Each kind of message in a trace.
GOLDENS |= {f"{name}-traced": _traced(GOLDENS[name]) for name in list(GOLDENS) if "-" not in name}


def write_missing() -> list[str]:
    """Write a file for each golden message that has none; returns their names. Never touches one that is there."""
    missing = [name for name in GOLDENS if not (FOLDER / f"{name}.json").exists()]
    for name in missing:
        (FOLDER / f"{name}.json").write_bytes(codec.encode(GOLDENS[name]) + b"\n")
    return missing


if __name__ == "__main__":
    print("written:", ", ".join(write_missing()) or "none, all are there")
