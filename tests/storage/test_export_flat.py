"""Items as a table: a column for each field, in every format."""

import csv
import json

import duckdb
import pytest

from contract.errors import Refused
from contract.pages import Item
from storage.exports import export
from storage.exports.flat import MAX_COLUMNS, table_of
from tests import builders
from tests.builders import URL
from tests.storage.helpers import write

DATA = [
    {"title": "A", "price": 5, "tags": ["x", "ü"], "sold": True},
    {"=1+1": "=2+2", "price": 5.5, "title": None, "tags": []},
    {"stock": 7, "title": {"en": "B"}, "url": "http://else.test/", 'it\'s "odd"': "yes"},
]
COLUMNS = ["url", "title", "price", "tags", "sold", "=1+1", "stock", "data.url", 'it\'s "odd"']


@pytest.fixture
def recorded(sqlite_engine, tmp_path):
    """One page with items of different fields."""
    items = tuple(Item(type="book", data=data) for data in DATA)
    write(sqlite_engine, tmp_path / "archive", builders.page_fetched(), builders.page_parsed(items=items))
    return sqlite_engine


def exported(engine, path):
    assert export.export(engine, "items", flat=True, to=str(path)) == len(DATA)
    return path


def test_json_lines_have_every_field_in_every_row_and_the_url_first(recorded, tmp_path):
    rows = [json.loads(line) for line in exported(recorded, tmp_path / "x.jsonl").read_text("utf-8").splitlines()]

    assert {tuple(row) for row in rows} == {tuple(COLUMNS)}
    assert [row["url"] for row in rows] == [URL] * 3
    assert [row["title"] for row in rows] == ["A", None, {"en": "B"}]
    assert [row["price"] for row in rows] == [5, 5.5, None]
    assert rows[2]["data.url"] == "http://else.test/"


def test_csv_has_nested_values_as_json_and_nothing_that_a_spreadsheet_would_run(recorded, tmp_path):
    with exported(recorded, tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)

    assert head == [column if column != "=1+1" else "'=1+1" for column in COLUMNS]
    assert rows[0][1:5] == ["A", "5", '["x","ü"]', "True"]
    assert rows[1][1:6] == ["", "5.5", "[]", "", "'=2+2"]


def test_parquet_has_a_type_for_each_column(recorded, tmp_path):
    path = exported(recorded, tmp_path / "x.parquet")

    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet($x)", {"x": str(path)})
        types = {column[0]: str(column[1]) for column in found.description}
        rows = found.fetchall()
    assert list(types) == COLUMNS
    assert types["price"] == "DOUBLE"
    assert (types["sold"], types["stock"], types["title"]) == ("BOOLEAN", "BIGINT", "VARCHAR")
    assert rows[0][1:5] == ("A", 5.0, '["x","ü"]', True)
    assert json.loads(rows[2][1]) == {"en": "B"}


def test_without_items_there_is_the_url_alone(sqlite_engine, tmp_path):
    assert export.export(sqlite_engine, "items", flat=True, to=str(tmp_path / "x.csv")) == 0
    assert export.export(sqlite_engine, "items", flat=True, to=str(tmp_path / "x.parquet")) == 0

    assert (tmp_path / "x.csv").read_bytes() == b'"url"\r\n'


def test_fields_that_differ_in_case_alone_have_columns_that_differ_in_more():
    table = table_of(lambda: iter([{"url": URL, "data": {"Title": 1, "title": 2, "": 3, "URL": 4, "title_2": 5}}]))

    assert list(table.columns) == ["url", "Title", "title_2", "data.", "data.URL", "title_2_2"]
    assert list(next(table.rows).values()) == [URL, 1, 2, 3, 4, 5]


def test_too_many_fields_are_refused():
    items = [{"url": URL, "data": {str(number): 1}} for number in range(MAX_COLUMNS + 1)]

    with pytest.raises(Refused, match="without --flat"):
        table_of(lambda: iter(items))


def test_a_field_that_comes_meanwhile_is_said_and_not_dropped():
    readings = iter([[{"url": URL, "data": {"a": 1}}], [{"url": URL, "data": {"a": 1, "b": 2}}]])
    table = table_of(lambda: iter(next(readings)))

    with pytest.raises(Refused, match="further field, 'b'"):
        list(table.rows)
