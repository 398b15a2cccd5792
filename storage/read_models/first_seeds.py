"""The first seeds of crawls, and how many there are, for who asks again and again.

Takes a connection and ids of crawls. A crawl may have a hundred thousand seeds, and the list of crawls is looked at
every second, so what was found is kept, in each process for itself, until another event with seeds of that crawl is
recorded. Seeds and events are recorded in one transaction, and a rebuild makes the same of the same events.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Connection, Engine, func, select

from contract.crawls import CrawlStarted, SeedsAdded
from storage.sql import tables

#: Seeds of a crawl that are named; the rest is counted.
FIRST_SEEDS = 20
#: Crawls that are kept of each database, with some kB each; a page of the list has no more than half of them.
_KEPT = 2_000


class FirstSeeds(msgspec.Struct, frozen=True):
    """The first seeds of a crawl as they came, and the number of all; `upto` is the last event that told of any."""

    upto: int = 0
    urls: Sequence[str] = ()
    count: int = 0


_known: WeakKeyDictionary[Engine, dict[str, FirstSeeds]] = WeakKeyDictionary()


def first_seeds(connection: Connection, ids: Sequence[str]) -> dict[str, FirstSeeds]:
    """Crawl → its first seeds, of those of these crawls that have any."""
    known = _known.setdefault(connection.engine, {})
    found = {}
    for crawl, upto in _last_told(connection, ids).items():
        seeds = known.pop(crawl, None)
        if seeds is None or seeds.upto != upto:
            seeds = _read(connection, crawl, upto)
        found[crawl] = known[crawl] = seeds
    for oldest in list(known)[:-_KEPT]:
        known.pop(oldest, None)
    return found


def _last_told(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    event = tables.events.c
    query = select(event.crawl, func.max(event.position)).where(
        event.crawl.in_(ids), event.type.in_((CrawlStarted.TYPE, SeedsAdded.TYPE))
    )
    return dict(connection.execute(query.group_by(event.crawl)).all())


def _read(connection: Connection, crawl: str, upto: int) -> FirstSeeds:
    seed = tables.seeds.c
    first = select(seed.url).where(seed.crawl == crawl).order_by(seed.at, seed.ordinal, seed.url).limit(FIRST_SEEDS)
    count = select(func.count()).select_from(tables.seeds).where(seed.crawl == crawl)
    urls = connection.execute(first).scalars().all()
    return FirstSeeds(upto, urls, connection.execute(count).scalar_one())
