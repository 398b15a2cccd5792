"""What tests of stores share: recording pages, breaking a commit, and looking at what lies in a store."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, event

from storage.archive.archive import SegmentStore
from storage.archive.reader import ArchiveReader
from storage.archive.segments.bucket import ObjectStore
from storage.archive.segments.files import SEGMENT_BYTES, SEGMENT_SECONDS
from storage.archive.segments.sweep import sweep
from storage.batch import write as write_batch
from storage.sql import tables
from tests import builders
from tests.storage.helpers import arrival, contents

URLS = [f"http://site.test/{number}" for number in range(12)]


def archive_of(store: SegmentStore, engine: Engine, *, segment_bytes: int = SEGMENT_BYTES):
    """What a recorder appends to."""
    return store.archive(engine, segment_bytes=segment_bytes, segment_seconds=SEGMENT_SECONDS)


def fetched(*urls: str, **more):
    """Arrivals of pages."""
    return [arrival(builders.page_fetched(url, **more)) for url in urls]


def recorded(store: SegmentStore, engine: Engine, *batches, segment_bytes: int = SEGMENT_BYTES) -> None:
    """Record each batch of URLs, by one recorder."""
    with archive_of(store, engine, segment_bytes=segment_bytes) as archive:
        for urls in batches:
            write_batch(engine, archive, fetched(*urls))


def readable(store: SegmentStore, engine: Engine) -> list[str]:
    """The URLs of all pages, in the order of the archive, whose bodies come back as they went in."""
    with ArchiveReader(store, engine) as reader:
        pages = [(event.message.payload.url, reader.read(event.place)) for event in reader.pages()]
    assert pages == [(url, builders.warc_member(url)) for url, _ in pages]
    return [url for url, _ in pages]


def rows(engine: Engine) -> list[dict]:
    """The segments that SQL knows."""
    return contents(engine, [tables.segments])["segments"]


def sizes(store: SegmentStore, engine: Engine) -> dict[str, int]:
    """What lies under each name that SQL knows."""
    return store.sizes([row["name"] for row in rows(engine)])


def saved(store: SegmentStore, engine: Engine, folder: Path) -> list[Path]:
    """Each segment, as far as it is recorded, as a file of its own."""
    folder.mkdir()
    paths = []
    for row in rows(engine):
        if row["length"]:
            paths.append(folder / f"{len(paths)}.warc.gz")
            paths[-1].write_bytes(store.read(row["name"], 0, row["length"]))
    return paths


def repaired(store: SegmentStore, engine: Engine) -> list[str]:
    """What the next start of a recorder does, an hour later."""
    return sweep(engine, store, swept_seconds=-5) if isinstance(store, ObjectStore) else store.repair(engine)


class Broken(ConnectionError):
    """The connection to the database broke."""


@contextlib.contextmanager
def breaking_commit(engine: Engine, *, takes_place: bool) -> Iterator[None]:
    """In the block, commits of a batch are not answered: they have taken place, or they have not."""

    with engine.connect() as connection:
        before = _bodies(connection)

    def on_commit(connection):
        if connection.get_execution_options().get("writes") and _bodies(connection) > before:
            if takes_place:
                connection.connection.driver_connection.execute("COMMIT")
            raise Broken("the connection broke")

    event.listen(engine, "commit", on_commit)
    yield
    event.remove(engine, "commit", on_commit)


def _bodies(connection) -> int:
    return connection.exec_driver_sql("SELECT count(*) FROM bodies").scalar_one()
