"""Facts: whether the archive's bucket answers, and what became of the latest objects. Changes nothing."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select

from contract.archive_url import parse_archive_url
from contract.errors import PenstockError
from contract.settings import Settings
from penstock.doctor.archive import ArchiveFacts
from storage.archive.archive import SegmentStore
from storage.archive.segments.opening import open_store
from storage.sql import tables

#: Objects that are looked at, a request for each; a bucket may have millions.
LATEST = 50


def ask_bucket(settings: Settings, connection: Connection | None) -> ArchiveFacts:
    """What the bucket has, and what SQL (where there is one) counts on."""
    bucket = parse_archive_url(settings.archive_url).shown
    try:
        store = open_store(settings)
        store.check()
        segments = _latest(connection)
        return ArchiveFacts(folder=settings.folder, bucket=bucket, segments=segments, files=_files(store, segments))
    except PenstockError as error:
        return ArchiveFacts(folder=settings.folder, bucket=bucket, unwritable=str(error))


def _latest(connection: Connection | None) -> dict[str, int]:
    if connection is None or not inspect(connection).has_table(tables.segments.name):
        return {}
    segment = tables.segments.c
    query = select(segment.name, segment.length).where(segment.length > 0).order_by(segment.id.desc()).limit(LATEST)
    return {row.name: row.length for row in connection.execute(query)}


def _files(store: SegmentStore, segments: dict[str, int]) -> dict[str, int]:
    try:
        return store.sizes(list(segments))
    finally:
        store.close()
