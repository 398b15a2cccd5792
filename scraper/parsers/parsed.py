"""From a fetched page and what a child made of it to the event that says so. Pure."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from events.bus import Delivery
from events.envelope import Message, new_message
from events.pages import Link, PageFetched, PageParsed
from events.topology import PARSE
from scraper.parsers.frames import Result

#: Digits of an extractor's version in an event's id.
_VERSION_DIGITS = 8


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
    )


def _page(**said: Any) -> PageParsed:
    return PageParsed(url="", host="", fingerprint="", depth=0, hops=0, **said)


def message(delivery: Delivery, said: PageParsed) -> Message:
    """The event for a delivery of `page.fetched`. Its id follows from the job's and from the extractor's version."""
    page: PageFetched = delivery.payload
    whole = msgspec.structs.replace(
        said,
        **{name: getattr(page, name) for name in ("url", "host", "fingerprint", "depth", "hops")},
        again=bool(delivery.again),
    )
    id = f"{delivery.envelope.id.removesuffix('.out')}.parsed"
    if said.spider_version:
        id = f"{id}.{said.spider_version[:_VERSION_DIGITS]}"
    if delivery.again:
        id = f"{id}.again.{delivery.again}"
    cause = delivery.envelope
    return new_message(whole, id=id, source=PARSE.name, crawl=cause.crawl, subject=page.url, cause=cause)
