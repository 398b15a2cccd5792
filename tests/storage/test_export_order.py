"""Rows come in the order in which pages were settled, also after a rebuild; items by the version that is wanted."""

import random

import pytest

from contract.errors import Refused
from contract.pages import Item
from storage.exports import export
from storage.read_models import queries
from storage.read_models.listings import versions
from storage.rebuild import rebuild
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import write

URLS = [f"{URL}/{number}" for number in random.Random(7).sample(range(1_000), 40)]
#: Crawls' ids begin with the time.
LATER_CRAWL = "20261124-120000-abcdef"
LATER = "2026-11-23T13:00:00.000Z"


def at(second):
    return f"2026-11-23T12:00:{second:02d}.000Z"


def two_items(number):
    return tuple(Item(type="page", data={"number": number, "of": ordinal}) for ordinal in range(2))


@pytest.fixture
def recorded(engine, tmp_path):
    """Two crawls of pages that were settled a second after one another, with two items each, and failures between."""
    for crawl in (LATER_CRAWL, CRAWL):
        for number, url in enumerate(URLS):
            of = {"crawl": crawl, "time": at(number)}
            parsed = builders.page_parsed(url, **of, items=two_items(number))
            write(engine, tmp_path, parsed, builders.page_fetched(url, **of), builders.page_failed(url + "/no", **of))
    return engine


@pytest.mark.parametrize("rebuilt", [False, True])
def test_rows_come_in_the_order_in_which_pages_were_settled(recorded, rebuilt):
    if rebuilt:
        rebuild(recorded)

    pages = [row["url"] for row in queries.pages(recorded, CRAWL) if row["outcome"] == "fetched"]
    items = [(row["url"], row["data"]["of"]) for row in queries.items(recorded, CRAWL)]
    failures = [row["url"] for row in queries.failures(recorded, CRAWL)]

    assert pages == URLS
    assert items == [(url, ordinal) for url in URLS for ordinal in range(2)]
    assert failures == [url + "/no" for url in URLS]


@pytest.mark.parametrize("rows", [queries.pages, queries.items, queries.failures])
def test_all_crawls_come_one_after_the_other_the_oldest_first(recorded, rows):
    together = list(rows(recorded))

    assert together == [*rows(recorded, CRAWL), *rows(recorded, LATER_CRAWL)]


@pytest.mark.parametrize("which", [{"all_versions": True}, {"version": "1"}])
def test_items_of_other_versions_come_page_by_page_too(recorded, tmp_path, which):
    write(recorded, tmp_path, builders.page_parsed(URLS[3], id="2", time=LATER, spider_version="2"))

    items = list(queries.items(recorded, CRAWL, **which))

    urls = list(dict.fromkeys(item["url"] for item in items))
    assert urls == URLS
    assert len(items) == len(URLS) * 2 + ("all_versions" in which)
    assert all(item["crawl"] == CRAWL for item in items)


@pytest.fixture
def two_versions(engine, tmp_path):
    """A page that two versions of a spider have read, in this crawl and by a third one in another."""
    write(engine, tmp_path, builders.page_fetched(), builders.page_parsed(spider="books", spider_version="v1"))
    write(engine, tmp_path, builders.page_parsed(id="2", time=LATER, spider="books", spider_version="v2"))
    write(engine, tmp_path, builders.page_parsed(crawl=LATER_CRAWL, spider_version="v3"))
    return engine


@pytest.mark.parametrize(
    ("which", "expected"), [({}, ["v2"]), ({"version": "v1"}, ["v1"]), ({"version": "v2"}, ["v2"])]
)
def test_there_is_a_way_back_to_an_older_version(two_versions, which, expected):
    assert [item["spider_version"] for item in queries.items(two_versions, CRAWL, **which)] == expected


def test_a_version_that_made_nothing_is_refused_with_those_that_did(two_versions, tmp_path):
    assert versions(two_versions) == [("books", "v1"), ("books", "v2"), ("generic", "v3")]

    with pytest.raises(Refused, match=r"^no items by version 'v3'; there are: v1 \(of books\), v2 \(of books\)$"):
        export.export(two_versions, "items", crawl=CRAWL, version="v3", to=str(tmp_path / "x"))
    with pytest.raises(Refused, match=r"there are: none by any$"):
        export.export(two_versions, "items", crawl="none", version="v1")

    assert list(tmp_path.glob("*x*")) == []
