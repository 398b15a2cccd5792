"""The archive: valid WARC segments, and what becomes of them when a batch or a recorder fails."""

import io
import random
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from scraper.warc import digest_of, write_record
from storage.archive.metadata import metadata_record
from storage.archive.segments.files import FileArchive
from storage.archive.segments.repair import repair
from storage.batch import write as write_batch
from storage.sql import tables
from storage.sql.database import writing
from tests import builders
from tests.storage.helpers import arrival, contents, faults, only_row, write

URLS = [f"http://site.test/{number}" for number in range(5)]


def test_a_segment_is_read_by_other_tools(sqlite_engine, tmp_path):
    write(sqlite_engine, tmp_path, *map(builders.page_fetched, URLS))

    [path] = tmp_path.glob("*.warc.gz")
    with path.open("rb") as file:
        records = [(record.record_type, record.headers.get("WARC-Target-URI")) for record in ArchiveIterator(file)]
    both = (WarcRecordType.response, WarcRecordType.metadata)
    assert records == [(WarcRecordType.warcinfo, None), *((kind, url) for url in URLS for kind in both)]
    assert faults(path) == []


def test_how_a_page_was_asked_for_stands_beside_its_answer(sqlite_engine, tmp_path):
    """The metadata record names the very record that the fetcher has written."""
    message = builders.page_fetched(URLS[0], via="http://site.test/ü\r\nX: y", depth=3, attempt=2, waited_ms=7)
    record = write_record(
        url=URLS[0], event_id=message.envelope.id, status=200, headers=[], body=b"x", digest=digest_of(b"x"),
        started_at=message.payload.started_at, request=b"GET /0 HTTP/1.1\r\nHost: site.test\r\n\r\n",
    )  # fmt: skip
    with FileArchive(tmp_path, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, [arrival(message, record)])

    [path] = tmp_path.glob("*.warc.gz")
    with path.open("rb") as file:
        records = ((each.headers.asdict(), each.reader.read()) for each in ArchiveIterator(file, parse_http=False))
        _, response, request, metadata = records
    assert request[0]["WARC-Concurrent-To"] == response[0]["WARC-Record-ID"]
    assert request[1].startswith(b"GET /0 HTTP/1.1\r\n")
    assert metadata[0]["WARC-Concurrent-To"] == response[0]["WARC-Record-ID"]
    assert metadata[0]["WARC-Date"] == response[0]["WARC-Date"]
    assert metadata[1].decode().split("\r\n") == [
        f"crawl: {builders.CRAWL}",
        "via: http://site.test/ü X: y",
        *("depth: 3", "hops: 0", "attempt: 2", "fetchTimeMs: 20", "waitedMs: 7", "wireBytes: 400", ""),
    ]
    assert faults(path) == []


@pytest.mark.parametrize("started_at", [-(2**62), -1, 0, 2**62])
def test_a_time_that_no_calendar_has_is_archived_all_the_same(sqlite_engine, tmp_path, started_at):
    write(sqlite_engine, tmp_path, builders.page_fetched(started_at=started_at))

    [path] = tmp_path.glob("*.warc.gz")
    assert faults(path) == []


def test_each_page_points_at_its_record(sqlite_engine, tmp_path):
    write(sqlite_engine, tmp_path, *map(builders.page_fetched, URLS[:2]))
    write(sqlite_engine, tmp_path, builders.page_fetched(URLS[2]))

    names = {row["id"]: row["name"] for row in contents(sqlite_engine, [tables.segments])["segments"]}
    for page in contents(sqlite_engine)["pages"]:
        with (tmp_path / names[page["segment"]]).open("rb") as file:
            file.seek(page["offset"])
            member = file.read(page["length"])
        [record] = WarcioIterator(io.BytesIO(member))
        assert record.rec_headers["WARC-Target-URI"] == page["url"]


def test_a_segment_that_is_full_is_followed_by_another(sqlite_engine, tmp_path):
    with FileArchive(tmp_path, sqlite_engine, segment_bytes=600) as archive:
        for url in URLS:
            write_batch(sqlite_engine, archive, [arrival(builders.page_fetched(url))])

    assert len(list(tmp_path.glob("*.warc.gz"))) > 1
    assert len({page["segment"] for page in contents(sqlite_engine)["pages"]}) > 1
    assert [fault for path in tmp_path.glob("*.warc.gz") for fault in faults(path)] == []


def test_a_segment_that_is_old_is_followed_by_another(sqlite_engine, tmp_path):
    with FileArchive(tmp_path, sqlite_engine, segment_seconds=0.0) as archive:
        for url in URLS:
            write_batch(sqlite_engine, archive, [arrival(builders.page_fetched(url))])

        rows = contents(sqlite_engine, [tables.segments])["segments"]
    assert [row["closed"] for row in rows] == [True] * 4 + [False]
    assert len(list(tmp_path.glob("*.warc.gz"))) == 5


def test_a_batch_that_fails_leaves_nothing_in_the_archive(sqlite_engine, tmp_path):
    too_large = builders.page_fetched(URLS[1], elapsed_ms=2**70)

    with FileArchive(tmp_path, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, [arrival(builders.page_fetched(URLS[0]))])
        with pytest.raises(OverflowError):
            write_batch(sqlite_engine, archive, [arrival(too_large)])
        write_batch(sqlite_engine, archive, [arrival(builders.page_fetched(URLS[2]))])

    [path] = tmp_path.glob("*.warc.gz")
    assert path.stat().st_size == only_row(sqlite_engine, tables.segments)["length"]
    with path.open("rb") as file:
        urls = [each.headers.get("WARC-Target-URI") for each in ArchiveIterator(file)]
    assert urls == [None, URLS[0], URLS[0], URLS[2], URLS[2]]


def test_an_event_that_comes_again_is_not_archived_again(sqlite_engine, tmp_path):
    with FileArchive(tmp_path, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, [arrival(builders.page_fetched())])
        size = _size(tmp_path)
        write_batch(sqlite_engine, archive, [arrival(builders.page_fetched())])

    assert _size(tmp_path) == size


@pytest.mark.parametrize("tail", [b"\x1f\x8b\x08 a member that was cut", builders.warc_member(URLS[4])])
def test_what_a_killed_recorder_had_not_committed_is_cut_off(sqlite_engine, tmp_path, tail, caplog):
    write(sqlite_engine, tmp_path, builders.page_fetched())
    [path] = tmp_path.glob("*.warc.gz")
    before = path.read_bytes()
    path.write_bytes(before + tail)

    assert repair(tmp_path, sqlite_engine) == [path.name]

    assert path.read_bytes() == before
    assert f"cut off {len(tail)} bytes" in caplog.text
    assert repair(tmp_path, sqlite_engine) == []


def test_wherever_a_crash_cuts_a_batch_the_archive_is_whole_again(sqlite_engine, tmp_path):
    """The disk has any part of what was being appended; SQL has none of it."""
    dice, known = random.Random(7), set()
    lost = b"".join(map(builders.warc_member, URLS)) + metadata_record(builders.page_fetched())
    for _ in range(20):
        with FileArchive(tmp_path, sqlite_engine) as archive:
            url = f"http://site.test/{dice.random()}"
            write_batch(sqlite_engine, archive, [arrival(builders.page_fetched(url))])
        [newest] = set(tmp_path.glob("*.warc.gz")) - known
        known.add(newest)
        before = newest.read_bytes()
        newest.write_bytes(before + lost[: dice.randrange(1, len(lost))])

        assert repair(tmp_path, sqlite_engine) == [newest.name]

        assert newest.read_bytes() == before
    assert [fault for path in tmp_path.glob("*.warc.gz") for fault in faults(path)] == []


def test_the_segment_of_a_living_recorder_is_left_alone(sqlite_engine, tmp_path):
    with FileArchive(tmp_path, sqlite_engine) as archive:
        archive.make_ready()
        archive.append([builders.warc_member()])
        size = _size(tmp_path)

        assert repair(tmp_path, sqlite_engine) == []

        assert _size(tmp_path) == size
        with writing(sqlite_engine) as connection:
            archive.sync(connection)
        archive.commit()


def test_segments_of_another_database_are_left_alone(sqlite_engine, tmp_path):
    (tmp_path / "somebody-elses.warc.gz").write_bytes(b"whatever")

    assert repair(tmp_path, sqlite_engine) == []
    assert (tmp_path / "somebody-elses.warc.gz").read_bytes() == b"whatever"


def test_a_segment_that_is_gone_is_reported(sqlite_engine, tmp_path, caplog):
    write(sqlite_engine, tmp_path, builders.page_fetched())
    [path] = tmp_path.glob("*.warc.gz")
    path.unlink()

    assert repair(tmp_path, sqlite_engine) == []

    assert f"{path} is gone" in caplog.text


@pytest.mark.parametrize("body", [b"", b"<html>no gzip"])
def test_a_page_whose_body_is_lost_is_recorded_and_flagged(sqlite_engine, tmp_path, body, caplog):
    write(sqlite_engine, tmp_path, builders.page_fetched(URLS[0]))
    with FileArchive(tmp_path, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, [arrival(builders.page_fetched(URLS[1], flags=("odd",)), body)])

    lost = next(page for page in contents(sqlite_engine)["pages"] if page["url"] == URLS[1])
    assert (lost["outcome"], lost["segment"], lost["flags"]) == ("fetched", None, "odd body_missing")
    assert "is lost" in caplog.text


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.warc.gz"))
