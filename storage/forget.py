"""Crawls that are over → nothing: their events, read models and bodies, and the segments that nobody needs any more.

Takes an engine, the archive's store and the ids of crawls; owns nothing. What goes goes whole: a rebuild afterwards
gives what stands. It goes in portions, each a short transaction of its own with a pause behind it, so recorders go on.

The first portion takes crawl.started away, the last one the events that ended the crawl. So a crawl that was half
forgotten when somebody pulled the plug is over, has no beginning, and is forgotten for good by the next run. A rebuild
or a reparse at the same time may bring parts of it back; forgetting it once more takes them away.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Table, delete, func, select, tuple_, update

from contract.crawls import CrawlCancelled, CrawlFinished, CrawlPaused, CrawlResumed, CrawlStarted
from contract.errors import Refused
from storage.archive.archive import SegmentStore
from storage.read_models import queries
from storage.read_models.fold import PROJECTIONS
from storage.sql import bulk
from storage.sql.database import writing
from storage.sql.tables import bodies, crawls, events, segments
from storage.store import event_store

#: Rows deleted in one transaction: some 20 ms, which is how long a recorder may have to wait.
PORTION = 2_000
#: Events of a crawl that ended may be on their way for this long, if what is recorded does not say that it is complete.
SETTLED_SECONDS = 3_600
#: What a crawl's state is made of; without these it would be a crawl that goes on.
_LIFE = (CrawlPaused.TYPE, CrawlResumed.TYPE, CrawlFinished.TYPE, CrawlCancelled.TYPE)

#: Called with the number of events that are gone.
OnProgress = Callable[[int], None]

T = TypeVar("T")


class Forgotten(msgspec.Struct, frozen=True):
    """What forgetting came to: events, and names of segments: deleted with their bytes, or kept for other crawls."""

    events: int
    deleted: Sequence[str]
    deleted_bytes: int
    kept: Sequence[str]


def older_than(engine: Engine, days: float, *, now: datetime | None = None) -> list[str]:
    """The ids of crawls that ended so many days ago, or before, the oldest first."""
    ended = func.coalesce(crawls.c.cancelled_at, crawls.c.finished_at)
    limit = ((now or datetime.now(UTC)) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S")
    with engine.connect() as connection:
        query = select(crawls.c.id).where(crawls.c.state.in_(("finished", "cancelled")), ended <= limit)
        return list(connection.execute(query.order_by(ended, crawls.c.id)).scalars())


def check(engine: Engine, crawl: str, *, now: datetime | None = None) -> None:
    """Raise `Refused` for a crawl that goes on, that is unknown, or that events may still come of."""
    with engine.connect() as connection:
        row = connection.execute(select(crawls).where(crawls.c.id == crawl)).mappings().one_or_none()
    if row is None:
        raise Refused(f"no crawl {crawl!r}")
    if row["state"] not in ("finished", "cancelled"):
        raise Refused(f"the crawl {crawl} is {row['state']}; cancel it first: penstock cancel {crawl}")
    limit = (now or datetime.now(UTC)) - timedelta(seconds=SETTLED_SECONDS)
    has_settled = (row["cancelled_at"] or row["finished_at"]) <= limit.strftime("%Y-%m-%dT%H:%M:%S")
    if not (has_settled or row["started_at"] is None or queries.is_complete(engine, crawl)):
        raise Refused(f"events of the crawl {crawl} may still be on their way; forget it an hour after its end")


def count(engine: Engine, ids: Sequence[str]) -> int:
    """How many events these crawls have."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).where(events.c.crawl.in_(ids))).scalar_one()


def forget(
    engine: Engine,
    archive: SegmentStore,
    ids: Sequence[str],
    *,
    on_progress: OnProgress = lambda gone: None,
    portion: int = PORTION,
    keep: bool = True,
) -> Forgotten:
    """Forget these crawls, so many rows at a time; raises `Refused` if one of them cannot be, and forgets none.

    `keep` False: SQL has all that Redis was told is recorded, so the end of a segment that SQL does not know may go.
    """
    for crawl in ids:
        check(engine, crawl)
    gone, touched = 0, set[int]()
    for crawl in ids:
        for number, some in _forget(engine, crawl, portion):
            gone, touched = gone + number, touched | some
            on_progress(gone)
    archive.repair(engine, keep=keep)  # closes what a recorder left open that is gone
    deleted = _delete_segments(engine, archive)
    for crawl in ids:
        gone += _forget_end(engine, crawl)
        on_progress(gone)
    with engine.connect() as connection:
        theirs = bulk.among(segments.c.id, engine.dialect.name, sorted(touched))
        kept = connection.execute(select(segments.c.name).where(theirs).order_by(segments.c.id)).scalars().all()
    return Forgotten(gone, [name for name, _ in deleted], sum(size for _, size in deleted), kept)


def _forget(engine: Engine, crawl: str, portion: int) -> Iterator[tuple[int, set[int]]]:
    """All but the end, portion by portion; gives the events that are gone, and the segments that had their bodies."""
    yield _forget_beginning(engine, crawl), set()
    for type in _types(engine, crawl):
        yield from _forget_events(engine, crawl, type, portion)
    for table in _read_models():
        while _portion(engine, partial(_delete_rows, table=table, crawl=crawl, limit=portion)):
            yield 0, set()


def _forget_beginning(engine: Engine, crawl: str) -> int:
    with writing(engine) as connection:
        nothing = {"name": None, "spec": None, "started_at": None}
        connection.execute(update(crawls).where(crawls.c.id == crawl).values(nothing))
        started = delete(events).where(events.c.crawl == crawl, events.c.type == CrawlStarted.TYPE)
        return connection.execute(started).rowcount


def _types(engine: Engine, crawl: str) -> list[str]:
    with engine.connect() as connection:
        found = connection.execute(select(events.c.type).distinct().where(events.c.crawl == crawl)).scalars()
        return sorted(set(found) - set(_LIFE))


def _forget_events(engine: Engine, crawl: str, type: str, portion: int) -> Iterator[tuple[int, set[int]]]:
    """In the order of an index, from where the last portion ended: what is dead already is not passed again."""
    after = 0
    event = events.c
    query = select(event.position).where(event.crawl == crawl, event.type == type).order_by(event.position)
    while True:
        with engine.connect() as connection:
            some = list(connection.execute(query.where(event.position > after).limit(portion)).scalars())
        if not some:
            return
        after = some[-1]
        yield len(some), _portion(engine, partial(_delete_events, positions=some))


def _portion(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Do some work in a transaction, and leave recorders as much time as it took."""
    began = time.monotonic()
    with writing(engine) as connection:
        result = work(connection)
    time.sleep(time.monotonic() - began)
    return result


def _delete_events(connection: Connection, *, positions: Sequence[int]) -> set[int]:
    theirs = bulk.among(bodies.c.position, connection.dialect.name, positions)
    touched = set(connection.execute(select(bodies.c.segment).distinct().where(theirs)).scalars())
    connection.execute(delete(bodies).where(theirs))
    connection.execute(delete(events).where(bulk.among(events.c.position, connection.dialect.name, positions)))
    return touched


def _read_models() -> list[Table]:
    tables = [table for projection in PROJECTIONS.values() for table in projection.TABLES]
    return [table for table in tables if "crawl" in table.columns]  # `crawls` itself goes last


def _delete_rows(connection: Connection, *, table: Table, crawl: str, limit: int) -> int:
    keys = tuple_(*table.primary_key.columns)
    some = select(*table.primary_key.columns).where(table.c.crawl == crawl).limit(limit)
    return connection.execute(delete(table).where(keys.in_(some))).rowcount


def _forget_end(engine: Engine, crawl: str) -> int:
    with writing(engine) as connection:
        connection.execute(delete(crawls).where(crawls.c.id == crawl))
        return connection.execute(delete(events).where(events.c.crawl == crawl)).rowcount


def _delete_segments(engine: Engine, archive: SegmentStore) -> list[tuple[str, int]]:
    """Delete the segments that nobody appends to and nobody has a body in; returns names and bytes.

    The bytes go first: nobody will ever name them, and who is interrupted in between finds the rows once more.
    """
    with engine.connect() as connection:
        # In this order: what is closed has its bodies, and gets no more of them while we look.
        closed = connection.execute(select(segments).where(segments.c.closed).order_by(segments.c.id)).all()
        used = set(connection.execute(select(bodies.c.segment).distinct()).scalars())
    unused = [row for row in closed if row.id not in used]
    for some in event_store.chunks(unused):
        archive.delete([row.name for row in some])
        with writing(engine) as connection:
            theirs = bulk.among(segments.c.id, engine.dialect.name, [row.id for row in some])
            connection.execute(delete(segments).where(theirs))
    return [(row.name, row.length) for row in unused]
