"""Questions to the read models, as plain functions of an engine. Whoever asks gets rows of plain values.

What may be long is an iterator that holds one thousand rows at a time, whatever the size of the crawl.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Engine, Select, and_, func, select, union_all

from events.crawls import State
from storage import tables
from storage.tables import crawls as crawl_table
from storage.tables import tallies

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
)
#: The keys of the rows of `pages`, `items` and `failures`.
COLUMNS = {
    "pages": _PAGE,
    "items": ("url", "type", "data", "spider", "spider_version", "crawl"),
    "failures": ("url", "reason", "detail", "status", "attempts", "crawl", "failed_at"),
}


class CrawlRow(msgspec.Struct, frozen=True, kw_only=True):
    """A crawl and its counts of URLs; `bytes` are those of fetched bodies after decoding, times are RFC 3339 text."""

    id: str
    name: str
    state: State
    seeds: list[str]
    started_at: str | None
    finished_at: str | None
    discovered: int = 0
    fetched: int = 0
    failed: int = 0
    excluded: int = 0
    parsed: int = 0
    items: int = 0
    bytes: int = 0


def crawls(engine: Engine) -> list[CrawlRow]:
    """Every crawl, newest first."""
    return _crawls(engine, select(crawl_table))


def find_crawl(engine: Engine, id_or_name: str) -> CrawlRow | None:
    """The crawl of this id, or else the newest one of this name."""
    found = _crawls(engine, select(crawl_table).where(crawl_table.c.id == id_or_name))
    return found[0] if found else latest_by_name(engine, id_or_name)


def latest_by_name(engine: Engine, name: str) -> CrawlRow | None:
    """The newest crawl of this name."""
    found = select(crawl_table).where(crawl_table.c.name == name)
    newest = found.order_by(crawl_table.c.started_at.desc(), crawl_table.c.id.desc()).limit(1)
    return next(iter(_crawls(engine, newest)), None)


def is_complete(engine: Engine, crawl: str) -> bool:
    """Whether the crawl has ended, and all that it ended with is in SQL."""
    return bool(progress(engine, crawl).get("complete"))


def incomplete(engine: Engine) -> list[str]:
    """The ids of crawls that go on, or have ended but are not wholly in SQL."""
    with engine.connect() as connection:
        ids = connection.execute(select(crawl_table.c.id).where(crawl_table.c.state != "cancelled")).scalars().all()
    return [crawl for crawl in ids if not is_complete(engine, crawl)]


def progress(engine: Engine, crawl: str) -> dict[str, Any]:
    """A crawl's totals, by status and by reason, and `complete` where that is so. Costs the same at any size."""
    with engine.connect() as connection:
        ended = connection.execute(
            select(crawl_table.c.final_fetched, crawl_table.c.final_failed, crawl_table.c.final_excluded).where(
                crawl_table.c.id == crawl
            )
        ).one_or_none()
        counted = connection.execute(
            select(tallies.c.kind, tallies.c.word, tallies.c.count)
            .where(tallies.c.crawl == crawl)
            .order_by(tallies.c.kind, tallies.c.word)
        ).all()
    counts = {(kind, word): count for kind, word, count in counted}
    numbers: dict[str, Any] = _totals(counts)
    numbers["statuses"] = {word: count for (kind, word), count in counts.items() if kind == "status"}
    numbers["reasons"] = {word: count for (kind, word), count in counts.items() if kind == "reason"}
    outcomes = (numbers["fetched"], numbers["failed"], numbers["excluded"])
    if ended and tuple(ended) == outcomes and numbers["parsed"] == numbers["fetched"]:
        numbers["complete"] = True
    return numbers


def pages(engine: Engine, crawl: str | None = None) -> Iterator[dict[str, Any]]:
    """The pages of a crawl, or of all, about in the order in which they were recorded."""
    page = tables.pages.c
    query = select(
        *(page.url, page.status, page.outcome, page.reason, page.content_type, page.title, page.depth),
        *(page.bytes, page.attempts, page.settled_at.label("fetched_at"), page.crawl),
    ).where(page.outcome.is_not(None))
    for row in _stream(engine, query if crawl is None else query.where(page.crawl == crawl)):
        if row["outcome"] != "fetched":
            row["fetched_at"] = None
        yield row


def items(engine: Engine, crawl: str | None = None, *, all_versions: bool = False) -> Iterator[dict[str, Any]]:
    """The items of a crawl, or of all, by the latest parse of each page, or by all; `data` is a JSON object."""
    item, page = tables.items.c, tables.pages.c
    its_own = page.key == item.page
    query = select(page.url, item.type, item.data, item.spider, item.spider_version, item.crawl).join_from(
        tables.items, tables.pages, its_own if all_versions else and_(its_own, page.parsed_event == item.event)
    )
    for row in _stream(engine, query if crawl is None else query.where(item.crawl == crawl)):
        yield {**row, "data": msgspec.json.decode(row["data"])}


def failures(engine: Engine, crawl: str | None = None) -> Iterator[dict[str, Any]]:
    """The pages of a crawl, or of all, that ended as failed, with the reason of the last attempt."""
    page = tables.pages.c
    query = select(
        *(page.url, page.reason, page.detail, page.status, page.attempts, page.crawl),
        page.settled_at.label("failed_at"),
    ).where(page.outcome == "failed")
    return _stream(engine, query if crawl is None else query.where(page.crawl == crawl))


def hosts(engine: Engine, crawl: str) -> list[dict[str, Any]]:
    """The hosts of a crawl and what was asked of them; `smallest_gap_ms` is between the starts of two requests."""
    asked = _starts(crawl)
    since = asked.c.started_at - func.lag(asked.c.started_at).over(
        partition_by=asked.c.host, order_by=asked.c.started_at
    )
    each = select(asked.c.host, since.label("gap")).subquery()
    host = tables.hosts.c
    with engine.connect() as connection:
        gaps = dict(connection.execute(select(each.c.host, func.min(each.c.gap)).group_by(each.c.host)).all())
        rows = connection.execute(
            select(
                *(host.host, host.requests, host.errors, host.bytes),
                *(host.robots_verdict, host.robots_status, host.crawl_delay_ms),
            )
            .where(host.crawl == crawl)
            .order_by(host.host)
        ).mappings()
        return [{**row, "smallest_gap_ms": gaps.get(row["host"])} for row in rows]


def _starts(crawl: str) -> Any:
    """When requests to each host of a crawl started, as far as it is recorded."""
    page, failure, host = tables.pages.c, tables.failures.c, tables.hosts.c
    return union_all(
        select(page.host, page.started_at).where(page.crawl == crawl, page.outcome == "fetched"),
        select(failure.host, failure.started_at).where(failure.crawl == crawl, failure.asked),
        select(host.host, host.robots_started_at).where(host.crawl == crawl, host.robots_started_at.is_not(None)),
    ).subquery()


def _crawls(engine: Engine, query: Select[Any]) -> list[CrawlRow]:
    with engine.connect() as connection:
        found = connection.execute(query).mappings().all()
        ids = [row["id"] for row in found]
        counts: dict[str, dict[tuple[str, str], int]] = {id: {} for id in ids}
        for crawl, kind, word, count in connection.execute(select(tallies).where(tallies.c.crawl.in_(ids))):
            counts[crawl][kind, word] = count
        seeds: dict[str, list[str]] = {id: [] for id in ids}
        seed = tables.seeds.c
        for crawl, url in connection.execute(
            select(seed.crawl, seed.url).where(seed.crawl.in_(ids)).order_by(seed.at, seed.ordinal, seed.url)
        ):
            seeds[crawl].append(url)
    rows = [_crawl(dict(row), seeds[row["id"]], _totals(counts[row["id"]])) for row in found]
    return sorted(rows, key=lambda row: (row.started_at or "", row.id), reverse=True)


def _crawl(row: dict[str, Any], seeds: list[str], totals: dict[str, int]) -> CrawlRow:
    return CrawlRow(
        id=row["id"],
        name=row["name"] or row["id"],
        state=row["state"],
        seeds=seeds,
        started_at=row["started_at"],
        finished_at=row["cancelled_at"] or row["finished_at"],
        discovered=totals["fetched"] + totals["failed"] + totals["excluded"],
        **totals,
    )


def _totals(counts: dict[tuple[str, str], int]) -> dict[str, int]:
    names = {name: ("outcome", name) for name in ("fetched", "failed", "excluded")}
    names |= {name: (name, "") for name in ("parsed", "items", "bytes")}
    return {name: counts.get(key, 0) for name, key in names.items()}


def _stream(engine: Engine, query: Select[Any]) -> Iterator[dict[str, Any]]:
    with engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=_CHUNK)
        with streaming.execute(query) as result:
            for row in result.mappings():
                yield dict(row)
