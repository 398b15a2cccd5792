"""What holds for every store of segments: files of a folder and objects of a bucket alike."""

import threading

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from storage.archive.reader import ArchiveReader, LostBody
from storage.batch import write as write_batch
from storage.exports import export
from storage.forget import forget
from storage.sql import tables
from tests import builders
from tests.builders import CRAWL
from tests.storage.helpers import arrival, contents, faults
from tests.storage.segments.helpers import (
    URLS,
    Broken,
    archive_of,
    breaking_commit,
    fetched,
    readable,
    recorded,
    repaired,
    rows,
    saved,
    sizes,
)


def test_pages_come_back_as_they_went_in(engine, store):
    recorded(store, engine, URLS[:5], URLS[5:6], URLS[6:])

    assert readable(store, engine) == URLS


def test_each_segment_is_a_file_that_other_tools_read(sqlite_engine, store, tmp_path):
    recorded(store, sqlite_engine, URLS[:2], URLS[2:3])

    paths = saved(store, sqlite_engine, tmp_path / "saved")
    records = []
    for path in paths:
        assert faults(path) == []
        with path.open("rb") as file:
            found = [(record.record_type, record.headers.get("WARC-Target-URI")) for record in ArchiveIterator(file)]
        assert found[0] == (WarcRecordType.warcinfo, None)
        records += found[1:]
    assert records == [(kind, url) for url in URLS[:3] for kind in (WarcRecordType.response, WarcRecordType.metadata)]


def test_segments_follow_one_another(sqlite_engine, store):
    recorded(store, sqlite_engine, *([url] for url in URLS), segment_bytes=1)

    assert len({row["name"] for row in rows(sqlite_engine)}) == len(URLS)
    assert readable(store, sqlite_engine) == URLS


def test_a_segment_is_as_long_as_its_row_says(sqlite_engine, store):
    recorded(store, sqlite_engine, URLS[:3], URLS[3:])

    assert sizes(store, sqlite_engine) == {row["name"]: row["length"] for row in rows(sqlite_engine)}


def test_recorders_at_once_do_not_meet(engine, store):
    errors = []

    def work(urls):
        try:
            recorded(store, engine, *([url] for url in urls))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(URLS[start::3],)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert sorted(readable(store, engine)) == sorted(URLS)
    assert len({row["name"] for row in rows(engine)}) == len(rows(engine)) >= 3


def test_a_batch_that_fails_costs_neither_it_nor_the_next_one_anything(sqlite_engine, store):
    too_large = fetched(URLS[1]) + fetched(URLS[2], elapsed_ms=2**70)
    with archive_of(store, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, fetched(URLS[0]))
        for _ in range(2):
            with pytest.raises(OverflowError):
                write_batch(sqlite_engine, archive, too_large)
        write_batch(sqlite_engine, archive, fetched(URLS[1]))

    assert readable(store, sqlite_engine) == URLS[:2]
    repaired(store, sqlite_engine)
    assert sum(sizes(store, sqlite_engine).values()) == sum(row["length"] for row in rows(sqlite_engine))


def test_what_comes_again_is_not_kept_twice(sqlite_engine, store):
    recorded(store, sqlite_engine, URLS[:2])
    before, held = contents(sqlite_engine), sizes(store, sqlite_engine)

    with archive_of(store, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, fetched(*URLS[:2]))
        assert contents(sqlite_engine) == before
        write_batch(sqlite_engine, archive, fetched(*URLS[1:3]))
        write_batch(sqlite_engine, archive, fetched(URLS[3]))

    assert readable(store, sqlite_engine) == URLS[:4]
    repaired(store, sqlite_engine)
    assert held.items() <= sizes(store, sqlite_engine).items()
    assert sizes(store, sqlite_engine) == {row["name"]: row["length"] for row in rows(sqlite_engine)}


def test_a_batch_without_bodies_makes_no_segment(sqlite_engine, store):
    with archive_of(store, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, [arrival(builders.crawl_started())])
        with pytest.raises(OverflowError):
            write_batch(sqlite_engine, archive, [arrival(builders.page_failed(elapsed_ms=2**70))])

    assert rows(sqlite_engine) == []


def test_a_recorder_killed_between_bytes_and_commit_leaves_nothing_once_it_is_repaired(sqlite_engine, store):
    recorded(store, sqlite_engine, URLS[:2])
    killed = archive_of(store, sqlite_engine)
    killed.make_ready()
    killed.append([builders.warc_member(url) for url in URLS[2:4]])
    killed.flush()
    killed.leave()  # as the kernel does
    assert len(sizes(store, sqlite_engine)) == 2

    [left] = repaired(store, sqlite_engine)

    recorded(store, sqlite_engine, URLS[2:4])
    assert readable(store, sqlite_engine) == URLS[:4]
    assert sizes(store, sqlite_engine) == {row["name"]: row["length"] for row in rows(sqlite_engine)}
    assert store.sizes([left]).get(left, 0) < 1_000


@pytest.mark.parametrize("takes_place", [True, False])
def test_a_commit_that_nobody_answered_files_a_page_once(sqlite_engine, store, takes_place, tmp_path):
    with archive_of(store, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, fetched(URLS[0]))
        with breaking_commit(sqlite_engine, takes_place=takes_place), pytest.raises(Broken):
            write_batch(sqlite_engine, archive, fetched(*URLS[:3]))
        write_batch(sqlite_engine, archive, [arrival(builders.crawl_started())])
        assert write_batch(sqlite_engine, archive, fetched(*URLS[:3])).events == (0 if takes_place else 2)
        write_batch(sqlite_engine, archive, fetched(URLS[3]))

    assert readable(store, sqlite_engine) == URLS[:4]
    repaired(store, sqlite_engine)
    assert readable(store, sqlite_engine) == URLS[:4]
    assert [fault for path in saved(store, sqlite_engine, tmp_path / "saved") for fault in faults(path)] == []


def test_a_segment_that_is_gone_is_a_lost_body(sqlite_engine, store):
    recorded(store, sqlite_engine, URLS[:2])
    [name] = [row["name"] for row in rows(sqlite_engine)]
    store.delete([name])

    with ArchiveReader(store, sqlite_engine) as reader:
        first, _ = reader.pages()
        with pytest.raises(LostBody, match=rf"^the archive's segment {name}: "):
            reader.read(first.place)


@pytest.mark.parametrize("offset", [100, 10**9])
def test_a_place_without_a_record_is_a_lost_body(sqlite_engine, store, offset):
    recorded(store, sqlite_engine, URLS[:2])

    with ArchiveReader(store, sqlite_engine) as reader:
        first, _ = reader.pages()
        elsewhere = type(first.place)(first.place.segment, offset, 10)
        with pytest.raises(LostBody, match=f"^no record at {offset} of "):
            reader.read(elsewhere)


def test_pages_are_read_in_any_order(sqlite_engine, store):
    recorded(store, sqlite_engine, URLS[:6], URLS[6:])

    with ArchiveReader(store, sqlite_engine) as reader:
        pages = list(reader.pages())
        for event in [*pages[::-1], *pages[::3], *pages[::2]]:
            assert reader.read(event.place) == builders.warc_member(event.message.payload.url)


def test_names_that_are_not_there_are_no_trouble(sqlite_engine, store):
    recorded(store, sqlite_engine, URLS[:1])
    [name] = [row["name"] for row in rows(sqlite_engine)]

    assert list(store.sizes(["20260101/never.warc.gz", name])) == [name]
    store.delete(["20260101/never.warc.gz", name])
    store.delete([])
    assert store.sizes([name]) == {}


def test_a_crawl_leaves_a_store_as_one_valid_file(sqlite_engine, store, tmp_path):
    recorded(store, sqlite_engine, URLS[:6], URLS[6:])
    out = tmp_path / "out.warc.gz"

    assert export.export(sqlite_engine, "warc", crawl=CRAWL, to=str(out), archive=store) == len(URLS)

    assert faults(out) == []
    with out.open("rb") as file:
        urls = [each.headers.get("WARC-Target-URI") for each in ArchiveIterator(file)]
    assert urls == [None, *(url for url in URLS for _ in range(2))]


def test_a_forgotten_crawl_leaves_no_segment(sqlite_engine, store):
    end = arrival(builders.crawl_finished(fetched=1))
    with archive_of(store, sqlite_engine) as archive:
        write_batch(sqlite_engine, archive, [arrival(builders.crawl_started()), *fetched(URLS[0]), end])
    recorded(store, sqlite_engine)
    repaired(store, sqlite_engine)
    names = [row["name"] for row in rows(sqlite_engine)]

    assert forget(sqlite_engine, store, [CRAWL]).deleted == names

    assert store.sizes(names) == {}
    assert contents(sqlite_engine, [tables.segments])["segments"] == []
