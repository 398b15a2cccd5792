"""Exports: whole or not at all, valid, and harmless."""

import csv
import json
import os
import subprocess
import sys

import msgspec
import pytest
from sqlalchemy import text

from events.errors import Refused
from events.pages import Item
from storage import export
from storage.database import writing
from storage.export import cell
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
        "import sys; from storage.database import make_engine; from storage.export import export;"
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
