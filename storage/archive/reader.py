"""Bodies out of the archive, each as the fetcher made it: a WARC record as a gzip member, its request's behind it.

Takes an engine and a store of segments; owns the names of segments, and what the store holds open for it. Any number of
readers may read while recorders append.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, select

from contract.errors import PenstockError
from contract.pages import PageFailed, PageFetched, RobotsFetched, body_of
from storage.archive.archive import GZIP_MAGIC, SegmentStore
from storage.sql import tables
from storage.store import event_store
from storage.store.event_store import Place, Recorded


class LostBody(PenstockError):
    """Raised for a body that the archive does not have (any more)."""


class ArchiveReader:
    """The archive as one reader sees it; a context manager that lets go of what the store holds."""

    def __init__(self, store: SegmentStore, engine: Engine) -> None:
        self.store, self.engine = store, engine
        self._names: dict[int, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.store.close()

    def pages(self, crawl: str | None = None, *, after: int = 0) -> Iterator[Recorded]:
        """Every page.fetched of a crawl (of all if None), in the order in which they were archived."""
        return self._of_kinds(crawl, after, PageFetched.TYPE)

    def kept(self, crawl: str | None = None) -> Iterator[Recorded]:
        """Everything that is kept of a crawl: the same, the answers of pages that failed, and each robots.txt."""
        return self._of_kinds(crawl, 0, PageFetched.TYPE, PageFailed.TYPE, RobotsFetched.TYPE)

    def _of_kinds(self, crawl: str | None, after: int, *kinds: str) -> Iterator[Recorded]:
        for stored in event_store.read(self.engine, after=after, types=kinds, crawl=crawl):
            event = stored.recorded()
            if body_of(event.message.payload):
                yield event

    def read(self, place: Place | None) -> bytes:
        """The bytes at this place, as the fetcher made them.

        Raises `LostBody` where there are none, `Unreachable` where the store does not answer.
        """
        if place is None:
            raise LostBody("it was gone before it could be recorded")
        name = self._name(place.segment)
        try:
            member = self.store.read(name, place.offset, place.length)
        except OSError as error:
            raise LostBody(f"the archive's segment {name}: {error.strerror}") from error
        if len(member) < place.length or not member.startswith(GZIP_MAGIC):
            raise LostBody(f"no record at {place.offset} of the archive's segment {name}")
        return member

    def _name(self, segment: int) -> str:
        if segment not in self._names:
            with self.engine.connect() as connection:
                query = select(tables.segments.c.name).where(tables.segments.c.id == segment)
                self._names[segment] = connection.execute(query).scalar_one()
        return self._names[segment]
