"""Objects that were put and never committed → nothing.

Takes an engine and a store; owns the rows of reservations whose recorder is gone. Each object's name is in SQL before
it is put, so there is no need to look through a bucket. A row that is closed without a length will never have a page,
which a transaction decides: a recorder that comes too late finds its row closed, and uses another name.
"""

import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, select, update

from storage.archive.archive import SegmentStore
from storage.sql.database import writing
from storage.sql.tables import segments

log = logging.getLogger("storage.record")

#: A reservation this old is a dead recorder's: a living one gives its own up in half that time.
SWEPT_SECONDS = 3_600.0
#: Rows and objects deleted at once.
_PORTION = 500
_TIME = re.compile(r"penstock-(\d{8}-\d{6})-")


def sweep(
    engine: Engine, store: SegmentStore, *, swept_seconds: float = SWEPT_SECONDS, keep: bool = False
) -> list[str]:
    """Delete the reservations of dead recorders, and unless `keep` the objects under their names; returns the names.

    Raises `Unreachable`; what is left then is swept the next time.
    """
    portions = _portions(_given_up(engine, swept_seconds))
    names = [name for portion in portions for name in _swept(engine, None if keep else store, portion)]
    if names and keep:
        log.warning("SQL may have lost %d objects, which stay in the archive: %s", len(names), ", ".join(names),
                    extra={"action": "kept"})  # fmt: skip
    elif names:
        log.warning("swept %d objects of the archive that were never recorded", len(names), extra={"action": "swept"})
    return names


def _given_up(engine: Engine, swept_seconds: float) -> list[tuple[int, str]]:
    """Rows and names of segments that will never have a page; closes those that are too old."""
    limit = datetime.now(UTC) - timedelta(seconds=swept_seconds)
    empty = (segments.c.length == 0, segments.c.name.like("%/%"))
    with engine.connect() as connection:
        rows = connection.execute(select(segments).where(*empty)).all()
    old = [row.id for row in rows if row.closed or _reserved_at(row.name) <= limit]
    if old:
        with writing(engine) as connection:
            connection.execute(update(segments).where(segments.c.id.in_(old), *empty).values(closed=True))
    with engine.connect() as connection:
        query = select(segments.c.id, segments.c.name).where(segments.c.closed, *empty)
        return [(id, name) for id, name in connection.execute(query)]


def _reserved_at(name: str) -> datetime:
    found = _TIME.search(name)
    return datetime.strptime(found[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC) if found else datetime.now(UTC)


def _portions(rows: list[tuple[int, str]]) -> Iterable[list[tuple[int, str]]]:
    return (rows[start : start + _PORTION] for start in range(0, len(rows), _PORTION))


def _swept(engine: Engine, store: SegmentStore | None, rows: list[tuple[int, str]]) -> list[str]:
    """The objects first: who is killed in between finds the rows once more."""
    names = [name for _, name in rows]
    if store:
        store.delete(names)
    with writing(engine) as connection:
        ids = [id for id, _ in rows]
        connection.execute(delete(segments).where(segments.c.id.in_(ids), segments.c.length == 0))
    return names
