"""Exports: whole or not at all, valid, and harmless."""

import csv
import json
import os
import subprocess
import sys
from datetime import UTC

import duckdb
import msgspec
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from sqlalchemy import text
from warcio.checker import Checker

from contract import codec
from contract.errors import Refused
from contract.pages import Item
from storage.archive.segments.files import FileStore
from storage.exports import export
from storage.exports.formats import cell
from storage.sql.database import writing
from storage.store import event_store
from storage.store.event_store import Arrival
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import write


@pytest.fixture
def recorded(engine, tmp_path):
    """A page with an awkward title, two items, and a failure."""
    items = (Item(type="page", data={"a": "=1"}), Item(type="page", data={"b": ["😀", 1.5, None]}))
    write(
        engine,
        tmp_path / "archive",
        builders.page_fetched(),
        builders.page_parsed(title='=HYPERLINK("http://evil"),\r\nnext', items=items),
        builders.page_failed(URL + "/gone"),
        builders.page_fetched(crawl="other"),
    )
    return engine


def test_json_lines_are_one_object_a_row(recorded, tmp_path):
    assert export.export(recorded, "items", crawl=CRAWL, to=str(tmp_path / "items.jsonl")) == 2

    lines = (tmp_path / "items.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["data"] for line in lines] == [{"a": "=1"}, {"b": ["😀", 1.5, None]}]


def test_csv_has_a_header_and_is_read_back_as_it_was(recorded, tmp_path):
    assert export.export(recorded, "pages", crawl=CRAWL, format="csv", to=str(tmp_path / "pages.csv")) == 2

    with (tmp_path / "pages.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["url"]: row for row in csv.DictReader(file)}
    assert rows[URL]["title"] == '\'=HYPERLINK("http://evil"),\r\nnext'
    assert (rows[URL]["status"], rows[URL + "/gone"]["status"]) == ("200", "")


def test_an_export_of_nothing_is_a_header_or_an_empty_file(engine, tmp_path):
    assert export.export(engine, "failures", format="csv", to=str(tmp_path / "f.csv")) == 0
    assert export.export(engine, "failures", to=str(tmp_path / "f.jsonl")) == 0

    assert (tmp_path / "f.csv").read_bytes() == (b'"url","reason","detail","status","attempts","crawl","failed_at"\r\n')
    assert (tmp_path / "f.jsonl").read_bytes() == b""


def test_all_crawls_are_exported_unless_one_is_named(recorded, tmp_path):
    assert export.export(recorded, "pages", to=str(tmp_path / "all")) == 3


@pytest.mark.parametrize(
    "value",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\tx", "\rx", "\0=1"),
        *(" =1", "\n=1", '"=1', "'=1", "\u00a0=1", "\u3000=1", "\ufeff=1", "＝1", "＋1", "－1", "＠x", " \u3000＝1"),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_only_text(value):
    assert cell(value) == "'" + value


@pytest.mark.parametrize("value", ["plain", "a=b", "1-2", "", " ", None, 5, -5, 1.5, True])
def test_other_cells_are_left_alone(value):
    assert cell(value) == value


def test_objects_in_cells_are_json():
    assert cell({"a": [1, "ü"]}) == '{"a":[1,"ü"]}'


def test_an_export_that_breaks_off_leaves_the_old_file_and_no_other(recorded, tmp_path):
    path = tmp_path / "out" / "pages.jsonl"
    path.parent.mkdir()
    path.write_text("the old one")

    with writing(recorded) as connection:
        connection.execute(text("UPDATE items SET data = 'no JSON' WHERE ordinal = 1"))

    with pytest.raises(msgspec.DecodeError):
        export.export(recorded, "items", to=str(path))

    assert path.read_text() == "the old one"
    assert [each.name for each in path.parent.iterdir()] == ["pages.jsonl"]


@pytest.mark.parametrize("name", ["no/such/folder/x.csv", ".", "x" * 300])
def test_a_file_that_cannot_be_written_is_refused_in_one_line(engine, tmp_path, name):
    with pytest.raises(Refused, match=r"^cannot write [^\n]*$"):
        export.export(engine, "pages", to=str(tmp_path / name))


def test_a_device_is_written_to_and_not_replaced(recorded):
    assert export.export(recorded, "pages", to=os.devnull) == 3

    assert not os.path.isfile(os.devnull)


def test_a_link_stays_a_link(recorded, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")

    export.export(recorded, "pages", to=str(tmp_path / "link"))

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").is_file()


@pytest.mark.parametrize("reader", ["all", "one line"])
def test_standard_output_may_be_closed_early(sqlite_engine, sqlite_url, tmp_path, reader):
    write(sqlite_engine, tmp_path, *(builders.page_excluded(f"{URL}/{number}") for number in range(3_000)))
    code = (
        "import sys; from storage.sql.database import make_engine; from storage.exports.export import export;"
        "engine = make_engine(sys.argv[1]); export(engine, 'pages'); engine.dispose()"
    )

    with subprocess.Popen(
        [sys.executable, "-c", code, sqlite_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        first = process.stdout.readline()
        rest = process.stdout.read() if reader == "all" else b""
        process.stdout.close()
        complaints = process.stderr.read()

    assert json.loads(first)["outcome"] == "excluded"
    assert rest.count(b"\n") in (0, 2_999)
    assert (process.returncode, complaints) == (0, b"")


def test_events_are_their_envelopes_one_a_line(recorded, tmp_path):
    path = tmp_path / "events.jsonl"
    assert export.export(recorded, "events", crawl=CRAWL, types=["page.failed", "page.parsed"], to=str(path)) == 2

    events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [event["type"] for event in events] == ["page.parsed", "page.failed"]
    assert {event["specversion"] for event in events} == {"1.0"}
    assert codec.decode(path.read_bytes().splitlines()[0]).payload.title.startswith("=HYPERLINK")


def test_all_events_are_exported_unless_some_are_named(recorded, tmp_path):
    assert export.export(recorded, "events", to=str(tmp_path / "all")) == 4


def test_a_published_event_of_many_lines_becomes_one(sqlite_engine, tmp_path):
    raw = msgspec.json.format(codec.encode(builders.page_failed(detail="a\nb")))
    with writing(sqlite_engine) as connection:
        event_store.append(connection, {b"x" * 32: Arrival(codec.decode(raw), raw)})

    export.export(sqlite_engine, "events", to=str(tmp_path / "events"))

    [line] = (tmp_path / "events").read_text().splitlines()
    assert json.loads(line)["data"]["detail"] == "a\nb"


def test_items_of_every_version_are_exported_on_demand(recorded, tmp_path):
    later = builders.page_parsed(id="2", spider_version="2", time="2026-11-24T12:00:00.000Z")
    write(recorded, tmp_path / "archive", later)

    def versions(**which):
        export.export(recorded, "items", crawl=CRAWL, to=str(tmp_path / "items"), **which)
        return sorted(json.loads(line)["spider_version"] for line in (tmp_path / "items").read_text().splitlines())

    assert versions() == ["2"]
    assert versions(all_versions=True) == ["1", "1", "2"]


@pytest.mark.parametrize("what", ["pages", "items", "failures"])
def test_parquet_holds_the_same_rows_with_types(recorded, tmp_path, what):
    path, plain = tmp_path / f"it's {what}.parquet", tmp_path / "plain"
    number = export.export(recorded, what, to=str(path))
    export.export(recorded, what, to=str(plain))

    with duckdb.connect() as connection:
        rows = connection.execute("SELECT * FROM read_parquet($path)", {"path": str(path)})
        columns = {column[0]: str(column[1]) for column in rows.description}
        found = [dict(zip(columns, row, strict=True)) for row in rows.fetchall()]
    expected = [json.loads(line) for line in plain.read_text("utf-8").splitlines()]
    assert len(found) == len(expected) == number
    assert [_plain(row) for row in found] == expected
    assert {columns.get("status", "INTEGER"), columns.get("fetched_at", TIMESTAMPTZ)} == {"INTEGER", TIMESTAMPTZ}
    assert columns.get("data", "VARCHAR") == "VARCHAR"


def _plain(row):
    """A row of Parquet as JSON Lines has it."""
    times = {
        name: value.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
        for name, value in row.items()
        if name in _AT and value
    }
    return row | times | ({"data": json.loads(row["data"])} if "data" in row else {})


_AT = ("fetched_at", "failed_at")
TIMESTAMPTZ = "TIMESTAMP WITH TIME ZONE"


def test_an_empty_parquet_file_is_a_parquet_file(engine, tmp_path):
    assert export.export(engine, "pages", format="parquet", to=str(tmp_path / "x")) == 0

    with duckdb.connect() as connection:
        assert connection.execute("SELECT * FROM read_parquet($x)", {"x": str(tmp_path / "x")}).fetchall() == []


def test_without_duckdb_parquet_is_refused_with_the_way_to_get_it(sqlite_url, tmp_path):
    code = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from contract.errors import Refused; from storage.sql.database import make_engine\n"
        "from storage.exports.export import export\n"
        "try: export(make_engine(sys.argv[1]), 'pages', to=sys.argv[2])\n"
        "except Refused as refused: print(refused)"
    )
    command = [sys.executable, "-c", code, sqlite_url, str(tmp_path / "x.parquet")]
    said = subprocess.run(command, capture_output=True, text=True).stdout

    assert said == "Parquet needs DuckDB, which is not installed: pip install 'penstock-crawler[parquet]'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("what", "format", "to", "says"),
    [
        ("events", "csv", "-", "events cannot be written as csv; only as jsonl"),
        ("warc", "jsonl", "-", "warc cannot be written as jsonl; only as warc"),
        ("pages", "warc", "-", "pages cannot be written as warc; only as jsonl or csv or parquet"),
        ("pages", "parquet", "-", "Parquet needs a file: give one with -o"),
    ],
)
def test_what_cannot_be_written_so_is_refused(sqlite_engine, tmp_path, what, format, to, says):
    with pytest.raises(Refused, match=f"^{says}$"):
        export.export(sqlite_engine, what, format=format, to=to)


def test_the_name_of_the_file_says_the_format(recorded, tmp_path):
    export.export(recorded, "pages", to=str(tmp_path / "pages.csv"))

    assert (tmp_path / "pages.csv").read_text().startswith('"url","status"')


def test_a_crawl_leaves_the_archive_as_one_warc_file(recorded, tmp_path):
    path, archive = tmp_path / "crawl.warc.gz", FileStore(tmp_path / "archive")
    write(recorded, archive.folder, builders.page_fetched(URL + "/2"))

    assert export.export(recorded, "warc", crawl=CRAWL, to=str(path), archive=archive) == 2

    with path.open("rb") as file:
        records = [(each.record_type, each.headers.get("WARC-Target-URI")) for each in ArchiveIterator(file)]
    both = (WarcRecordType.response, WarcRecordType.metadata)
    assert records == [(WarcRecordType.warcinfo, None), *((kind, url) for url in (URL, URL + "/2") for kind in both)]
    checker = Checker(type("Arguments", (), {"inputs": [str(path)], "verbose": False})())
    checker.process_all()
    assert checker.exit_value == 0


def test_a_warc_export_leaves_out_what_is_lost_and_says_so(recorded, tmp_path, caplog):
    archive = FileStore(tmp_path / "archive")
    for path in archive.folder.glob("*.warc.gz"):
        path.write_bytes(path.read_bytes()[:300])

    assert export.export(recorded, "warc", crawl=CRAWL, to=str(tmp_path / "x"), archive=archive) == 0

    assert f"left out {URL}" in caplog.text
