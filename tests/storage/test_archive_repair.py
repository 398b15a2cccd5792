"""A segment that lost bytes of the record is whole again after the next start, and what is lost is said to be lost."""

import gzip
import os

import pytest
from sqlalchemy import update

from scraper.warc import digest_of, write_record
from storage.archive.reader import ArchiveReader, LostBody
from storage.archive.segments.files import FileArchive, FileStore
from storage.archive.segments.repair import repair
from storage.batch import write as write_batch
from storage.exports import export
from storage.sql import tables
from storage.sql.database import writing
from storage.store.history import history
from tests import builders
from tests.builders import CRAWL
from tests.storage.helpers import arrival, faults, only_row, write

URLS = [f"http://site.test/{number}" for number in range(6)]
REQUEST = b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n"


def fetched(url):
    """A page with its request, as the fetcher leaves it."""
    message = builders.page_fetched(url)
    body = url.encode() * 30
    record = write_record(
        url=url, event_id=message.envelope.id, status=200, headers=[], body=body, digest=digest_of(body),
        started_at=message.payload.started_at, request=REQUEST,
    )  # fmt: skip
    return arrival(message, record)


@pytest.fixture
def segment(engine, tmp_path):
    """The path of a segment with a page a URL, whose recorder has ended."""
    with FileArchive(tmp_path, engine) as archive:
        write_batch(engine, archive, [arrival(builders.crawl_started(*URLS)), *map(fetched, URLS)])
    [path] = tmp_path.glob("*.warc.gz")
    return path


def readable(engine, folder):
    """The URLs of the pages whose bodies can be read."""
    found = []
    with ArchiveReader(FileStore(folder), engine) as reader:
        for event in reader.pages():
            try:
                reader.read(event.place)
            except LostBody:
                continue
            found.append(event.message.payload.url)
    return found


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.2, 0.5, 0.77, 0.93, 0.999])
def test_wherever_a_segment_is_cut_whole_records_remain_and_the_row_says_how_long_it_is(
    engine, segment, tmp_path, kept, caplog
):
    os.truncate(segment, int(segment.stat().st_size * kept))

    repair(tmp_path, engine)

    row = only_row(engine, tables.segments)
    assert (row["length"], row["closed"]) == (segment.stat().st_size, True)
    assert row["length"] == 0 or faults(segment) == []
    lost = [url for url in URLS if url not in readable(engine, tmp_path)]
    assert f"the bodies of {len(lost)} pages" in caplog.text
    assert [url for url in URLS if _is_lost(engine, url)] == lost
    assert repair(tmp_path, engine) == []


def _is_lost(engine, url):
    [facts] = [step.facts for step in history(engine, CRAWL, url) if step.what == "fetched"]
    assert ("body" in facts) != ("body_lost" in facts)
    return "body_lost" in facts


def test_a_cut_between_two_records_costs_no_other(engine, segment, tmp_path):
    before = segment.read_bytes()
    with ArchiveReader(FileStore(tmp_path), engine) as reader:
        last = [event.place for event in reader.pages()][-1]
    os.truncate(segment, last.offset + last.length + 1)

    repair(tmp_path, engine)

    assert segment.read_bytes() == before[: last.offset + last.length]
    assert readable(engine, tmp_path) == URLS


def test_a_segment_that_was_closed_long_ago_is_looked_at_too(engine, segment, tmp_path):
    with writing(engine) as connection:
        connection.execute(update(tables.segments).values(closed=True))
    os.truncate(segment, segment.stat().st_size // 2)

    assert repair(tmp_path, engine) == [segment.name]

    assert only_row(engine, tables.segments)["length"] == segment.stat().st_size
    assert faults(segment) == []


def test_a_closed_segment_that_is_whole_or_longer_or_elsewhere_is_left_alone(sqlite_engine, tmp_path, caplog):
    for number in range(3):
        write(sqlite_engine, tmp_path, builders.page_fetched(URLS[number]))
    repair(tmp_path, sqlite_engine)
    _, longer, elsewhere = sorted(tmp_path.glob("*.warc.gz"))
    longer.write_bytes(longer.read_bytes() + b"more")
    elsewhere.unlink()
    before = longer.read_bytes()

    assert repair(tmp_path, sqlite_engine) == []

    assert longer.read_bytes() == before
    assert caplog.records == []


def test_an_export_leaves_lost_bodies_out_and_says_how_many(engine, segment, tmp_path, caplog):
    with FileArchive(tmp_path, engine) as archive:
        write_batch(engine, archive, [arrival(builders.page_fetched(URLS[0] + "/never"), b"")])
    os.truncate(segment, segment.stat().st_size // 2)
    repair(tmp_path, engine)
    kept = readable(engine, tmp_path)
    out = tmp_path / "out.warc.gz"

    assert export.export(engine, "warc", archive=FileStore(tmp_path), to=str(out)) == len(kept)

    assert faults(out) == []
    assert gzip.decompress(out.read_bytes()).count(REQUEST) == len(kept)
    assert f"left out {len(URLS) + 1 - len(kept)} pages" in caplog.messages[-1]


def test_an_export_names_only_the_first_of_very_many_lost_bodies(sqlite_engine, tmp_path, caplog):
    many = [arrival(builders.page_fetched(f"http://site.test/{number}"), b"") for number in range(25)]
    with FileArchive(tmp_path, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, many)
    caplog.clear()

    export.export(sqlite_engine, "warc", archive=FileStore(tmp_path), to=str(tmp_path / "out.warc.gz"))

    assert len(caplog.messages) == 10 + 1
    assert "left out 25 pages" in caplog.messages[-1]
