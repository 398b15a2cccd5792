"""Pages, items and failures as they are exported: row after row, so that memory does not grow with the crawl.

They come crawl by crawl in the order in which pages were settled, which an index has and no rebuild changes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, and_, case, func, or_, select

from storage.sql import tables

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
    "robots",
    "canonical",
    "train_ai",
    "search",
    "ai_input",
    "license",
)
#: What the index `pages_by_settled` holds.
_ORDER = (tables.pages.c.crawl, tables.pages.c.settled_at, tables.pages.c.key)
_ITEM = (
    *(tables.items.c[name] for name in ("type", "data", "spider", "spider_version", "crawl")),
    tables.pages.c.settled_at.label("fetched_at"),
)
#: The keys of the rows of `pages`, `items` and `failures`.
COLUMNS = {
    "pages": _PAGE,
    "items": ("url", "type", "data", "spider", "spider_version", "crawl", "fetched_at"),
    "failures": ("url", "reason", "detail", "status", "attempts", "crawl", "failed_at"),
}


#: What people and machines do with pages: a word for it, and the column that says whether a page lets them.
USES = {"ai-train": "train_ai", "search": "search", "ai-input": "ai_input"}


def refused(engine: Engine, crawl: str | None, use: str) -> int:
    """How many fetched pages of a crawl, or of all, are not to be used so, by their own word or their host's."""
    page = tables.pages.c
    query = select(func.count()).where(page.outcome == "fetched", page[USES[use]].is_(False))
    with engine.connect() as connection:
        return connection.execute(query if crawl is None else query.where(page.crawl == crawl)).scalar_one()


def _allowed(query: Select[Any], use: str | None) -> Select[Any]:
    return query if use is None else query.where(tables.pages.c[USES[use]].is_not(False))


def pages(engine: Engine, crawl: str | None = None, *, use: str | None = None) -> Iterator[dict[str, Any]]:
    """The pages of a crawl, or of all; without those that are not to be used so, if a `use` is given.

    `error` says why a fetched page could not be read, as `extractor_failed: RuntimeError: …`; None where it could.
    """
    page = tables.pages.c
    query = select(
        *(page.url, page.status, page.outcome, page.reason, page.content_type, page.title, page.depth),
        *(page.bytes, page.attempts, page.settled_at.label("fetched_at"), page.crawl),
        *(page.parse_error.label("error"), page.parse_detail),
        *(page.robots, page.canonical, page.train_ai, page.search, page.ai_input, page.license),
    ).where(page.outcome.is_not(None))
    for row in _in_order(engine, _allowed(query, use), crawl):
        detail = row.pop("parse_detail")
        if row["outcome"] != "fetched":
            row["fetched_at"] = row["error"] = None
        elif row["error"] and detail:
            row["error"] += f": {detail}"
        yield row


def items(
    engine: Engine,
    crawl: str | None = None,
    *,
    all_versions: bool = False,
    version: str | None = None,
    types: Sequence[str] = (),
    use: str | None = None,
) -> Iterator[dict[str, Any]]:
    """The items of a crawl, or of all; `data` is a JSON object. Those of some `types`, if they are given.

    Without those of pages that are not to be used so, if a `use` is given.

    Those by the latest parse of each page that had no error; or by every version of a spider; or by one version.
    """
    item = tables.items.c
    query = _standing(crawl) if not all_versions and version is None else _of_any_version(crawl)
    if version is not None:
        query = query.where(item.spider_version == version)
    if types:
        query = query.where(item.type.in_(types))
    query = _allowed(query, use)
    for row in stream(engine, query.order_by(*_ORDER, item.event, item.ordinal)):
        yield {**row, "data": msgspec.json.decode(row["data"])}


def _standing(crawl: str | None) -> Select[Any]:
    page = tables.pages.c
    query = select(page.url, *_ITEM).join_from(tables.pages, tables.items, page.parsed_event == tables.items.c.event)
    return query if crawl is None else query.where(page.crawl == crawl)


def _of_any_version(crawl: str | None) -> Select[Any]:
    item, page = tables.items.c, tables.pages.c
    # Every item has its page. The outer join has SQLite look up pages by key, not items by page, which no index has.
    query = select(page.url, *_ITEM).join_from(tables.items, tables.pages, page.key == item.page, isouter=True)
    return query if crawl is None else query.where(item.crawl == crawl)


def versions(engine: Engine, crawl: str | None = None) -> list[tuple[str, str]]:
    """Spider and version of whatever made items of a crawl, or of all."""
    item = tables.items.c
    query = select(item.spider, item.spider_version).distinct().order_by(item.spider, item.spider_version)
    with engine.connect() as connection:
        rows = connection.execute(query if crawl is None else query.where(item.crawl == crawl))
        return [(spider, version) for spider, version in rows]


def item_types(engine: Engine, crawl: str | None = None) -> list[str]:
    """The types of the items of a crawl, or of all, by name."""
    item = tables.items.c
    query = select(item.type).distinct().order_by(item.type)
    with engine.connect() as connection:
        return list(connection.execute(query if crawl is None else query.where(item.crawl == crawl)).scalars())


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
    return _in_order(engine, query, crawl)


def _in_order(engine: Engine, query: Select[Any], crawl: str | None) -> Iterator[dict[str, Any]]:
    ordered = query.order_by(*_ORDER)
    return stream(engine, ordered if crawl is None else ordered.where(tables.pages.c.crawl == crawl))


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
