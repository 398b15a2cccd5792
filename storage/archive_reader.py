"""Bodies out of the archive, each as the fetcher made it: a WARC record as a gzip member, its request's behind it.

Takes an engine and the archive's folder; owns open files, a few at a time. Any number of readers may read while
recorders append.
"""

import contextlib
import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, select

from events.errors import PenstockError
from events.pages import PageFetched
from storage import event_store, tables
from storage.archive import GZIP_MAGIC
from storage.event_store import Place, Recorded

#: Segments held open; a crawl's pages lie in as many as there were recorders, one after the other.
_MOST_OPEN = 16


class LostBody(PenstockError):
    """Raised for a body that the archive does not have (any more)."""


class ArchiveReader:
    """The archive in a folder, as one reader sees it; a context manager that closes the files."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self._engine = folder, engine
        self._names: dict[int, str] = {}
        self._open: OrderedDict[int, int] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def pages(self, crawl: str | None = None, *, after: int = 0) -> Iterator[Recorded]:
        """Every page.fetched of a crawl (of all if None), in the order in which they were archived."""
        for stored in event_store.read(self._engine, after=after, types=(PageFetched.TYPE,), crawl=crawl):
            yield stored.recorded()

    def read(self, place: Place | None) -> bytes:
        """The bytes at this place, as the fetcher made them; raises `LostBody` where there are none."""
        if place is None:
            raise LostBody("it was gone before it could be recorded")
        try:
            member = os.pread(self._file(place.segment), place.length, place.offset)
        except OSError as error:
            raise LostBody(f"the archive's segment {self._name(place.segment)}: {error.strerror}") from error
        if len(member) < place.length or not member.startswith(GZIP_MAGIC):
            raise LostBody(f"no record at {place.offset} of the archive's segment {self._name(place.segment)}")
        return member

    def _file(self, segment: int) -> int:
        if segment in self._open:
            self._open.move_to_end(segment)
            return self._open[segment]
        file = os.open(self.folder / self._name(segment), os.O_RDONLY)
        self._open[segment] = file
        if len(self._open) > _MOST_OPEN:
            with contextlib.suppress(OSError):
                os.close(self._open.popitem(last=False)[1])
        return file

    def _name(self, segment: int) -> str:
        if segment not in self._names:
            with self._engine.connect() as connection:
                query = select(tables.segments.c.name).where(tables.segments.c.id == segment)
                self._names[segment] = connection.execute(query).scalar_one()
        return self._names[segment]
