"""Lists page by page: each row once, whatever comes in meanwhile; on both kinds of database."""

from pathlib import Path

import pytest

from contract.pages import Item
from storage.read_models import crawl_list, paging
from storage.read_models.paging import Place
from tests import builders
from tests.storage.helpers import write

CRAWL = builders.CRAWL
SITE = "http://site.test"


def at(second):
    """A time of so many seconds after the first."""
    return f"2026-11-23T12:{second // 60:02}:{second % 60:02}.000Z"


def page(number, *, second=None, **changes):
    """The messages of a page with two items, settled at this second."""
    time, url = at(number if second is None else second), f"{SITE}/{number}"
    items = tuple(Item(type=type, data={"n": number}) for type in ("a", "b"))
    return [
        builders.page_fetched(url, time=time, **changes),
        builders.page_parsed(url, time=time, items=items),
    ]


@pytest.fixture
def record(engine, tmp_path: Path):
    """Writes messages as a recorder does."""
    return lambda *messages: write(engine, tmp_path / "archive", *messages)


def walk(listing, engine, *, limit, between=lambda: None, **filters):
    """All rows of a listing; something happens between two pages of it."""
    found, after = [], None
    while True:
        rows = listing(engine, CRAWL, limit=limit, after=after, **filters)
        found += rows[:limit]
        if len(rows) <= limit:
            return found
        last = found[-1]
        after = Place(last["settled_at"], last["key"], last.get("ordinal", 0))
        between()


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_a_walk_meets_each_page_once_latest_first(engine, record, limit):
    record(*(message for number in range(7) for message in page(number)))

    urls = [row["url"] for row in walk(paging.pages, engine, limit=limit)]

    assert urls == [f"{SITE}/{number}" for number in range(6, -1, -1)]


def test_pages_of_one_moment_are_met_once_too(engine, record):
    record(*(message for number in range(9) for message in page(number, second=0)))

    urls = [row["url"] for row in walk(paging.pages, engine, limit=2)]

    assert len(urls) == 9
    assert set(urls) == {f"{SITE}/{number}" for number in range(9)}


def test_what_comes_in_during_a_walk_neither_repeats_nor_hides_a_row(engine, record):
    record(*(message for number in range(10, 20) for message in page(number)))
    later, earlier = iter(range(20, 40)), iter(range(9, 0, -1))

    def between():
        record(*page(next(later)), *page(next(earlier, 0)))

    urls = [row["url"] for row in walk(paging.pages, engine, limit=2, between=between)]

    assert len(urls) == len(set(urls))
    assert {f"{SITE}/{number}" for number in range(10, 20)} <= set(urls)


def test_items_are_those_of_the_latest_parse_in_their_order(engine, record):
    record(*page(0), *page(1))
    again = builders.page_parsed(f"{SITE}/0", id="again", time=at(50), items=(Item(type="c", data={"n": 9}),))
    record(again)

    rows = walk(paging.items, engine, limit=1)

    assert [(row["url"], row["type"], row["data"]) for row in rows] == [
        (f"{SITE}/1", "a", {"n": 1}),
        (f"{SITE}/1", "b", {"n": 1}),
        (f"{SITE}/0", "c", {"n": 9}),
    ]


def test_a_page_that_was_parsed_before_it_was_recorded_as_fetched_waits_for_that(engine, record):
    fetched, parsed = page(0)
    record(parsed)
    assert walk(paging.pages, engine, limit=10) == walk(paging.items, engine, limit=10) == []

    record(fetched)
    assert len(walk(paging.pages, engine, limit=10)) == 1
    assert len(walk(paging.items, engine, limit=10)) == 2


def test_rows_are_filtered(engine, record):
    record(*page(0), *page(1, status=301), *page(2))
    failed = {"reason": "timeout", "retryable": False}
    record(
        builders.page_failed("http://b.test/", time=at(9), **failed),
        builders.page_excluded("http://c.test/", time=at(8)),
    )

    def urls(listing, **filters):
        return [row["url"] for row in walk(listing, engine, limit=1, **filters)]

    assert urls(paging.pages, status=301) == [f"{SITE}/1"]
    assert urls(paging.pages, outcome="excluded") == urls(paging.pages, reason="scope") == ["http://c.test/"]
    assert urls(paging.pages, host="http://b.test") == urls(paging.failures) == ["http://b.test/"]
    assert urls(paging.failures, reason="timeout") == urls(paging.failures, host="http://b.test") == ["http://b.test/"]
    assert urls(paging.failures, reason="other") == urls(paging.failures, host=SITE) == []
    assert urls(paging.items, type="b") == [f"{SITE}/{number}" for number in (2, 1, 0)]


def test_crawls_are_listed_with_their_first_seeds_and_counts(engine, record):
    for number in range(3):
        seeds = [f"{SITE}/{seed}" for seed in range(30)]
        record(
            builders.crawl_started(*seeds, crawl=f"c{number}", time=at(number), name=f"n{number}", delay_seconds=2.0)
        )
    record(builders.page_fetched(crawl="c1"), builders.page_parsed(crawl="c1"), builders.crawl_finished(1, crawl="c1"))

    first = crawl_list.listed(engine, limit=2)
    assert [row.id for row in first] == ["c2", "c1", "c0"]
    rest = crawl_list.listed(engine, limit=2, after=(first[1].started_at or "", first[1].id))
    assert [row.id for row in rest] == ["c0"]
    assert [row.id for row in crawl_list.unfinished(engine)] == ["c2", "c0"]
    assert [row.id for row in crawl_list.listed(engine, limit=5, state="finished")] == ["c1"]
    found = crawl_list.find(engine, "c1")
    assert found is not None
    assert (found.seeds, found.seed_count) == ([f"{SITE}/{seed}" for seed in range(20)], 30)
    assert (found.complete, found.totals["fetched"], found.totals["items"]) == (True, 1, 1)
    assert (found.spec.delay_seconds, found.name) == (2.0, "n1")
    assert crawl_list.find(engine, "n1") is None


def test_seeds_that_are_added_are_listed_from_then_on(engine, record):
    record(builders.crawl_started(f"{SITE}/a"))
    before = crawl_list.find(engine, CRAWL)
    record(builders.seeds_added(f"{SITE}/b", time=at(1)))
    after = crawl_list.find(engine, CRAWL)

    assert [(row.seeds, row.seed_count) for row in (before, after) if row] == [
        ([f"{SITE}/a"], 1),
        ([f"{SITE}/a", f"{SITE}/b"], 2),
    ]
