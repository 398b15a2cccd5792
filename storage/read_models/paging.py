"""Read models page by page, newest first: each page begins behind the last row of the one before (keyset).

So a reader who follows the cursors sees each row that was there when it began once, however many come in meanwhile.
Takes an engine, filters and `after` (the place of the last row seen); gives rows of plain values, one more than asked
for where there are more.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, and_, case, or_, select, tuple_

from storage.read_models.listings import unparsed
from storage.sql import tables

Row = dict[str, Any]
#: The order of pages, items and failures: when the page was settled, then its key.
_PAGE_ORDER = (tables.pages.c.settled_at, tables.pages.c.key)


class Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a row stands in the order of pages; `ordinal` of an item within its page."""

    settled_at: str
    key: bytes
    ordinal: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0


def pages(
    engine: Engine,
    crawl: str,
    *,
    limit: int,
    after: Place | None = None,
    outcome: str | None = None,
    status: int | None = None,
    host: str | None = None,
    reason: str | None = None,
    text: str | None = None,
) -> list[Row]:
    """Pages that have an outcome, with `settled_at` and `key` as their place; `text` is in the URL or the title."""
    page = tables.pages.c
    query: Select[Any] = select(
        *(page.url, page.host, page.outcome, page.status, page.reason, page.detail, page.content_type, page.title),
        *(page.depth, page.attempts, page.bytes, page.elapsed_ms, page.items_found.label("items"), page.settled_at),
        *(page.parse_error, page.parse_detail, page.key),
    ).where(page.crawl == crawl, page.outcome.is_not(None), page.settled_at.is_not(None))
    query = _only(query, {page.outcome: outcome, page.status: status, page.host: host, page.reason: reason})
    if text:
        query = query.where(or_(*(column.icontains(text, autoescape=True) for column in (page.url, page.title))))
    return [_with_error(row) for row in _rows(engine, _behind(query, after), limit)]


def items(engine: Engine, crawl: str, *, limit: int, after: Place | None = None, type: str | None = None) -> list[Row]:
    """Items by the latest parse of each page, in their order within it; their place has the `ordinal` too."""
    item, page = tables.items.c, tables.pages.c
    query = (
        select(page.url, item.type, item.data, item.spider, item.spider_version)
        .add_columns(page.settled_at, page.key, item.ordinal)
        .join_from(tables.pages, tables.items, and_(page.key == item.page, page.parsed_event == item.event))
        .where(page.crawl == crawl, page.settled_at.is_not(None))
    )
    query = _only(query, {item.type: type})
    if after:
        here = tuple_(*_PAGE_ORDER)
        seen = tuple_(after.settled_at, after.key)
        query = query.where(here <= seen, or_(here < seen, item.ordinal > after.ordinal))
    rows = _rows(engine, query.order_by(*_latest_first(), item.ordinal), limit)
    return [{**row, "data": msgspec.json.decode(row["data"])} for row in rows]


def failures(
    engine: Engine,
    crawl: str,
    *,
    limit: int,
    after: Place | None = None,
    reason: str | None = None,
    host: str | None = None,
) -> list[Row]:
    """Pages that ended as failed, with the reason of the last attempt, and those that could not be read."""
    page = tables.pages.c
    fetched = page.outcome == "fetched"
    why: ColumnElement[str] = case((fetched, page.parse_error), else_=page.reason)
    query = select(
        *(page.url, page.host, why.label("reason"), page.status, page.attempts, page.settled_at, page.key),
        case((fetched, page.parse_detail), else_=page.detail).label("detail"),
        case((fetched, page.parsed_at), else_=page.settled_at).label("failed_at"),
    ).where(page.crawl == crawl, page.settled_at.is_not(None), or_(page.outcome == "failed", unparsed()))
    query = _only(query, {why: reason, page.host: host})
    return _rows(engine, _behind(query, after), limit)


def _only(query: Select[Any], wanted: dict[ColumnElement[Any], Any]) -> Select[Any]:
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    return query


def _behind(query: Select[Any], after: Place | None) -> Select[Any]:
    if after:
        query = query.where(tuple_(*_PAGE_ORDER) < tuple_(after.settled_at, after.key))
    return query.order_by(*_latest_first())


def _latest_first() -> list[ColumnElement[Any]]:
    return [column.desc() for column in _PAGE_ORDER]


def _rows(engine: Engine, query: Select[Any], limit: int) -> list[Row]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query.limit(limit + 1)).mappings()]


def _with_error(row: Row) -> Row:
    word, detail = row.pop("parse_error"), row.pop("parse_detail")
    said = f"{word}: {detail}" if detail else word
    return {**row, "error": said if row["outcome"] == "fetched" else None}
