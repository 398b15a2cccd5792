"""One batch of events → event store, archive and read models, in one SQL transaction.

Takes arrivals, gives what was new. Whatever fails leaves no trace: SQL rolls back, the archive is rewound. Errors are
of two kinds: `is_passing` ones are the database's or the disk's trouble and pass; all others are in the events.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from events.pages import PageFetched
from storage import event_store
from storage.archive import GZIP_MAGIC, Archive
from storage.database import writing
from storage.event_store import Arrival, Place, Recorded
from storage.fold import fold
from storage.metadata import metadata_record
from storage.projections.rows import Row

log = logging.getLogger("storage.record")

#: Crawl ids are ours and 22 characters long; an index takes no longer ones than this.
MAX_CRAWL_LENGTH = 200


class Unrecordable(ValueError):
    """Raised for an event that no database should be asked to hold."""


class Written(msgspec.Struct, frozen=True):
    """What a batch came to: the number of events that were new, and the rows of pages that they touched."""

    events: int
    pages: Sequence[Row]


def write(engine: Engine, archive: Archive, arrivals: Sequence[Arrival]) -> Written:
    """Record a batch; raises what SQL or the archive raised, with nothing recorded."""
    batch = _once(arrivals)
    if any(arrival.body for arrival in batch.values()):
        archive.make_ready()
    try:
        with writing(engine) as connection:
            written = _write(connection, archive, batch)
    except BaseException:
        archive.rewind()
        raise
    archive.commit()
    return written


def is_passing(error: Exception) -> bool:
    """Whether the same batch may go through later: the database is locked, full, read-only or away."""
    if isinstance(error, DataError | IntegrityError):
        return False
    if isinstance(error, DBAPIError):
        # Class 54 is "program limit exceeded": PostgreSQL calls it operational, but it is in the data.
        return not (getattr(error.orig, "sqlstate", None) or "").startswith("54")
    return isinstance(error, OSError)


def _once(arrivals: Iterable[Arrival]) -> dict[bytes, Arrival]:
    batch: dict[bytes, Arrival] = {}
    for arrival in arrivals:
        if len(arrival.message.envelope.crawl) > MAX_CRAWL_LENGTH:
            raise Unrecordable(f"a crawl id of {len(arrival.message.envelope.crawl)} characters")
        first = batch.setdefault(arrival.key, arrival)
        if first.raw != arrival.raw:
            event_store.conflict(arrival.message)
    return batch


def _write(connection: Connection, archive: Archive, batch: Mapping[bytes, Arrival]) -> Written:
    positions = event_store.append(connection, batch)
    fresh = {key: arrival for key, arrival in batch.items() if key in positions}
    places = _file_bodies(archive, fresh)
    event_store.append_places(connection, {positions[key]: place for key, place in places.items()})
    archive.sync(connection)
    pages = fold(connection, [Recorded(key, each.message, places.get(key)) for key, each in fresh.items()])
    return Written(len(fresh), pages)


def _file_bodies(archive: Archive, fresh: Mapping[bytes, Arrival]) -> dict[bytes, Place]:
    bodies = {}
    for key, arrival in fresh.items():
        if not isinstance(arrival.message.payload, PageFetched):
            continue
        if arrival.body and arrival.body.startswith(GZIP_MAGIC):
            bodies[key] = arrival.body
        else:
            log.error("the body of %s is lost: %s", arrival.message.payload.url,
                      "no gzip member" if arrival.body else "Redis does not have it",
                      extra={"action": "body_missing"})  # fmt: skip
    if not bodies:
        return {}
    pairs = [(body, metadata_record(fresh[key].message)) for key, body in bodies.items()]
    places = archive.append([member for pair in pairs for member in pair])
    return dict(zip(bodies, places[::2], strict=True))
