"""One page read outside of any crawl, in a process of its own, as `penstock inspect` does."""

from scraper.children import Children
from scraper.frames import Job, Result
from scraper.warc import StoredPage, digest_of, write_record


async def parse_once(page: StoredPage, *, spider: str | None = None, max_links: int = 10_000) -> Result:
    """What a page says to the extractor that is named so; `Result.decoded_items()` has its items."""
    raw = write_record(
        url=page.url,
        event_id=page.url,
        status=page.status,
        headers=page.headers,
        body=page.body,
        digest=digest_of(page.body),
        started_at=0,
    )
    async with Children(1) as children:
        return await children.submit(Job(page.url, raw, 0, spider, max_links))
