"""One batch of events → event store, archive and read models, in one SQL transaction.

Takes arrivals, gives what was new. Whatever fails leaves no trace: SQL rolls back, the archive is rewound. Errors are
of two kinds: `is_passing` ones are the database's or the archive's trouble and pass; all others are in the events.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from contract.bus.recorded import Mark
from contract.concerning import concerning
from contract.errors import Unreachable
from contract.pages import body_of
from contract.topology import RECORD
from storage.archive.archive import GZIP_MAGIC, Archive
from storage.archive.metadata import metadata_record
from storage.read_models.fold import fold
from storage.read_models.projections.rows import Row
from storage.sql import schema
from storage.sql.database import writing
from storage.store import event_store
from storage.store.event_store import Arrival, Place, Recorded
from storage.store.ledger import Line

log = logging.getLogger(RECORD.name)

#: Crawl ids are ours and 22 characters long; an index takes no longer ones than this.
MAX_CRAWL_LENGTH = 200


class Unrecordable(ValueError):
    """Raised for an event that no database should be asked to hold."""


class Written(msgspec.Struct, frozen=True):
    """What a batch came to: the number of events that were new, and the rows of pages that they touched.

    `mark` is what Redis is told once a recorder acknowledges it.
    """

    events: int
    pages: Sequence[Row]
    mark: Mark | None = None


class Writer(msgspec.Struct, frozen=True):
    """The recorder that writes a batch, and the mark that Redis had a moment ago."""

    line: Line
    told: Mark | None


def write(engine: Engine, archive: Archive, arrivals: Sequence[Arrival], *, writer: Writer | None = None) -> Written:
    """Record a batch; raises what SQL or the archive raised, with nothing recorded.

    `Refused` means that another version has upgraded the tables, and that this process must not write any more.
    """
    batch = _once(arrivals)
    if any(arrival.body for arrival in batch.values()):
        archive.make_ready()
    try:
        # Ahead of the transaction, which other recorders wait for.
        places, rows = _file_bodies(archive, batch), event_store.rows_of(batch)
        archive.flush()
        with writing(engine) as connection:
            schema.check_unchanged(connection)  # rows of an older version would lack what newer tables are for
            mark = writer.line.enter(connection, writer.told) if writer else None
            written = _write(connection, archive, batch, rows, places)
    except BaseException:
        archive.rewind()
        raise
    archive.commit()
    return msgspec.structs.replace(written, mark=mark)


def is_passing(error: Exception) -> bool:
    """Whether the same batch may go through later: the database or the archive is locked, full, read-only or away."""
    if isinstance(error, DataError | IntegrityError):
        return False
    if isinstance(error, PendingRollbackError | PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        # Class 54 is "program limit exceeded": PostgreSQL calls it operational, but it is in the data.
        return not (getattr(error.orig, "sqlstate", None) or "").startswith("54")
    return isinstance(error, OSError | Unreachable)


def _once(arrivals: Iterable[Arrival]) -> dict[bytes, Arrival]:
    batch: dict[bytes, Arrival] = {}
    for arrival in arrivals:
        if len(arrival.message.envelope.crawl) > MAX_CRAWL_LENGTH:
            raise Unrecordable(f"a crawl id of {len(arrival.message.envelope.crawl)} characters")
        first = batch.setdefault(arrival.key, arrival)
        if first.raw != arrival.raw:
            event_store.conflict(arrival.message)
    return batch


def _write(
    connection: Connection,
    archive: Archive,
    batch: Mapping[bytes, Arrival],
    rows: Sequence[Row],
    places: Mapping[bytes, Place],
) -> Written:
    positions = event_store.append(connection, batch, rows)
    fresh = {key: arrival for key, arrival in batch.items() if key in positions}
    if len(fresh) < len(batch):
        places = _of_fresh(archive, fresh, places)
    _say_lost(fresh, places)
    event_store.append_places(connection, {positions[key]: place for key, place in places.items()})
    pages = fold(connection, [Recorded(key, each.message, places.get(key)) for key, each in fresh.items()])
    if places:
        archive.sync(connection)
    return Written(len(fresh), pages)


def _of_fresh(archive: Archive, fresh: Mapping[bytes, Arrival], places: Mapping[bytes, Place]) -> Mapping[bytes, Place]:
    """The places of what is not known yet; the rest is taken back where that needs no network."""
    if archive.is_appendable:
        archive.rewind()
        return _file_bodies(archive, fresh)
    return {key: place for key, place in places.items() if key in fresh}


def _file_bodies(archive: Archive, batch: Mapping[bytes, Arrival]) -> dict[bytes, Place]:
    bodies = {key: arrival.body for key, arrival in batch.items() if arrival.body and _is_whole(arrival)}
    if not bodies:
        return {}
    pairs = [(body, metadata_record(batch[key].message)) for key, body in bodies.items()]
    places = archive.append([member for pair in pairs for member in pair])
    return dict(zip(bodies, places[::2], strict=True))


def _is_whole(arrival: Arrival) -> bool:
    claimed = body_of(arrival.message.payload) is not None
    return claimed and arrival.body is not None and arrival.body.startswith(GZIP_MAGIC)


def _say_lost(fresh: Mapping[bytes, Arrival], places: Mapping[bytes, Place]) -> None:
    for key, arrival in fresh.items():
        if key not in places and body_of(arrival.message.payload):
            with concerning(RECORD.name, arrival.message):
                why = "no gzip member" if arrival.body else "Redis does not have it"
                url = arrival.message.payload.url
                log.error("the body of %s is lost: %s", url, why, extra={"action": "body_missing"})
