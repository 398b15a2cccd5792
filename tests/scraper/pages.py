"""Pages for tests: stored ones, and those that a parser meets on the stream."""

from typing import Any

import msgspec

from contract.bus import Bus, Consumer, HandOver, Keep, publish
from contract.commands import PageFetch
from contract.crawls import CrawlSpec
from contract.envelope import new_message
from contract.pages import BodyRef, PageFetched, PageParsed
from contract.topology import FETCH
from scraper.page import Page
from scraper.parsers.frames import Job
from scraper.warc import StoredPage, digest_of, write_record

URL = "http://site.test/folder/page.html"
HTML = "text/html; charset=utf-8"
CRAWL = "crawl-1"


def stored_page(body: str | bytes, *, url: str = URL, content_type: str = HTML, status: int = 200) -> StoredPage:
    """An answer with this body."""
    data = body.encode() if isinstance(body, str) else body
    return StoredPage(url=url, status=status, headers=[("Content-Type", content_type)], body=data)


def page_of(body: str | bytes, *, max_links: int = 10_000, **stored: Any) -> Page:
    """The page that a spider's function would get."""
    return Page(stored_page(body, **stored), max_links=max_links)


def record_of(body: str | bytes, **stored: Any) -> bytes:
    """The same answer as it is stored."""
    page = stored_page(body, **stored)
    return write_record(
        url=page.url,
        event_id="event",
        status=page.status,
        headers=page.headers,
        body=page.body,
        digest=digest_of(page.body),
        started_at=1,
    )


def job_of(body: str | bytes, *, spider: str | None = None, max_links: int = 10_000, **stored: Any) -> Job:
    """A page on its way to a child."""
    return Job(stored.get("url", URL), record_of(body, **stored), 0, spider, max_links)


async def make_crawl(bus: Bus, crawl: str = CRAWL, **spec: Any) -> None:
    """Let Redis know a crawl, as the scheduler does."""
    text = msgspec.json.encode(CrawlSpec(name="test", **spec))
    await bus.redis.hset(bus.keys.crawl(crawl), mapping={"spec": text, "state": "running"})


async def fetched(bus: Bus, *bodies: str | bytes | None, crawl: str = CRAWL, **changes: Any) -> list[str]:
    """Put pages on the stream as a fetcher does, their bodies kept; None: there is none. Returns their URLs."""
    urls = [f"http://site.test/{crawl}/{changes.get('depth', 0)}/{i}" for i in range(len(bodies))]
    commands = [
        new_message(PageFetch(url=url, host="http://site.test"), id=f"{crawl}.{url}", source="test", crawl=crawl)
        for url in urls
    ]
    await publish(bus, *commands)
    async with Consumer(bus, FETCH) as consumer:
        for url, body in zip(urls, bodies, strict=True):
            [delivery] = await consumer.take(1)
            await consumer.hand_over_all([_handed_over(bus, delivery, url, body, crawl, changes)])
    return urls


def _handed_over(bus: Bus, delivery: Any, url: str, body: str | bytes | None, crawl: str, changes: Any) -> HandOver:
    raw = b"" if body is None else record_of(body, url=url)
    plain = PageFetched(
        url=url, host="http://site.test", fingerprint="00", depth=0, hops=0, attempt=1, via=None, status=200,
        content_type=HTML, body=BodyRef(digest="x", size=1, wire=1, stored=len(raw)), started_at=1, elapsed_ms=1,
    )  # fmt: skip
    payload = msgspec.structs.replace(plain, **changes)
    event = new_message(payload, id=f"{delivery.envelope.id}.out", source="scraper.fetch", crawl=crawl, subject=url)
    return HandOver(delivery, [event], Keep(bus.keys.body(event.envelope.id), raw) if raw else None)


async def parsed_pages(consumer: Consumer, count: int) -> dict[str, PageParsed]:
    """Wait for so many `page.parsed`, by URL."""
    found: dict[str, PageParsed] = {}
    while len(found) < count:
        deliveries = await consumer.take(count)
        found |= {delivery.payload.url: delivery.payload for delivery in deliveries}
        await consumer.hand_over_all([HandOver(delivery) for delivery in deliveries])
    return found
