"""Pages, items and failures as they are exported: row after row, so that memory does not grow with the crawl."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, and_, case, or_, select

from storage import tables

#: Rows held at a time.
_CHUNK = 1_000

_PAGE = (
    "url",
    "status",
    "outcome",
    "reason",
    "content_type",
    "title",
    "depth",
    "bytes",
    "attempts",
    "fetched_at",
    "crawl",
    "error",
)
#: The keys of the rows of `pages`, `items` and `failures`.
COLUMNS = {
    "pages": _PAGE,
    "items": ("url", "type", "data", "spider", "spider_version", "crawl"),
    "failures": ("url", "reason", "detail", "status", "attempts", "crawl", "failed_at"),
}


def pages(engine: Engine, crawl: str | None = None) -> Iterator[dict[str, Any]]:
    """The pages of a crawl, or of all, about in the order in which they were recorded.

    `error` says why a fetched page could not be read, as `extractor_failed: RuntimeError: …`; None where it could.
    """
    page = tables.pages.c
    query = select(
        *(page.url, page.status, page.outcome, page.reason, page.content_type, page.title, page.depth),
        *(page.bytes, page.attempts, page.settled_at.label("fetched_at"), page.crawl),
        *(page.parse_error.label("error"), page.parse_detail),
    ).where(page.outcome.is_not(None))
    for row in stream(engine, query if crawl is None else query.where(page.crawl == crawl)):
        detail = row.pop("parse_detail")
        if row["outcome"] != "fetched":
            row["fetched_at"] = row["error"] = None
        elif row["error"] and detail:
            row["error"] += f": {detail}"
        yield row


def items(engine: Engine, crawl: str | None = None, *, all_versions: bool = False) -> Iterator[dict[str, Any]]:
    """The items of a crawl, or of all, by the latest parse of each page, or by all; `data` is a JSON object."""
    item, page = tables.items.c, tables.pages.c
    its_own = page.key == item.page
    query = select(page.url, item.type, item.data, item.spider, item.spider_version, item.crawl).join_from(
        tables.items, tables.pages, its_own if all_versions else and_(its_own, page.parsed_event == item.event)
    )
    for row in stream(engine, query if crawl is None else query.where(item.crawl == crawl)):
        yield {**row, "data": msgspec.json.decode(row["data"])}


def failures(engine: Engine, crawl: str | None = None) -> Iterator[dict[str, Any]]:
    """The pages that ended as failed, with the reason of the last attempt, and those that could not be read.

    Of one crawl, or of all. A page that was fetched and not read has its parse error's word as its reason.
    """
    page = tables.pages.c
    fetched = page.outcome == "fetched"
    query = select(
        page.url,
        case((fetched, page.parse_error), else_=page.reason).label("reason"),
        case((fetched, page.parse_detail), else_=page.detail).label("detail"),
        *(page.status, page.attempts, page.crawl),
        case((fetched, page.parsed_at), else_=page.settled_at).label("failed_at"),
    ).where(or_(page.outcome == "failed", unparsed()))
    return stream(engine, query if crawl is None else query.where(page.crawl == crawl))


def stream(engine: Engine, query: Select[Any]) -> Iterator[dict[str, Any]]:
    """The rows of any query, as many at a time as memory may have."""
    with engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=_CHUNK)
        with streaming.execute(query) as result:
            for row in result.mappings():
                yield dict(row)


def unparsed() -> ColumnElement[bool]:
    """Whether a page was fetched, and could not be read."""
    page = tables.pages.c
    return and_(page.outcome == "fetched", page.parse_error.is_not(None))
