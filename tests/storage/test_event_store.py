"""The event store: each event once, in order, with any text and any id."""

import pytest
from sqlalchemy.exc import DataError

from contract import codec
from contract.crawls import CrawlPaused
from storage.batch import MAX_CRAWL_LENGTH, Unrecordable, is_passing
from storage.read_models import queries
from storage.sql import tables
from storage.store import event_store
from storage.store.event_store import PACKED_BYTES
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import contents, only_row, write

LONG_URL = "http://site.test/" + "".join(f"{number:x}" for number in range(2_000))


def test_events_are_read_back_as_they_came_and_in_order(engine, tmp_path):
    messages = [builders.crawl_started(), builders.page_fetched(), builders.page_parsed()]
    write(engine, tmp_path, *messages)

    stored = list(event_store.read(engine))

    assert [each.raw for each in stored] == [codec.encode(message) for message in messages]
    assert [each.recorded().message for each in stored] == messages
    assert [each.position for each in stored] == sorted(each.position for each in stored)
    assert [each.place is not None for each in stored] == [False, True, False]


def test_events_are_read_by_position_type_and_crawl(engine, tmp_path):
    write(engine, tmp_path, builders.page_fetched(), builders.page_parsed(), builders.page_parsed(crawl="other"))
    first = next(event_store.read(engine))

    def read(**which):
        return [(each.recorded().message.envelope.type) for each in event_store.read(engine, **which)]

    assert read(after=first.position) == ["page.parsed", "page.parsed"]
    assert read(types=["page.fetched"]) == ["page.fetched"]
    assert read(crawl="other") == ["page.parsed"]
    assert read(types=["page.fetched"], crawl="other") == []


def test_more_events_than_are_read_at_once(sqlite_engine, tmp_path):
    write(sqlite_engine, tmp_path, *(builders.page_excluded(f"http://site.test/{n}") for n in range(2_500)))

    assert len({each.position for each in event_store.read(sqlite_engine)}) == 2_500


def test_an_event_that_comes_again_changes_nothing(engine, tmp_path):
    messages = [builders.page_fetched(), builders.page_parsed(), builders.crawl_finished()]
    assert write(engine, tmp_path, *messages, *messages).events == 3
    before = contents(engine, [tables.events]), contents(engine)

    assert write(engine, tmp_path, *messages).events == 0

    assert (contents(engine, [tables.events]), contents(engine)) == before


@pytest.mark.parametrize("together", [True, False])
def test_an_id_with_another_content_is_refused_loudly(engine, tmp_path, together, caplog):
    first, second = builders.page_failed(id="x", reason="timeout"), builders.page_failed(id="x", reason="reset")
    for messages in [[first, second]] if together else [[first], [second]]:
        write(engine, tmp_path, *messages)

    assert [row["reason"] for row in queries.failures(engine)] == ["timeout"]
    assert "page.failed x came again with another content" in caplog.text


def test_long_messages_are_packed(sqlite_engine, tmp_path):
    message = builders.page_parsed(detail="word " * PACKED_BYTES)
    write(sqlite_engine, tmp_path, message)

    assert len(only_row(sqlite_engine, tables.events)["data"]) < PACKED_BYTES
    assert next(event_store.read(sqlite_engine)).recorded().message == message


@pytest.mark.parametrize(
    "text",
    [
        "NUL \0 inside",
        "surrogate \ud83d alone",
        "bidi \u202e, C1 \x9b, ESC \x1b]0;x\x07, U+FFFE \ufffe",
        "z̸͎̾a̷͓͝l̶̼̿g̵̬̊o̸͍͘ 👨‍👩‍👧‍👦",
        "' OR 1=1; DROP TABLE pages; --",
        "%s %(x)s :name {0}",
        "long " * 20_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_any_text_is_stored(engine, tmp_path, text):
    safe = text.replace("\0", "\ufffd").replace("\ud83d", "\ufffd")
    url = URL + text[:60]
    page, parsed = builders.page_failed(url, detail=text), builders.page_parsed(url, title=text)
    write(engine, tmp_path, page, parsed)

    [row] = queries.pages(engine)
    assert (row["title"], row["url"]) == (safe, URL + safe[:60])
    [item] = queries.items(engine)
    assert item["data"] == {"title": "A page"}


def test_a_url_of_any_length_is_stored_once(engine, tmp_path):
    write(engine, tmp_path, builders.page_fetched(LONG_URL), builders.crawl_started(LONG_URL))
    write(engine, tmp_path, builders.page_parsed(LONG_URL), builders.robots_fetched(LONG_URL))

    [row] = queries.pages(engine)
    assert row["url"] == LONG_URL
    assert len(LONG_URL) > 2_800  # what PostgreSQL takes into an index, and more


@pytest.mark.parametrize("number", [2**63, -(2**70)])
def test_a_number_that_no_database_holds_is_an_error_of_the_event(engine, tmp_path, number):
    with pytest.raises((OverflowError, DataError)) as raised:
        write(engine, tmp_path, builders.page_fetched(started_at=number))

    assert not is_passing(raised.value)
    assert contents(engine, [tables.events])["events"] == []


def test_a_crawl_id_that_no_index_takes_is_an_error_of_the_event(engine, tmp_path):
    with pytest.raises(Unrecordable):
        write(engine, tmp_path, builders.make_message(CrawlPaused(), crawl="x" * (MAX_CRAWL_LENGTH + 1)))


def test_crawls_do_not_mix(engine, tmp_path):
    write(engine, tmp_path, builders.page_fetched(), builders.page_failed(crawl="other"))

    assert [row["outcome"] for row in queries.pages(engine, CRAWL)] == ["fetched"]
    assert [row["outcome"] for row in queries.pages(engine, "other")] == ["failed"]
    assert len(list(queries.pages(engine))) == 2
