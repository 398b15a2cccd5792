"""Bodies come out of the archive as they went in."""

import pytest

from storage.archive.reader import ArchiveReader, LostBody
from storage.archive.segments.files import FileArchive, FileStore
from storage.batch import write as write_batch
from storage.store.event_store import Place
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import arrival, write

URLS = [f"{URL}/{number}" for number in range(40)]


def test_the_pages_of_a_crawl_are_read_in_order_from_many_segments(engine, tmp_path):
    with FileArchive(tmp_path, engine, segment_bytes=1) as archive:
        for url in URLS:
            write_batch(engine, archive, [arrival(builders.page_fetched(url)), arrival(builders.page_parsed(url))])
    write(engine, tmp_path, builders.page_fetched(crawl="other"))

    with ArchiveReader(FileStore(tmp_path), engine) as reader:
        read = [(event.message.payload.url, reader.read(event.place)) for event in reader.pages(CRAWL)]

    assert read == [(url, builders.warc_member(url)) for url in URLS]


def test_all_crawls_are_read_unless_one_is_named(sqlite_engine, tmp_path):
    write(sqlite_engine, tmp_path, builders.page_fetched(), builders.page_fetched(crawl="other"))

    with ArchiveReader(FileStore(tmp_path), sqlite_engine) as reader:
        assert [event.message.envelope.crawl for event in reader.pages()] == [CRAWL, "other"]


@pytest.mark.parametrize("fault", ["gone", "short", "elsewhere"])
def test_a_body_that_is_not_there_is_said_to_be_lost(sqlite_engine, tmp_path, fault):
    write(sqlite_engine, tmp_path, builders.page_fetched())
    [path] = tmp_path.glob("*.warc.gz")
    if fault == "gone":
        path.unlink()
    if fault == "short":
        path.write_bytes(path.read_bytes()[:300])

    with ArchiveReader(FileStore(tmp_path), sqlite_engine) as reader:
        [event] = reader.pages()
        place = Place(event.place.segment, event.place.offset + 1, 10) if fault == "elsewhere" else event.place
        with pytest.raises(LostBody, match=path.name):
            reader.read(place)
