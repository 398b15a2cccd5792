"""Segments as objects of a bucket: a batch is one, a `.warc.gz` of its own, put before SQL commits it.

Takes gzip members, gives the `Place` of each; owns the rows of its segments. Objects cannot be appended to, so:

    reserve a row with the name ──▶ put the object under it ──▶ commit: places, and the row with its length, closed

- Killed before the commit: a row without a length, and perhaps an object that nobody names. The page comes again; row
  and object are swept (`storage.archive.segments.sweep`) RESERVED_SECONDS later at the earliest.
- A name is only ever put with one content, and only where there is none yet. So a request that was given up and arrives
  late can neither harm nor be mistaken for another, and the same batch tried again is not put again.
- A commit whose answer was lost may have gone through: its name is not used again.
- Any number of recorders: names have 64 bits of chance in them.
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, insert, update

from storage.archive.archive import Archive, warcinfo
from storage.sql.database import writing
from storage.sql.tables import segments
from storage.store.event_store import Place

log = logging.getLogger("storage.record")

#: A reservation is given up when it is so old. Must stay well below SWEPT_SECONDS of the sweep, or a recorder that had
#: nothing to do finds its reservation swept; it would notice, and put the batch once more.
RESERVED_SECONDS = 1_800.0

#: Puts an object under a name where there is none; raises `Unreachable`.
Put = Callable[[str, bytes], None]


class ReservationLost(OSError):
    """Raised when a sweep has taken a recorder for dead; the batch is put again under another name."""


class ObjectArchive(Archive):
    """The archive in a bucket, as one recorder puts to it."""

    is_appendable = False

    def __init__(self, put: Put, engine: Engine, *, reserved_seconds: float = RESERVED_SECONDS) -> None:
        self._put_object, self._engine, self._reserved_seconds = put, engine, reserved_seconds
        self._id, self._name, self._head = 0, "", b""
        self._reserved_at = 0.0
        self._blob = b""
        #: Of what was put under the name, or may have been. Not `usable`: SQL may have the name, or a sweep.
        self._digest = b""
        self._is_tried, self._is_put, self._is_usable = False, False, True

    def __repr__(self) -> str:
        return f"<ObjectArchive {self._name or 'without a name'}: {len(self._blob)} bytes to put>"

    def make_ready(self) -> None:
        """Have a name reserved."""
        if self._id and time.monotonic() - self._reserved_at >= self._reserved_seconds:
            self.leave()
        if not self._id:
            self._reserve()

    def append(self, members: Sequence[bytes]) -> list[Place]:
        """Make the object of a batch."""
        if not self._id:
            raise OSError("no segment of the archive is reserved")
        blob = b"".join((self._head, *members))
        if self._digest and self._digest != hashlib.sha256(blob).digest():
            self._reserve()  # another batch than the one that failed
            blob = b"".join((self._head, *members))
        self._blob, places, offset = blob, [], len(self._head)
        for member in members:
            places.append(Place(self._id, offset, len(member)))
            offset += len(member)
        return places

    def flush(self) -> None:
        """Put the object."""
        if self._blob and not self._is_put:
            self._is_tried = True
            self._put_object(self._name, self._blob)
            self._is_put = True

    def sync(self, connection: Connection) -> None:
        """Bring the object's length into the transaction."""
        if self._blob:
            self.flush()
            self._is_usable = False
            mine = (segments.c.id == self._id, segments.c.closed.is_(False))
            values = {"length": len(self._blob), "closed": True}
            if connection.execute(update(segments).where(*mine).values(values)).rowcount != 1:
                raise ReservationLost(f"the segment {self._name} was swept")

    def commit(self) -> None:
        """The object stays; or if nobody has a place in it, it is left to the sweep."""
        if self._blob:
            self.leave()

    def rewind(self) -> None:
        """Keep the name for the same batch, unless SQL may have it already, or a sweep."""
        if self._is_tried and self._blob:
            self._digest = hashlib.sha256(self._blob).digest()
        self._blob = b""
        if not self._is_usable:
            self.leave()

    def leave(self) -> None:
        """Give the name up; a row that has no length yet is left to the sweep."""
        self._id, self._name, self._head, self._blob, self._digest = 0, "", b"", b"", b""
        self._is_tried, self._is_put, self._is_usable = False, False, True

    def _reserve(self) -> None:
        self.leave()
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d}/penstock-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(8)}.warc.gz"
        with writing(self._engine) as connection:
            row = {"name": name, "length": 0, "closed": False}
            self._id = connection.execute(insert(segments).values(row).returning(segments.c.id)).scalar_one()
        self._name, self._head, self._reserved_at = name, warcinfo(name.rpartition("/")[2]), time.monotonic()
