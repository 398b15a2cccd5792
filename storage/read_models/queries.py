"""Questions to the read models, as plain functions of an engine. Whoever asks gets rows of plain values.

What may be long is an iterator, whose rows are in `storage.read_models.listings`.
"""

from typing import Any

import msgspec
from sqlalchemy import Engine, Select, func, select, union_all

from contract.crawls import State
from storage.read_models.listings import COLUMNS, failures, items, pages, unparsed
from storage.sql import tables
from storage.sql.tables import crawls as crawl_table
from storage.sql.tables import tallies

__all__ = ["COLUMNS", "failures", "items", "pages"]


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
    retried: int = 0
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
    numbers: dict[str, Any] = totals_of(counts)
    numbers["statuses"] = {word: count for (kind, word), count in counts.items() if kind == "status"}
    numbers["reasons"] = {word: count for (kind, word), count in counts.items() if kind == "reason"}
    if ended and holds_all(tuple(ended), numbers):
        numbers["complete"] = True
    return numbers


def holds_all(ended: tuple[int | None, int | None, int | None], totals: dict[str, Any]) -> bool:
    """Whether all that a crawl ended with (pages fetched, failed, excluded) is in SQL, whose totals are these.

    SQL may know of a page that was fetched where the frontier does not: it had lost that, and asked once more in vain.
    """
    more = [totals[name] - (count or 0) for name, count in zip(("fetched", "failed", "excluded"), ended, strict=True)]
    is_there = None not in ended and sum(more) == 0 and more[0] >= 0 >= max(more[1:])
    return is_there and bool(totals["parsed"] == totals["fetched"])


def found_pages(engine: Engine, crawl: str) -> int:
    """The URLs of a crawl that were answered with 2xx: pages, and no redirects."""
    return sum(count for status, count in progress(engine, crawl)["statuses"].items() if status.startswith("2"))


def nofollow_pages(engine: Engine, crawl: str) -> int:
    """The pages of a crawl that ask not to follow their links."""
    query = select(tallies.c.count).where(tallies.c.crawl == crawl, tallies.c.kind == "nofollow")
    with engine.connect() as connection:
        return connection.execute(query).scalar_one_or_none() or 0


def redirect_out(engine: Engine, crawl: str) -> tuple[str, str, str | None] | None:
    """The first redirect to a URL that the crawl did not fetch: from where, to where, and why not, if that is known."""
    page, target = tables.pages.alias().c, tables.pages.alias().c
    query = (
        select(page.url, page.location, target.reason)
        .outerjoin_from(page.url.table, target.url.table, (target.crawl == page.crawl) & (target.url == page.location))
        .where(page.crawl == crawl, page.location.is_not(None), target.outcome.is_distinct_from("fetched"))
        .order_by(page.depth, page.settled_at, page.url)
        .limit(1)
    )
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return (row[0], row[1], row[2]) if row else None


def parse_errors(engine: Engine, crawl: str) -> list[tuple[str, int, str, str]]:
    """Why fetched pages could not be read: word, pages, and detail and URL of the first; the commonest word first."""
    page = tables.pages.c
    of_word: dict[str, Any] = {"partition_by": page.parse_error}
    each = select(
        *(page.parse_error, page.parse_detail, page.url),
        func.count().over(**of_word).label("pages"),
        func.row_number().over(**of_word, order_by=(page.parsed_at, page.url)).label("place"),
    ).where(page.crawl == crawl, unparsed())
    found = each.subquery().c
    first = select(found.parse_error, found.pages, found.parse_detail, found.url).where(found.place == 1)
    with engine.connect() as connection:
        rows = connection.execute(first.order_by(found.pages.desc(), found.parse_error)).all()
    return [(word, number, detail or "", url) for word, number, detail, url in rows]


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
    rows = [_crawl(dict(row), seeds[row["id"]], totals_of(counts[row["id"]])) for row in found]
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


def totals_of(counts: dict[tuple[str, str], int]) -> dict[str, int]:
    """The totals of a crawl by word, from its tallies by kind and word."""
    names = {name: ("outcome", name) for name in ("fetched", "failed", "excluded")}
    names |= {name: (name, "") for name in ("retried", "parsed", "items", "bytes")}
    return {name: counts.get(key, 0) for name, key in names.items()}
