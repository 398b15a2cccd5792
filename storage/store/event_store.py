"""The event store: every event, once, in the order in which it was recorded.

Takes messages with their raw bytes, gives positions; owns `events` and `bodies`. An id that is known already is refused
by the unique key, not by a look, so redelivery changes nothing.
"""

import gzip
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from isal import igzip
from sqlalchemy import Connection, Engine, select

from contract import codec
from contract.envelope import Message
from contract.pages import RobotsFetched
from storage.sql import bulk
from storage.sql.tables import bodies, digest, events, mark
from storage.sql.text import cleaned

log = logging.getLogger("storage.record")

#: Messages from this size on are packed. Shorter ones save less space than their bytes in SQL are worth to a reader.
PACKED_BYTES = 1_000
_LEVEL = 1
_CHUNK = 1_000

T = TypeVar("T")


class Place(msgspec.Struct, frozen=True):
    """Where a body lies in the archive: the segment's number, and offset and length in bytes."""

    segment: int
    offset: int
    length: int


class Recorded(msgspec.Struct, frozen=True):
    """An event as projections get it; `key` identifies it, `place` is its body's, if it has one."""

    key: bytes
    message: Message
    place: Place | None = None


class Arrival(msgspec.Struct, frozen=True):
    """An event that may or may not be known already."""

    message: Message
    raw: bytes
    body: bytes | None = None

    @property
    def key(self) -> bytes:
        """What the event store knows it by."""
        return digest(self.message.envelope.id)


class Stored(msgspec.Struct, frozen=True):
    """An event read back: its position, its raw bytes, and where its body lies."""

    position: int
    raw: bytes
    place: Place | None

    def recorded(self) -> Recorded:
        """The same event as projections take it."""
        message = cleaned(codec.decode(self.raw), self.raw)
        return Recorded(digest(message.envelope.id), message, self.place)


def append(
    connection: Connection, arrivals: Mapping[bytes, Arrival], rows: Sequence[dict[str, object]] = ()
) -> dict[bytes, int]:
    """Append what is not known yet, in the order given; returns the positions of these alone.

    `rows` is what `rows_of` makes of them, if the caller had time for it before.
    """
    dialect = connection.dialect.name
    result = connection.execute(_appending(dialect), bulk.parameters(events, dialect, rows or rows_of(arrivals)))
    positions = {bytes(key): position for key, position in result}
    if len(positions) < len(arrivals):
        _compare(connection, {key: each for key, each in arrivals.items() if key not in positions})
    return positions


def rows_of(arrivals: Mapping[bytes, Arrival]) -> list[dict[str, object]]:
    """What `append` writes; it takes time to make, and needs no transaction."""
    return [_row(key, arrival) for key, arrival in arrivals.items()]


@cache
def _appending(dialect: str) -> Any:
    statement = bulk.insert_into(events, dialect).on_conflict_do_nothing(index_elements=["key"])
    return statement.returning(events.c.key, events.c.position)


def append_places(connection: Connection, places: Mapping[int, Place]) -> None:
    """Remember where the bodies of these positions lie."""
    if places:
        rows = [{"position": position, **msgspec.structs.asdict(place)} for position, place in places.items()]
        dialect = connection.dialect.name
        connection.execute(bulk.insert_into(bodies, dialect), bulk.parameters(bodies, dialect, rows))


def read(
    engine: Engine,
    *,
    after: int = 0,
    types: Sequence[str] = (),
    crawl: str | None = None,
    about: int | None = None,
) -> Iterator[Stored]:
    """Events behind a position, in order, in constant memory.

    Any of these types (all if none), of one crawl or all; `about` is the mark of a URL, or of a host for its
    robots.txt, and very rarely finds an event of another one too.
    """
    query = select(events.c.position, events.c.data, bodies.c.segment, bodies.c.offset, bodies.c.length)
    query = query.join_from(events, bodies, events.c.position == bodies.c.position, isouter=True)
    if types:
        query = query.where(events.c.type.in_(types))
    if crawl is not None:
        query = query.where(events.c.crawl == crawl)
    if about is not None:
        query = query.where(events.c.about == about)
    query = query.order_by(events.c.position).limit(_CHUNK)
    while True:
        with engine.connect() as connection:
            rows = connection.execute(query.where(events.c.position > after)).all()
        yield from (stored_of(*row) for row in rows)
        if len(rows) < _CHUNK:
            return
        after = rows[-1].position


def by_key(engine: Engine, keys: Sequence[bytes]) -> Iterator[Recorded]:
    """The events of these keys that there are, in any order, without the places of their bodies."""
    for some in chunks(keys):
        with engine.connect() as connection:
            rows = connection.execute(select(events.c.position, events.c.data).where(events.c.key.in_(some))).all()
        yield from (stored_of(*row).recorded() for row in rows)


def recorded_ids(engine: Engine, ids: Sequence[str]) -> set[str]:
    """Those of these event ids under which something is recorded."""
    asked = {digest(id): id for id in ids}
    found: set[str] = set()
    with engine.connect() as connection:
        for some in chunks(list(asked)):
            keys = connection.execute(select(events.c.key).where(events.c.key.in_(some))).scalars()
            found |= {asked[bytes(key)] for key in keys}
    return found


def stored_of(
    position: int, data: bytes, segment: int | None = None, offset: int | None = None, length: int | None = None
) -> Stored:
    """An event from its columns."""
    place = None if segment is None or offset is None or length is None else Place(segment, offset, length)
    return Stored(position, unpacked(data), place)


def _row(key: bytes, arrival: Arrival) -> dict[str, object]:
    envelope = arrival.message.envelope
    return {
        "key": key,
        "id": envelope.id,
        "type": envelope.type,
        "crawl": envelope.crawl,
        "subject": envelope.subject,
        "time": envelope.time,
        "data": packed(arrival.raw),
        "about": _about(arrival.message),
    }


def _about(message: Message) -> int | None:
    payload = message.payload
    what = payload.host if isinstance(payload, RobotsFetched) else getattr(payload, "url", None)
    return None if what is None else mark(message.envelope.crawl, what)


def packed(raw: bytes) -> bytes:
    """How a message is kept: long ones as a gzip member, a fifth of the size where a page has many links."""
    return igzip.compress(raw, _LEVEL, mtime=0) if len(raw) >= PACKED_BYTES else raw


def unpacked(data: bytes) -> bytes:
    """The message itself; JSON does not begin like gzip."""
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _compare(connection: Connection, known: Mapping[bytes, Arrival]) -> None:
    """The first to say something under an id is believed; another text under the same id is somebody's mistake."""
    for keys in chunks(list(known)):
        for key, data in connection.execute(select(events.c.key, events.c.data).where(events.c.key.in_(keys))):
            if unpacked(data) != known[bytes(key)].raw:
                conflict(known[bytes(key)].message)


def conflict(message: Message) -> None:
    """Say loudly that an id was used twice for different events."""
    envelope = message.envelope
    log.error("%s %s came again with another content; the first one stays", envelope.type, envelope.id,
              extra={"action": "conflict"})  # fmt: skip


def chunks(keys: Sequence[T], size: int = _CHUNK) -> Iterable[Sequence[T]]:
    """The same keys in lists short enough for one statement."""
    return (keys[start : start + size] for start in range(0, len(keys), size))
