"""Archived pages come with what is known of them, and what they said is recorded once, whoever says it how often."""

import pytest

from storage.rebuild import rebuild
from storage.reparse import append, archived, count, known
from storage.sql import tables
from storage.sql.tables import digest
from storage.store import event_store
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import arrival, contents, only_row, write

LATER = "2026-11-23T13:00:00.000Z"
URLS = [f"{URL}/{number}" for number in range(600)]


def again(url=URL, *, version="2", **changes):
    """The page.parsed of another version, which came later."""
    return arrival(builders.page_parsed(url, id=f"{url}.{version}", time=LATER, spider_version=version, **changes))


def test_the_fetched_pages_of_a_crawl_come_in_order_with_the_parse_that_stands(engine, tmp_path):
    write(engine, tmp_path, *map(builders.page_fetched, URLS), builders.page_fetched(crawl="other"))
    parsed = builders.page_parsed(URLS[1])
    write(engine, tmp_path, parsed)

    pages = [page for chunk in archived(engine, CRAWL) for page in chunk]

    assert [page.event.message.payload.url for page in pages] == URLS
    assert all(page.event.place for page in pages)
    assert [page.parsed_event for page in pages[:3]] == [None, digest(parsed.envelope.id), None]
    assert count(engine, CRAWL) == len(URLS)


def test_archived_pages_come_with_the_links_that_were_counted_unless_nobody_could(engine, tmp_path):
    write(engine, tmp_path, *map(builders.page_fetched, URLS[:3]))
    write(engine, tmp_path, builders.page_parsed(URLS[0], links_found=80, links_left_out=7))
    write(engine, tmp_path, builders.page_parsed(URLS[1], links=(), links_found=0, error="parse_timeout"))

    [pages] = archived(engine, CRAWL)

    assert [page.links for page in pages] == [(80, 7), None, None]


def test_known_are_the_events_that_are_recorded(engine, tmp_path):
    parsed = builders.page_parsed()
    write(engine, tmp_path, parsed)
    here, gone = digest(parsed.envelope.id), digest("nothing")

    assert known(engine, [here, gone]) == {here}
    assert known(engine, []) == set()


def test_a_later_parse_stands_and_the_items_of_the_former_stay(engine, tmp_path):
    write(engine, tmp_path, builders.page_fetched(), builders.page_parsed())
    second = again(title="Anew")

    assert append(engine, [second]) == {second.key}

    row = only_row(engine, tables.pages)
    assert (row["title"], row["spider_version"], bytes(row["parsed_event"])) == ("Anew", "2", second.key)
    assert {item["spider_version"] for item in contents(engine)["items"]} == {"1", "2"}


def test_appending_twice_is_appending_once_and_no_conflict(engine, tmp_path, caplog):
    write(engine, tmp_path, builders.page_fetched(), builders.page_parsed())
    append(engine, [again(elapsed_ms=1.0)])
    before = contents(engine)

    assert append(engine, [again(elapsed_ms=2.0)]) == set()

    assert contents(engine) == before
    assert caplog.records == []


def test_a_rebuild_makes_the_same_of_it(engine, tmp_path):
    write(engine, tmp_path, *map(builders.page_fetched, URLS[:20]), *map(builders.page_parsed, URLS[:20]))
    append(engine, [again(url) for url in URLS[5:15]])
    before = contents(engine)

    rebuild(engine)

    assert contents(engine) == before


def test_a_batch_that_cannot_be_folded_leaves_no_trace(sqlite_engine, tmp_path):
    write(sqlite_engine, tmp_path, builders.page_fetched(), builders.page_parsed())
    before = contents(sqlite_engine)

    with pytest.raises(OverflowError):
        append(sqlite_engine, [again(), again(URL + "/2", links_found=2**70)])

    assert contents(sqlite_engine) == before
    assert len(list(event_store.read(sqlite_engine))) == 2
