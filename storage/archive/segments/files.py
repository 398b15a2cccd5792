"""Segments as files of a folder: each recorder appends to one of its own, batch after batch.

Takes gzip members, each a whole WARC record; gives the `Place` of each; owns the segment files and their rows in SQL.

A recorder holds a lock (flock) on its segment while it lives. In one batch: append and `flush`, then SQL commits the
places along with the segment's length. So a file may be longer than its row says: by what was appended and never
committed. `rewind` cuts that off after a batch that failed; after kill -9 `storage.archive.segments.repair` does, at
the next start of any recorder, once the lock shows that the owner is gone.
"""

import contextlib
import fcntl
import logging
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select, update

from storage.archive.archive import Archive, SegmentStore, warcinfo
from storage.archive.segments.repair import repair
from storage.sql.database import writing
from storage.sql.tables import segments
from storage.store.event_store import Place

log = logging.getLogger("storage.record")

#: A segment that has grown beyond this, or was begun this long ago, is left, and the next one begun.
SEGMENT_BYTES = 1024**3
SEGMENT_SECONDS = 3_600.0
#: Segments held open by a reader; a crawl's pages lie in as many as there were recorders, one after the other.
_MOST_OPEN = 16


class FileStore(SegmentStore):
    """Segments in a folder, which need not be there yet; owns open files, a few at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, str(folder)
        self._open: OrderedDict[str, int] = OrderedDict()

    def check(self) -> None:
        """A folder is made where it is not there."""

    def archive(
        self, engine: Engine, *, segment_bytes: int = SEGMENT_BYTES, segment_seconds: float = SEGMENT_SECONDS
    ) -> "FileArchive":
        """What a recorder appends to."""
        return FileArchive(self.folder, engine, segment_bytes=segment_bytes, segment_seconds=segment_seconds)

    def repair(self, engine: Engine, *, keep: bool = False) -> list[str]:
        """Make segments whole whose recorder is gone; returns the names of those that were cut."""
        return repair(self.folder, engine, keep=keep)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """The bytes that the file has there."""
        return os.pread(self._file(name), length, offset)

    def _file(self, name: str) -> int:
        if name in self._open:
            self._open.move_to_end(name)
            return self._open[name]
        file = os.open(self.folder / name, os.O_RDONLY)
        self._open[name] = file
        if len(self._open) > _MOST_OPEN:
            with contextlib.suppress(OSError):
                os.close(self._open.popitem(last=False)[1])
        return file

    def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """The sizes of those files that are there."""
        found = {}
        for name in names:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                found[name] = (self.folder / name).stat().st_size
        return found

    def delete(self, names: Sequence[str]) -> None:
        """Delete these files."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files."""
        while self._open:
            os.close(self._open.popitem()[1])


class SegmentLost(OSError):
    """Raised when SQL has gone back to before a recorder's segment was begun; the batch goes into another one."""


class FileArchive(Archive):
    """The archive in a folder, as one recorder appends to it."""

    is_appendable = True

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
        self._name = ""
        self._id = self._committed = self._flushed = self._length = 0
        self._is_promised = self._is_in_doubt = False
        self._began = time.monotonic()

    def __repr__(self) -> str:
        return f"<FileArchive segment {self._id}: {self._committed} bytes committed, {self._length} appended>"

    def make_ready(self) -> None:
        """Have a segment open that is not full."""
        if self._is_in_doubt:
            self._settle()
        if self._file is not None and (
            self._committed >= self._segment_bytes or time.monotonic() - self._began >= self._segment_seconds
        ):
            self._roll()
        if self._file is None:
            self._open()

    def append(self, members: Sequence[bytes]) -> list[Place]:
        """Append each member to the file."""
        if self._file is None:
            raise OSError("no segment of the archive is open")
        places = []
        for member in members:
            places.append(Place(self._id, self._length, len(member)))
            self._length += len(member)
        _write(self._file, b"".join(members))
        return places

    def flush(self) -> None:
        """Bring what was appended to the disk."""
        if self._file is not None and self._length > self._flushed:
            os.fsync(self._file)
            self._flushed = self._length

    def sync(self, connection: Connection) -> None:
        """Bring the segment's length into the transaction, and what is not on the disk yet to it."""
        if self._file is not None and self._length > self._committed:
            self.flush()
            mine = (segments.c.id == self._id, segments.c.name == self._name)
            if connection.execute(update(segments).where(*mine).values(length=self._length)).rowcount != 1:
                name = self._name
                self.leave()
                raise SegmentLost(f"SQL has lost the segment {name}")
            self._is_promised = True

    def commit(self) -> None:
        """What was synced stays."""
        if self._is_promised:
            self._committed, self._is_promised = self._length, False

    def rewind(self) -> None:
        """Cut off what was appended since the last commit; where SQL may have it, once SQL says that it has not."""
        if self._is_promised:
            self._is_promised, self._is_in_doubt = False, True
        elif not self._is_in_doubt:
            self._cut()

    def leave(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
        self._file, self._name, self._id, self._committed, self._flushed, self._length = None, "", 0, 0, 0, 0
        self._is_promised = self._is_in_doubt = False

    def _settle(self) -> None:
        """Ask SQL whether a commit took place whose answer was lost; as a writer, for by then it has ended."""
        with writing(self._engine) as connection:
            query = select(segments.c.length).where(segments.c.id == self._id, segments.c.name == self._name)
            committed = connection.execute(query).scalar_one_or_none()
        if committed is None:
            return self.leave()  # SQL has lost it, and the batch goes into another one
        self._committed, self._is_in_doubt = committed, False
        self._cut()

    def _cut(self) -> None:
        if self._file is not None and self._length > self._committed:
            try:
                os.ftruncate(self._file, self._committed)
                self._length = self._flushed = self._committed
            except OSError as error:
                log.error("left segment %d, it cannot be cut: %s", self._id, error, extra={"action": "left"})
                self.leave()

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
        self._file, self._name = file, name
        self._committed, self._flushed, self._length = len(head), len(head), len(head)
        self._began = time.monotonic()

    def _roll(self) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(segments).where(segments.c.id == self._id).values(closed=True))
        self.leave()


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
