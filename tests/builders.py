"""Messages with boring defaults: a test names only what it is about.

    page_fetched(url="http://a.test/1", status=301)      a message, ready to publish
    make_message(PageFailed(...), crawl="c2")            any payload in an envelope

Ids are made of type, crawl, URL and attempt, as the stages make them: the same facts have the same id.
"""

import gzip
import hashlib
import uuid
from typing import Any
from urllib.parse import urlsplit

import msgspec

from contract.crawls import CrawlFinished, CrawlSpec, CrawlStarted, SeedsAdded
from contract.envelope import Message, Payload, new_message
from contract.pages import BodyRef, Item, Link, PageExcluded, PageFailed, PageFetched, PageParsed, RobotsFetched

CRAWL = "20261123-120000-abcdef"
TIME = "2026-11-23T12:00:00.000Z"
URL = "http://site.test/page"


def make_message(
    payload: Payload, *, id: str = "", crawl: str = CRAWL, source: str = "test", time: str = TIME
) -> Message:
    """A payload in an envelope; the id follows from type, crawl, subject and attempt unless given."""
    subject = getattr(payload, "url", None) or getattr(payload, "host", None)
    made_id = f"{payload.TYPE}.{crawl}.{subject}.{getattr(payload, 'attempt', '')}"
    return new_message(payload, id=id or made_id, source=source, crawl=crawl, subject=subject, time=time)


def body_ref(**changes: Any) -> BodyRef:
    """The claim check of a body of 1,000 bytes."""
    plain = BodyRef(digest="sha256:" + "0" * 64, size=1_000, wire=400, stored=300)
    return msgspec.structs.replace(plain, **changes)


def page_fetched(url: str = URL, *, id: str = "", crawl: str = CRAWL, time: str = TIME, **changes: Any) -> Message:
    """A page that was answered with 200 at the first attempt."""
    plain = PageFetched(
        **_of_page(url), attempt=1, via=None, status=200, content_type="text/html", body=body_ref(),
        started_at=1_795_000_000_000, elapsed_ms=20,
    )  # fmt: skip
    return make_message(msgspec.structs.replace(plain, **changes), id=id, crawl=crawl, time=time)


def page_failed(url: str = URL, *, id: str = "", crawl: str = CRAWL, time: str = TIME, **changes: Any) -> Message:
    """A page whose first attempt timed out."""
    plain = PageFailed(
        **_of_page(url), attempt=1, via=None, reason="timeout", detail="no answer within 60 s",
        retryable=True, started_at=1_795_000_000_000, elapsed_ms=60_000,
    )  # fmt: skip
    return make_message(msgspec.structs.replace(plain, **changes), id=id, crawl=crawl, time=time)


def page_excluded(url: str = URL, *, id: str = "", crawl: str = CRAWL, time: str = TIME, **changes: Any) -> Message:
    """A page that was out of scope when it was found."""
    plain = PageExcluded(**_of_page(url), reason="scope")
    return make_message(msgspec.structs.replace(plain, **changes), id=id, crawl=crawl, time=time)


def page_parsed(url: str = URL, *, id: str = "", crawl: str = CRAWL, time: str = TIME, **changes: Any) -> Message:
    """A page with a title, one link and one item."""
    plain = PageParsed(
        **_of_page(url), title="A page", links=(Link("http://site.test/other"),), links_found=1,
        items=(Item(type="page", data={"title": "A page"}),), spider_version="1",
    )  # fmt: skip
    return make_message(msgspec.structs.replace(plain, **changes), id=id, crawl=crawl, time=time)


def robots_fetched(host: str = "http://site.test", *, crawl: str = CRAWL, time: str = TIME, **changes: Any) -> Message:
    """A host without a robots.txt."""
    plain = RobotsFetched(
        host=host,
        url=host + "/robots.txt",
        attempt=1,
        verdict="allow",
        status=404,
        started_at=1_795_000_000_000,
    )
    return make_message(msgspec.structs.replace(plain, **changes), crawl=crawl, time=time)


def crawl_started(*seeds: str, crawl: str = CRAWL, time: str = TIME, **spec: Any) -> Message:
    """A crawl named `site` with one seed; changes are the specification's."""
    payload = CrawlStarted(spec=CrawlSpec(**{"name": "site", **spec}), seeds=seeds or (URL,))
    return make_message(payload, crawl=crawl, time=time)


def seeds_added(*seeds: str, id: str = "", crawl: str = CRAWL, time: str = TIME) -> Message:
    """Further seeds of a crawl."""
    return make_message(SeedsAdded(seeds=seeds), id=id, crawl=crawl, time=time)


def crawl_finished(
    fetched: int = 1, failed: int = 0, excluded: int = 0, *, crawl: str = CRAWL, time: str = TIME
) -> Message:
    """A crawl that ended after one fetched page."""
    return make_message(CrawlFinished(fetched=fetched, failed=failed, excluded=excluded), crawl=crawl, time=time)


def life(kind: type[Payload], version: int, *, crawl: str = CRAWL, time: str = TIME, **facts: Any) -> Message:
    """An event of a crawl's own life, under the id that its version gives it."""
    return make_message(kind(version=version, **facts), id=f"{crawl}.v{version}", crawl=crawl, time=time)


def warc_member(url: str = URL, body: bytes = b"<p>hello</p>", *, content_type: str = "text/html") -> bytes:
    """One page as the fetcher stores it: a gzip member that is a whole WARC/1.1 response record."""
    http = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (
        content_type.encode(),
        len(body),
    )
    number = uuid.uuid5(uuid.NAMESPACE_URL, url)
    head = (
        "WARC/1.1\r\nWARC-Type: response\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\n"
        f"WARC-Date: {TIME[:19]}Z\r\nWARC-Target-URI: {url}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http) + len(body)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + http + body + b"\r\n\r\n", compresslevel=1, mtime=0)


def _of_page(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    fingerprint = hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:16]
    return {
        "url": url,
        "host": f"{parts.scheme}://{parts.netloc}",
        "fingerprint": fingerprint,
        "depth": 0,
        "hops": 0,
    }
