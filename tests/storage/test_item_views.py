"""SQL has a view for each type of item, with the url, the times and a column for each field."""

import pytest
from sqlalchemy import text

from contract.pages import Item
from storage.read_models import item_views
from storage.rebuild import rebuild
from storage.sql.database import writing
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import write

ITEMS = (
    Item(type="book", data={"title": "A", "price": 5.5, "url": "/a", "it's": [1]}),
    Item(type="book", data={"title": None, "Title": "B"}),
    Item(type="review", data={"stars": 5}),
)


@pytest.fixture
def recorded(engine, tmp_path):
    """A crawl with books and a review, of which an older version of the spider found other ones."""
    write(engine, tmp_path / "archive", builders.crawl_started(), builders.page_fetched())
    old = builders.page_parsed(items=ITEMS[:1], spider_version="1", time="2026-11-23T12:00:00.000Z")
    write(engine, tmp_path / "archive", old)
    new = builders.page_parsed(id="new", items=ITEMS, spider_version="2", time="2026-11-23T13:00:00.000Z")
    write(engine, tmp_path / "archive", new)
    return engine


def rows(engine, query):
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(query)).mappings()]


def test_a_view_has_the_items_that_stand_with_a_column_for_each_field(recorded):
    assert item_views.refresh(recorded) == ["items_book", "items_review"]

    [first] = rows(recorded, "SELECT * FROM items_book WHERE price IS NOT NULL")
    [second] = rows(recorded, "SELECT * FROM items_book WHERE price IS NULL")
    assert list(first) == [
        *("url", "crawl", "crawl_name", "fetched_at", "parsed_at"),
        *("title", "price", "data.url", "it's", "Title_2", "data"),
    ]
    assert (first["url"], first["crawl"], first["crawl_name"], first["fetched_at"]) == (
        URL,
        CRAWL,
        "site",
        builders.TIME,
    )
    assert (first["title"], float(first["price"]), first["data.url"], first["it's"]) == ("A", 5.5, "/a", "[1]")
    assert (second["title"], second["Title_2"]) == (None, "B")
    assert [float(row["stars"]) for row in rows(recorded, "SELECT stars FROM items_review")] == [5]


def test_views_are_made_again_and_outlive_a_rebuild(recorded, tmp_path):
    item_views.refresh(recorded)
    later = builders.page_parsed(
        id="later", items=(Item(type="book", data={"pages": 3}),), time="2026-11-23T14:00:00.000Z"
    )
    write(recorded, tmp_path / "archive", later)
    rebuild(recorded)

    assert item_views.refresh(recorded) == ["items_book", "items_review"]
    assert [float(row["pages"]) for row in rows(recorded, "SELECT pages FROM items_book")] == [3]
    assert rows(recorded, "SELECT * FROM items_review") == []


def test_what_somebody_else_has_made_under_that_name_is_left_alone(recorded, caplog):
    with writing(recorded) as connection:
        connection.execute(text("CREATE VIEW items_book AS SELECT 1 AS mine"))

    assert item_views.refresh(recorded) == ["items_review"]
    assert rows(recorded, "SELECT * FROM items_book") == [{"mine": 1}]
    assert "items_book is somebody else's" in caplog.text


def test_fields_may_have_signs_in_their_names_that_mean_something_to_databases(engine, tmp_path):
    items = (Item(type="odd", data={"100%": 1, "a:b": 2, "%(x)s": 3, "it's": 4}),)
    write(engine, tmp_path / "archive", builders.page_fetched(), builders.page_parsed(items=items))
    item_views.refresh(engine)

    [row] = rows(engine, 'SELECT "100%", "a:b", "%(x)s", "it\'s" FROM items_odd'.replace(":", "\\:"))
    assert [float(value) for value in row.values()] == [1, 2, 3, 4]


def test_a_field_that_no_column_can_be_made_of_stays_in_the_data(engine, tmp_path):
    items = (Item(type="odd", data={'a"b': 1, "x" * 80: 2, "": 3}),)
    write(engine, tmp_path / "archive", builders.page_fetched(), builders.page_parsed(items=items))
    item_views.refresh(engine)

    [row] = rows(engine, "SELECT * FROM items_odd")
    assert list(row)[5:] == ["data.", "data"]
