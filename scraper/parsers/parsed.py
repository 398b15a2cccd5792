"""From a fetched page and what a child made of it to the event that says so. Pure."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import msgspec

from contract.bus import Delivery
from contract.envelope import Message, new_message
from contract.pages import Link, PageFetched, PageParsed, body_mark
from contract.topology import PARSE
from scraper.parsers.frames import Result
from scraper.wishes import together

#: Hex digits that stand for an extractor in an event's id. Few extractors ever read one page, so these keep them apart.
_EXTRACTOR_DIGITS = 12


def redirected(to: str) -> PageParsed:
    """What is said of a redirect: its target is a link that keeps the page's depth."""
    return _page(links=(Link(to, redirect=True),), links_found=1)


def failed(error: str, detail: str) -> PageParsed:
    """What is said of a page that could not be read at all."""
    return _page(error=error, detail=detail)


def read(result: Result, links: Sequence[str]) -> PageParsed:
    """What is said of a page that a child has read; `links` are those to be handed on."""
    refresh = [Link(result.refresh, redirect=True)] if result.refresh else []
    return _page(
        title=result.title,
        links=(*refresh, *(Link(url) for url in links)),
        links_found=result.links_found + len(refresh),
        links_left_out=result.links_left_out,
        # The child has made JSON of the items; they go into the event's JSON as they are.
        items=cast(Any, msgspec.Raw(result.items)),
        spider=result.spider,
        spider_version=result.spider_version,
        error=result.error,
        detail=result.detail,
        elapsed_ms=result.elapsed_ms,
        encoding=result.encoding,
        encoding_source=result.encoding_source,
        wishes=result.wishes,
        unfollowed=result.unfollowed,
    )


def _page(**said: Any) -> PageParsed:
    return PageParsed(url="", host="", fingerprint="", depth=0, hops=0, **said)


def message(delivery: Delivery, said: PageParsed) -> Message:
    """The event for a delivery of `page.fetched`."""
    whole = _said_of(delivery.payload, said, again=bool(delivery.again))
    cause = delivery.envelope
    id = event_id(cause.id, spider=said.spider, version=said.spider_version)
    if delivery.again:
        id = f"{id}.again.{delivery.again}"
    return new_message(whole, id=id, source=PARSE.name, crawl=cause.crawl, subject=whole.url, cause=cause)


def reparsed(fetched: Message, result: Result, *, source: str, links: tuple[int, int] | None = None) -> Message:
    """The event for an archived page that was read once more. It hands on no links, for its crawl has them already.

    `links` is what the parse before counted, found and left out; None if the result is to say it.
    """
    said = read(result, ())
    found, left_out = links or (said.links_found, said.links_left_out)
    # A refresh leads nowhere either.
    said = msgspec.structs.replace(said, links=(), links_found=found, links_left_out=left_out)
    whole = _said_of(fetched.payload, said, again=False)
    cause = fetched.envelope
    id = event_id(cause.id, spider=result.spider, version=result.spider_version)
    return new_message(whole, id=id, source=source, crawl=cause.crawl, subject=whole.url, cause=cause)


def _said_of(page: PageFetched, said: PageParsed, *, again: bool) -> PageParsed:
    return msgspec.structs.replace(
        said,
        url=page.url,
        host=page.host,
        fingerprint=page.fingerprint,
        depth=page.depth,
        hops=page.hops,
        again=again,
        chain=page.chain,
        wishes=together(getattr(page, "wishes", None), said.wishes),
        body_mark=body_mark(page.body) if page.body and not getattr(page, "location", None) else "",
    )


def event_id(fetched_id: str, *, spider: str, version: str) -> str:
    """The id of what an extractor says of a page: it follows from the page.fetched's, the extractor and its version."""
    id = f"{fetched_id.removesuffix('.out')}.parsed"
    return f"{id}.{_extractor_digits(spider, version)}" if version else id


@lru_cache
def _extractor_digits(spider: str, version: str) -> str:
    return hashlib.sha256(f"{spider}\n{version}".encode("utf-8", "replace")).hexdigest()[:_EXTRACTOR_DIGITS]
