"""A crawl as one WACZ file: everything in it is where the index says, and is what its digest says."""

import hashlib
import io
import json
import os
import zipfile

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from contract.errors import Refused
from contract.pages import Item
from storage import batch
from storage.archive.reader import ArchiveReader
from storage.archive.segments.files import FileArchive, FileStore
from storage.exports import export
from storage.exports.wacz.index import index_line, response_of
from storage.exports.wacz.package import write_wacz
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import arrival, write

WARC, INDEX, PAGES = "archive/data.warc.gz", "indexes/index.cdx", "pages/pages.jsonl"


@pytest.fixture
def recorded(sqlite_engine, tmp_path):
    """Two pages, one with the generic extractor's text, and a redirect; and a page of another crawl."""
    items = (Item(type="page", data={"title": "A title", "text": "What it says. 😀"}),)
    own = (Item(type="page", data={"text": "a field of a spider's own"}),)
    write(
        sqlite_engine,
        tmp_path / "archive",
        builders.crawl_started(name="books"),
        builders.page_fetched(URL + "/z"),
        builders.page_fetched(),
        builders.page_fetched(URL + "/moved", status=301),
        builders.page_parsed(title="A title", items=items),
        builders.page_parsed(URL + "/z", title="Z", items=own, spider="mine.py:Mine"),
        builders.page_fetched("http://other.test/", crawl="other"),
    )
    return sqlite_engine


def exported(engine, tmp_path, **options):
    """The parts of the file by name, and the number of answers."""
    path = tmp_path / "out.wacz"
    with ArchiveReader(FileStore(tmp_path / "archive"), engine) as reader:
        number = write_wacz(reader, CRAWL, path, **options)
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}, number


def index_of(parts):
    """What each line of the index says: its time and its facts."""
    split = (line.split(" ", 2) for line in parts[INDEX].decode().splitlines())
    return [(stamp, json.loads(facts)) for _, stamp, facts in split]


def test_each_line_of_the_index_leads_to_exactly_its_record(recorded, tmp_path):
    parts, number = exported(recorded, tmp_path)

    lines = index_of(parts)
    assert [facts["url"] for _, facts in lines] == [URL, URL + "/moved", URL + "/z"]
    for stamp, facts in lines:
        start, length = int(facts["offset"]), int(facts["length"])
        [record] = ArchiveIterator(io.BytesIO(parts[WARC][start : start + length]))
        assert record.record_type == WarcRecordType.response
        assert record.headers["WARC-Target-URI"] == facts["url"]
        assert f"{record.record_date:%Y%m%d%H%M%S}" == stamp
        assert (facts["status"], facts["mime"], facts["filename"]) == ("200", "text/html", "data.warc.gz")
    assert number == 3


def test_the_warc_is_the_one_that_is_exported_alone(recorded, tmp_path):
    parts, _ = exported(recorded, tmp_path)

    export.export(recorded, "warc", crawl=CRAWL, to=str(tmp_path / "x"), archive=FileStore(tmp_path / "archive"))
    assert parts[WARC] == (tmp_path / "x").read_bytes()


def test_every_part_is_described_with_its_digest(recorded, tmp_path):
    parts, _ = exported(recorded, tmp_path)

    package = json.loads(parts["datapackage.json"])
    said = {each["path"]: (each["hash"], each["bytes"]) for each in package["resources"]}
    assert said == {name: (digest(parts[name]), len(parts[name])) for name in (WARC, INDEX, PAGES)}
    assert (package["wacz_version"], package["title"]) == ("1.1.1", f"books ({CRAWL})")
    of_package = json.loads(parts["datapackage-digest.json"])
    assert of_package == {"path": "datapackage.json", "hash": digest(parts["datapackage.json"])}


def digest(part):
    return f"sha256:{hashlib.sha256(part).hexdigest()}"


def test_the_warc_lies_in_the_zip_as_it_is_so_that_parts_of_it_can_be_read(recorded, tmp_path):
    exported(recorded, tmp_path)

    with zipfile.ZipFile(tmp_path / "out.wacz") as file:
        assert file.getinfo(WARC).compress_type == zipfile.ZIP_STORED


def test_pages_that_succeeded_are_listed_with_what_the_generic_extractor_read(recorded, tmp_path):
    parts, _ = exported(recorded, tmp_path)

    head, *pages = map(json.loads, parts[PAGES].splitlines())
    assert (head["format"], head["hasText"]) == ("json-pages-1.0", True)
    told = {page["url"]: (page.get("title"), page.get("text")) for page in pages}
    assert told == {URL: ("A title", "What it says. 😀"), URL + "/z": ("Z", None)}
    stamps = {facts["url"]: stamp for stamp, facts in index_of(parts)}
    assert {page["url"]: "".join(filter(str.isdigit, page["ts"])) for page in pages} == {
        url: stamps[url] for url in told
    }


def test_a_page_that_was_fetched_again_has_title_and_text_at_its_last_answer_alone(recorded, tmp_path):
    again = builders.page_fetched(id="again", attempt=2, time="2026-11-24T12:00:00.000Z")
    write(recorded, tmp_path / "archive", again)

    parts, _ = exported(recorded, tmp_path)

    pages = [json.loads(line) for line in parts[PAGES].splitlines()[1:]]
    assert {page["id"]: page.get("title") for page in pages if page["url"] == URL} == {
        builders.page_fetched().envelope.id: None,
        "again": "A title",
    }


def test_failures_that_answered_and_robots_txt_are_indexed_and_are_no_pages(recorded, tmp_path):
    gone = builders.page_failed(URL + "/gone", reason="status", status=404, body=builders.body_ref())
    rules = builders.robots_fetched(body=builders.body_ref(), status=200)
    with FileArchive(tmp_path / "archive", recorded) as archive:
        both = [arrival(each, builders.warc_member(each.payload.url)) for each in (gone, rules)]
        batch.write(recorded, archive, both)

    parts, number = exported(recorded, tmp_path)

    assert number == len(index_of(parts)) == 5
    assert {gone.payload.url, rules.payload.url} < {facts["url"] for _, facts in index_of(parts)}
    assert {json.loads(line)["url"] for line in parts[PAGES].splitlines()[1:]} == {URL, URL + "/z"}


def test_an_index_of_thousands_of_lines_is_sorted_a_few_at_a_time(sqlite_engine, tmp_path):
    urls = [f"http://h{number * 7919 % 97}.test/{number * 7919 % 2_003}" for number in range(2_003)]
    write(sqlite_engine, tmp_path / "archive", *map(builders.page_fetched, urls))

    parts, number = exported(sqlite_engine, tmp_path, in_memory=150)

    lines = parts[INDEX].splitlines()
    assert lines == sorted(lines)
    assert sorted(facts["url"] for _, facts in index_of(parts)) == sorted(urls)
    assert number == len(parts[PAGES].splitlines()) - 1 == len(urls)


def test_what_is_lost_is_left_out_of_every_part(recorded, tmp_path, caplog):
    [path] = (tmp_path / "archive").glob("*.warc.gz")
    written = path.read_bytes()
    path.write_bytes(written[: len(written) // 2])

    parts, number = exported(recorded, tmp_path)

    assert "left out http" in caplog.text
    assert 0 < number < 3
    assert number == len(index_of(parts)) == len([*ArchiveIterator(io.BytesIO(parts[WARC]), WarcRecordType.response)])


def test_a_crawl_of_which_nothing_is_kept_gives_a_file_without_lines(sqlite_engine, tmp_path):
    parts, number = exported(sqlite_engine, tmp_path)

    assert (number, parts[WARC], parts[INDEX], len(parts[PAGES].splitlines())) == (0, b"", b"", 1)


@pytest.mark.parametrize(
    "damage",
    [
        lambda member: member[: len(member) // 2],
        lambda member: member[:12] + bytes(20) + member[32:],
        lambda member: b"",
        lambda member: b"no gzip at all",
    ],
    ids=["cut", "overwritten", "empty", "something else"],
)
def test_a_record_that_cannot_be_read_is_not_indexed(damage):
    assert response_of(damage(builders.warc_member())) is None


def test_a_response_ends_where_its_own_member_does_whatever_follows():
    first = builders.warc_member(body=os.urandom(2_000_000))

    response = response_of(first + builders.warc_member())

    assert response.length == len(first)
    assert f'"length":"{len(first)}"'.encode() in index_line(response, offset=5, filename="x")


@pytest.mark.parametrize("to", ["-", os.devnull, "pipe"])
def test_only_a_file_takes_it(sqlite_engine, tmp_path, to):
    os.mkfifo(tmp_path / "pipe")
    to = str(tmp_path / "pipe") if to == "pipe" else to

    with pytest.raises(Refused, match="needs a file"):
        export.export(sqlite_engine, "wacz", to=to, archive=FileStore(tmp_path / "archive"))

    assert not os.path.isfile(to)


def test_whatever_stops_it_leaves_no_file(recorded, tmp_path):
    (tmp_path / "there").mkdir()
    broken = FileStore(tmp_path / "archive")
    broken.read = lambda *place: 1 / 0

    with pytest.raises(ZeroDivisionError):
        export.export(recorded, "wacz", crawl=CRAWL, to=str(tmp_path / "there" / "x.wacz"), archive=broken)

    assert list((tmp_path / "there").iterdir()) == []
