"""Crawls as a list to look at: a page of them, newest first, with their counts and their first seeds.

Unlike `storage.read_models.queries`, which reads all crawls with all their seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, case, func, or_, select, tuple_

from contract.crawls import CrawlSpec, State
from storage.read_models.first_seeds import FirstSeeds, first_seeds
from storage.read_models.queries import holds_all, totals_of
from storage.sql import tables
from storage.sql.text import clean


class ListedCrawl(msgspec.Struct, frozen=True, kw_only=True):
    """A crawl as SQL knows it; `version` is of the event that made its state, `totals` are by word."""

    id: str
    name: str
    state: State
    version: int
    spec: CrawlSpec
    started_at: str | None
    finished_at: str | None
    seeds: list[str]
    seed_count: int
    totals: dict[str, int]
    complete: bool


def listed(
    engine: Engine, *, limit: int, after: tuple[str, str] | None = None, state: State | None = None
) -> list[ListedCrawl]:
    """Crawls behind this one (its start and id), newest first; one more than asked for where there are more."""
    crawl = tables.crawls.c
    began = func.coalesce(crawl.started_at, "")
    query = select(tables.crawls).order_by(began.desc(), crawl.id.desc()).limit(limit + 1)
    if after:
        query = query.where(tuple_(began, crawl.id) < tuple_(*after))
    if state:
        query = query.where(crawl.state == state)
    return _listed(engine, query)


def unfinished(engine: Engine) -> list[ListedCrawl]:
    """Every crawl that goes on or is paused, newest first."""
    crawl = tables.crawls.c
    query = select(tables.crawls).where(or_(crawl.state == "running", crawl.state == "paused"))
    return _listed(engine, query.order_by(crawl.started_at.desc(), crawl.id.desc()))


def find(engine: Engine, id: str) -> ListedCrawl | None:
    """The crawl of this id."""
    return next(iter(_listed(engine, select(tables.crawls).where(tables.crawls.c.id == id))), None)


def id_of(engine: Engine, id_or_name: str) -> str | None:
    """This id where a crawl has it, or else the id of the newest crawl of this name."""
    crawl, word = tables.crawls.c, clean(id_or_name)
    query = select(crawl.id).where(or_(crawl.id == word, crawl.name == word))
    query = query.order_by(case((crawl.id == word, 0), else_=1), crawl.started_at.desc(), crawl.id.desc())
    with engine.connect() as connection:
        return connection.execute(query.limit(1)).scalar()


def _listed(engine: Engine, query: Select[Any]) -> list[ListedCrawl]:
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
        ids = [row["id"] for row in rows]
        counts, seeds = _counts(connection, ids), first_seeds(connection, ids)
    return [_crawl(dict(row), seeds.get(row["id"], FirstSeeds()), totals_of(counts.get(row["id"], {}))) for row in rows]


def _counts(connection: Connection, ids: Sequence[str]) -> dict[str, dict[tuple[str, str], int]]:
    tally, found = tables.tallies.c, dict[str, dict[tuple[str, str], int]]()
    query = select(tally.crawl, tally.kind, tally.word, tally.count)
    for crawl, kind, word, count in connection.execute(query.where(tally.crawl.in_(ids))):
        found.setdefault(crawl, {})[kind, word] = count
    return found


def _crawl(row: dict[str, Any], seeds: FirstSeeds, totals: dict[str, int]) -> ListedCrawl:
    ended = (row["final_fetched"], row["final_failed"], row["final_excluded"])
    name = row["name"] or row["id"]
    return ListedCrawl(
        id=row["id"],
        name=name,
        state=row["state"],
        version=row["version"] or 0,
        spec=msgspec.json.decode(row["spec"], type=CrawlSpec) if row["spec"] else CrawlSpec(name=name),
        started_at=row["started_at"],
        finished_at=row["cancelled_at"] or row["finished_at"],
        seeds=list(seeds.urls),
        seed_count=seeds.count,
        totals=totals,
        complete=holds_all(ended, totals),
    )
