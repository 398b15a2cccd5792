"""Segment files that a recorder left behind, made whole again at the next start of any recorder.

Takes the archive's folder and an engine; owns the tails of segments whose owner is gone, as their lock shows. A tail
that was never committed is cut off; where SQL has lost something it may have been, so it is set aside in `unrecorded/`
before. A segment that lost bytes which were committed (a disk's fault, or somebody's) is
cut behind its last whole record, and its row says so: the pages that lay beyond have lost their bodies.
"""

import contextlib
import fcntl
import logging
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, update

from storage.sql.database import writing
from storage.sql.tables import bodies, segments

log = logging.getLogger("storage.record")

#: Bytes read at a time; a thousand times as many, decoded, must fit into memory.
_CHUNK = 16 * 1024
#: Bytes copied at a time.
_COPIED = 1024 * 1024
#: Where in the archive's folder lies what SQL has lost.
UNRECORDED = "unrecorded"
#: zlib's word for "with a gzip header and trailer".
_GZIP = 31


def repair(folder: Path, engine: Engine, *, keep: bool = False) -> list[str]:
    """Make the archive whole; returns the names of the segments that were cut. With `keep` nothing is thrown away."""
    with engine.connect() as connection:
        mine = segments.c.name.not_like("%/%")  # what has a slash lies in a bucket
        rows = connection.execute(select(segments).where(mine).order_by(segments.c.id)).all()
    cut = []
    for row in rows:
        if row.closed and not _is_short(folder / row.name, row.length):
            continue
        with _owned(folder / row.name) as file:
            if file is not None and _repair(file, engine, row.id, folder / UNRECORDED if keep else None):
                cut.append(row.name)
    return cut


def _is_short(path: Path, length: int) -> bool:
    try:
        return path.stat().st_size < length
    except OSError:
        return False


def _repair(file: int, engine: Engine, segment: int, aside: Path | None) -> bool:
    with engine.connect() as connection:  # with the lock held: before, its owner may have gone on
        row = connection.execute(select(segments).where(segments.c.id == segment)).one()
    size = os.fstat(file).st_size
    length = row.length if size >= row.length else _whole(engine, file, row, size)
    kept = _set_aside(file, length, aside / f"{length}-{row.name}") if aside and size > row.length else None
    if size > length:
        os.ftruncate(file, length)
        os.fsync(file)
    if kept:
        log.warning("%s: SQL has lost its last %d bytes, which are kept as %s", row.name, size - length, kept,
                    extra={"action": "kept"})  # fmt: skip
    elif size > row.length:
        log.warning("%s: cut off %d bytes that were never recorded", row.name, size - length,
                    extra={"action": "repaired"})  # fmt: skip
    with writing(engine) as connection:
        changed = {"length": length, "closed": True}
        connection.execute(update(segments).where(segments.c.id == segment).values(changed))
    return size > length


def _set_aside(file: int, offset: int, path: Path) -> Path:
    """Copy what a file has behind an offset to another one, and that to the disk."""
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as copy:
        while chunk := os.pread(file, _COPIED, offset + copy.tell()):
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    return path


def _whole(engine: Engine, file: int, row: Any, size: int) -> int:
    """Where the last whole record of a segment ends that has only so many bytes left; says what is lost."""
    end = bodies.c.offset + bodies.c.length
    mine = select(func.max(end).filter(end <= size), func.count().filter(end > size)).where(bodies.c.segment == row.id)
    with engine.connect() as connection:
        known, lost = connection.execute(mine).one()
    length = _end_of_members(file, known or 0)
    log.error("%s has lost its last %d bytes, and with them the bodies of %d pages", row.name,
              row.length - length, lost, extra={"action": "archive_short"})  # fmt: skip
    return length


def _end_of_members(file: int, offset: int) -> int:
    """Where the last whole gzip member ends, read from the beginning of one."""
    while length := _member_length(file, offset):
        offset += length
    return offset


def _member_length(file: int, offset: int) -> int:
    """The length of the gzip member here; 0 where there is no whole one."""
    member, read = zlib.decompressobj(_GZIP), 0
    while chunk := os.pread(file, _CHUNK, offset + read):
        read += len(chunk)
        try:
            member.decompress(chunk)
        except zlib.error:
            return 0
        if member.eof:
            return read - len(member.unused_data)
    return 0


@contextlib.contextmanager
def _owned(path: Path) -> Iterator[int | None]:
    """The file, open and locked, or None where it is gone or its owner lives."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        log.error("the archive's segment %s is gone", path, extra={"action": "archive_gone"})
        yield None
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
    except BlockingIOError:
        yield None
    finally:
        os.close(file)
