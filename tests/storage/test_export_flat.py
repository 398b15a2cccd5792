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
from tests.builders import CRAWL, URL
from tests.storage.helpers import write

DATA = [
    {"title": "A", "price": 5, "tags": ["x", "ü"], "sold": True},
    {"=1+1": "=2+2", "price": 5.5, "title": None, "tags": []},
    {"stock": 7, "title": {"en": "B"}, "url": "http://else.test/", 'it\'s "odd"': "yes"},
]
FIXED = ["type", "crawl", "url", "fetched_at"]
COLUMNS = [*FIXED, "title", "price", "tags", "sold", "=1+1", "stock", "data.url", 'it\'s "odd"']


def of(data):
    """An item as it is read."""
    return {"type": "book", "crawl": CRAWL, "url": URL, "fetched_at": builders.TIME, "data": data}


@pytest.fixture
def recorded(sqlite_engine, tmp_path):
    """One page with items of different fields."""
    items = tuple(Item(type="book", data=data) for data in DATA)
    write(sqlite_engine, tmp_path / "archive", builders.page_fetched(), builders.page_parsed(items=items))
    return sqlite_engine


def exported(engine, path):
    assert export.export(engine, "items", flat=True, to=str(path)) == len(DATA)
    return path


def test_json_lines_have_every_field_in_every_row_behind_type_crawl_url_and_time(recorded, tmp_path):
    rows = [json.loads(line) for line in exported(recorded, tmp_path / "x.jsonl").read_text("utf-8").splitlines()]

    assert {tuple(row) for row in rows} == {tuple(COLUMNS)}
    assert [tuple(row[name] for name in FIXED) for row in rows] == [("book", CRAWL, URL, builders.TIME)] * 3
    assert [row["title"] for row in rows] == ["A", None, {"en": "B"}]
    assert [row["price"] for row in rows] == [5, 5.5, None]
    assert rows[2]["data.url"] == "http://else.test/"


def test_csv_has_nested_values_as_json_and_nothing_that_a_spreadsheet_would_run(recorded, tmp_path):
    with exported(recorded, tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)

    assert head == [column if column != "=1+1" else "'=1+1" for column in COLUMNS]
    assert rows[0][4:8] == ["A", "5", '["x","ü"]', "True"]
    assert rows[1][4:9] == ["", "5.5", "[]", "", "'=2+2"]


def test_parquet_has_a_type_for_each_column(recorded, tmp_path):
    path = exported(recorded, tmp_path / "x.parquet")

    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet($x)", {"x": str(path)})
        types = {column[0]: str(column[1]) for column in found.description}
        rows = found.fetchall()
    assert list(types) == COLUMNS
    assert types["price"] == "DOUBLE"
    assert (types["sold"], types["stock"], types["title"]) == ("BOOLEAN", "BIGINT", "VARCHAR")
    assert rows[0][4:8] == ("A", 5.0, '["x","ü"]', True)
    assert json.loads(rows[2][4]) == {"en": "B"}


def test_without_items_there_is_a_head_alone(sqlite_engine, tmp_path):
    assert export.export(sqlite_engine, "items", flat=True, to=str(tmp_path / "x.csv")) == 0
    assert export.export(sqlite_engine, "items", flat=True, to=str(tmp_path / "x.parquet")) == 0

    assert (tmp_path / "x.csv").read_bytes() == b'"type","crawl","url","fetched_at"\r\n'


def test_fields_that_differ_in_case_alone_have_columns_that_differ_in_more():
    data = {"Title": 1, "title": 2, "": 3, "URL": 4, "title_2": 5, "Type": 6}
    table = table_of(lambda: iter([of(data)]))

    assert list(table.columns) == [*FIXED, "Title", "title_2", "data.", "data.URL", "title_2_2", "data.Type"]
    assert list(next(table.rows).values())[4:] == [1, 2, 3, 4, 5, 6]


def test_too_many_fields_are_refused():
    items = [of({str(number): 1}) for number in range(MAX_COLUMNS + 1)]

    with pytest.raises(Refused, match="without --flat"):
        table_of(lambda: iter(items))


def test_a_field_that_comes_meanwhile_is_said_and_not_dropped():
    readings = iter([[of({"a": 1})], [of({"a": 1, "b": 2})]])
    table = table_of(lambda: iter(next(readings)))

    with pytest.raises(Refused, match="further field, 'b'"):
        list(table.rows)


@pytest.fixture
def of_two_types(engine, tmp_path):
    """A page with books and a review."""
    items = (Item(type="book", data={"title": "A"}), Item(type="review", data={"stars": 5}))
    items += (Item(type="book", data={"title": "B"}),)
    write(engine, tmp_path / "archive", builders.page_fetched(), builders.page_parsed(items=items))
    return engine


def test_one_table_has_items_of_one_type(of_two_types, tmp_path):
    with pytest.raises(Refused, match=r"of 2 types \(book, review\)[^\n]*--type book"):
        export.export(of_two_types, "items", flat=True, to=str(tmp_path / "x.csv"))

    assert export.export(of_two_types, "items", flat=True, types=["review"], to=str(tmp_path / "x.csv")) == 1
    head, row = (tmp_path / "x.csv").read_text().splitlines()
    assert head == '"type","crawl","url","fetched_at","stars"'
    assert row.endswith('"5"')


@pytest.mark.parametrize(
    ("to", "files"),
    [
        ("out/", ["out/book.csv", "out/review.csv"]),
        ("of-{type}.jsonl", ["of-book.jsonl", "of-review.jsonl"]),
        ("{type}/all.csv", ["book/all.csv", "review/all.csv"]),
    ],
)
def test_a_place_for_several_has_a_file_for_each_type(of_two_types, tmp_path, to, files):
    place = str(tmp_path / "x") + "/" + to

    assert export.export(of_two_types, "items", flat=True, to=place) == 3

    found = sorted(str(path.relative_to(tmp_path / "x")) for path in (tmp_path / "x").rglob("*") if path.is_file())
    assert found == files
    lines = [len((tmp_path / "x" / name).read_text().splitlines()) for name in files]
    assert lines == ([3, 2] if to.endswith(("/", ".csv")) else [2, 1])


def test_a_folder_takes_lines_of_json_too(of_two_types, tmp_path):
    assert export.export(of_two_types, "items", to=str(tmp_path), types=["book"]) == 2

    rows = [json.loads(line) for line in (tmp_path / "book.jsonl").read_text().splitlines()]
    assert [row["data"]["title"] for row in rows] == ["A", "B"]


def test_a_type_that_there_is_not_is_refused(of_two_types, tmp_path):
    with pytest.raises(Refused, match=r"^no items of type 'books'; there are: book, review$"):
        export.export(of_two_types, "items", types=["books"])
