"""The archive: bodies, as they came from the fetchers, in `.warc.gz` segments of a folder.

Takes gzip members, each a whole WARC record; gives the `Place` of each; owns the segment files and their rows in SQL.

A recorder process appends to a segment of its own, and holds a lock (flock) on it while it lives. In one batch:
append and `sync`, then SQL commits the places along with the segment's length. So SQL never names bytes that are not on
disk, and a file may be longer than its row says: by what was appended and never committed. `rewind` cuts that off after
a batch that failed; after kill -9 `storage.archive_repair` does, at the next start of any recorder, once the lock shows
that the owner is gone.
"""

import fcntl
import gzip
import logging
import os
import secrets
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, insert, update

from storage.database import writing
from storage.event_store import Place
from storage.tables import segments

log = logging.getLogger("storage.record")

#: A segment that has grown beyond this, or was begun this long ago, is left, and the next one begun.
SEGMENT_BYTES = 1024**3
SEGMENT_SECONDS = 3_600.0
#: What a gzip member begins with; anything else would make the rest of a segment unreadable.
GZIP_MAGIC = b"\x1f\x8b\x08"


class Archive:
    """The archive in a folder, as one recorder appends to it; a context manager that closes the segment."""

    def __init__(
        self,
        folder: Path,
        engine: Engine,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_seconds: float = SEGMENT_SECONDS,
    ) -> None:
        self.folder, self._engine = folder, engine
        self._segment_bytes, self._segment_seconds = segment_bytes, segment_seconds
        self._file: int | None = None
        self._id = self._committed = self._flushed = self._length = 0
        self._began = time.monotonic()

    def __repr__(self) -> str:
        return f"<Archive segment {self._id}: {self._committed} bytes committed, {self._length} appended>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._leave()

    def make_ready(self) -> None:
        """Have a segment open that is not full; outside of any transaction, because it makes one."""
        if self._file is not None and (
            self._committed >= self._segment_bytes or time.monotonic() - self._began >= self._segment_seconds
        ):
            self._roll()
        if self._file is None:
            self._open()

    def append(self, members: Sequence[bytes]) -> list[Place]:
        """Append each member; the places hold once the batch is committed. Raises OSError (disk full, …)."""
        if self._file is None:
            raise OSError("no segment of the archive is open")
        places = []
        for member in members:
            places.append(Place(self._id, self._length, len(member)))
            self._length += len(member)
        _write(self._file, b"".join(members))
        return places

    def flush(self) -> None:
        """Bring what was appended to the disk; outside of the transaction, which others wait for."""
        if self._file is not None and self._length > self._flushed:
            os.fsync(self._file)
            self._flushed = self._length

    def sync(self, connection: Connection) -> None:
        """Bring the segment's length into the transaction, and what is not on the disk yet to it."""
        if self._file is not None and self._length > self._committed:
            self.flush()
            connection.execute(update(segments).where(segments.c.id == self._id).values(length=self._length))

    def commit(self) -> None:
        """The transaction went through: what was appended stays."""
        self._committed = self._length

    def rewind(self) -> None:
        """The transaction failed: cut off what was appended since the last commit."""
        if self._file is not None and self._length > self._committed:
            try:
                os.ftruncate(self._file, self._committed)
                self._length = self._flushed = self._committed
            except OSError as error:
                log.error("left segment %d, it cannot be cut: %s", self._id, error, extra={"action": "left"})
                self._leave()

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"penstock-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}.warc.gz"
        file = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            head = warcinfo(name)
            _write(file, head)
            os.fsync(file)
            _sync_folder(self.folder)
            with writing(self._engine) as connection:
                row = {"name": name, "length": len(head), "closed": False}
                self._id = connection.execute(insert(segments).values(row).returning(segments.c.id)).scalar_one()
        except BaseException:
            os.close(file)
            (self.folder / name).unlink()
            raise
        self._file, self._committed, self._flushed, self._length = file, len(head), len(head), len(head)
        self._began = time.monotonic()

    def _roll(self) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(segments).where(segments.c.id == self._id).values(closed=True))
        self._leave()

    def _leave(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file, self._id, self._committed, self._flushed, self._length = None, 0, 0, 0, 0


def warcinfo(name: str) -> bytes:
    """The record that a segment begins with, as a gzip member. Source: WARC/1.1, section 6.3."""
    fields = b"software: Penstock (https://github.com/penstock/penstock)\r\nformat: WARC File Format 1.1\r\n"
    head = (
        "WARC/1.1\r\nWARC-Type: warcinfo\r\n"
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid4()}>\r\n"
        f"WARC-Date: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\r\nWARC-Filename: {name}\r\n"
        f"Content-Type: application/warc-fields\r\nContent-Length: {len(fields)}\r\n\r\n"
    )
    return gzip.compress(head.encode("ascii") + fields + b"\r\n\r\n")


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
