"""Read models do not depend on the order of events, on how they are cut into batches, or on how often they come."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.crawls import CrawlCancelled, CrawlPaused, CrawlResumed
from contract.pages import Item
from storage.archive.segments.files import FileArchive
from storage.batch import write as write_batch
from storage.read_models import queries
from storage.read_models.fold import fold
from storage.sql import tables
from storage.sql.database import writing
from storage.store import event_store
from tests import builders
from tests.builders import CRAWL, URL, make_message
from tests.storage.helpers import READ_MODELS, arrival, contents, cut, empty, only_row, write

OTHER = "http://other.test/"
LATER, LATEST = "2026-11-23T12:00:09.000Z", "2026-11-23T12:00:20.000Z"
#: What each page can go through, and what can come twice, late, or from two fetchers at once.
HISTORY = [
    builders.crawl_started(URL, OTHER),
    builders.seeds_added(URL, OTHER, "http://third.test/", time=LATER),
    make_message(CrawlPaused(), time="2026-11-23T12:00:01.000Z"),
    make_message(CrawlResumed(), time="2026-11-23T12:00:02.000Z"),
    builders.page_excluded(reason="depth"),
    builders.page_failed(reason="timeout"),
    builders.page_failed(attempt=2, reason="server_error", status=503),
    builders.page_fetched(attempt=3),
    builders.page_parsed(),
    builders.page_parsed(id="again", time=LATER, title="Another title", items=()),
    builders.page_parsed(id="at once", time=LATER, title="A third title", spider="other", depth=3),
    builders.page_parsed(id="broken", time=LATEST, error="extractor_failed", items=(), title=None, spider="broken"),
    builders.page_fetched(OTHER, status=301, location=URL, via=URL, depth=1),
    builders.page_fetched(OTHER, id="zombie", status=200, depth=2),
    builders.page_failed(OTHER, id="buried", reason="buried"),
    builders.page_parsed(OTHER, error="too_deep", items=(), title=None),
    builders.page_parsed(OTHER, id="broken too", time=LATER, error="extractor_failed", items=(), title=None),
    builders.page_parsed("http://parsed.test/first"),
    builders.page_excluded("http://site.test/robots.txt", robots=True),
    builders.robots_fetched(),
    builders.robots_fetched(time=LATER, attempt=2, verdict="rules", crawl_delay_ms=500),
    builders.page_fetched(crawl="another crawl"),
    builders.crawl_finished(fetched=2, time=LATER),
    make_message(CrawlCancelled(), crawl="another crawl"),
]


@given(
    st.permutations(HISTORY),
    st.lists(st.sampled_from(HISTORY), max_size=5),
    st.lists(st.integers(1, 6), max_size=12),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_order_any_repetition_and_any_batches_give_the_same_tables(engine, tmp_path, history, repeated, lengths):
    expected = _fold_plainly(engine)
    empty(engine)

    with FileArchive(tmp_path / "archive", engine) as archive:
        for messages in cut([*history, *repeated], lengths):
            write_batch(engine, archive, [arrival(message) for message in messages])

    assert _without_places(contents(engine)) == expected


def test_folding_again_from_the_event_store_gives_the_same_tables(engine, tmp_path):
    for message in HISTORY:
        write(engine, tmp_path, message)
    before = contents(engine)

    with writing(engine) as connection:
        for table in READ_MODELS:
            connection.execute(table.delete())
        fold(connection, [stored.recorded() for stored in event_store.read(engine)])

    assert contents(engine) == before


def test_tallies_are_what_counting_the_pages_gives(engine, tmp_path):
    for message in HISTORY:
        write(engine, tmp_path, message)

    pages = [page for page in contents(engine)["pages"] if page["crawl"] == CRAWL]
    said = queries.progress(engine, CRAWL)

    for outcome in ("fetched", "failed", "excluded"):
        assert said[outcome] == sum(page["outcome"] == outcome for page in pages)
    assert said["parsed"] == sum(page["parsed_event"] is not None for page in pages)
    assert said["items"] == len(list(queries.items(engine, CRAWL)))
    assert said["bytes"] == sum(page["bytes"] for page in pages)
    assert said["retried"] == sum(max(page["attempts"] - 1, 0) for page in pages) > 0


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (builders.page_fetched(attempt=2), builders.page_failed(attempt=1)),
        (builders.page_fetched(attempt=1), builders.page_failed(attempt=2)),
        (builders.page_fetched(attempt=2), builders.page_fetched(attempt=1)),
        (builders.page_fetched(attempt=1), builders.page_excluded(attempt=0)),
        (builders.page_failed(attempt=1), builders.page_excluded(attempt=0)),
        (builders.page_excluded(attempt=2, reason="robots"), builders.page_failed(attempt=1)),
        (builders.page_fetched(), builders.page_failed(id="buried while it was handed over")),
    ],
)
@pytest.mark.parametrize("order", ["stronger first", "stronger last"])
def test_what_was_fetched_stays_fetched_and_else_the_latest_attempt_stands(
    sqlite_engine, tmp_path, stronger, weaker, order
):
    for message in (stronger, weaker) if order == "stronger first" else (weaker, stronger):
        write(sqlite_engine, tmp_path, message)

    page = only_row(sqlite_engine, tables.pages)

    assert page["outcome"] == stronger.envelope.type.removeprefix("page.")
    assert page["attempts"] == stronger.payload.attempt


def test_nothing_of_an_outcome_remains_when_another_takes_its_place(sqlite_engine, tmp_path):
    write(sqlite_engine, tmp_path, builders.page_failed(attempt=1, status=503, reason="server_error"))
    write(sqlite_engine, tmp_path, builders.page_fetched(attempt=2))

    page = only_row(sqlite_engine, tables.pages)

    assert (page["reason"], page["detail"], page["retryable"], page["status"]) == (None, None, None, 200)
    assert {row["kind"] for row in contents(sqlite_engine)["tallies"]} == {"outcome", "status", "retried", "bytes"}


def test_what_a_page_says_may_come_before_the_page(sqlite_engine, tmp_path):
    write(sqlite_engine, tmp_path, builders.page_parsed())
    assert list(queries.pages(sqlite_engine)) == []

    write(sqlite_engine, tmp_path, builders.page_fetched())

    [page] = queries.pages(sqlite_engine)
    assert (page["outcome"], page["title"]) == ("fetched", "A page")


def test_items_are_those_of_the_latest_parse_and_older_ones_are_kept(sqlite_engine, tmp_path):
    old, new = Item(type="page", data={"by": "old"}), Item(type="page", data={"by": "new"})
    write(sqlite_engine, tmp_path, builders.page_fetched(), builders.page_parsed(items=(old, old)))
    write(sqlite_engine, tmp_path, builders.page_parsed(id="2", time=LATER, spider_version="2", items=(new,)))

    assert [item["data"] for item in queries.items(sqlite_engine)] == [{"by": "new"}]
    assert queries.progress(sqlite_engine, CRAWL)["items"] == 1
    assert len(contents(sqlite_engine)["items"]) == 3


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]])
def test_a_later_parse_that_failed_takes_nothing_away(engine, tmp_path, order):
    """Whatever came first: the items, title and version of the newest parse that went well are those of the page."""
    parsed = [
        builders.page_parsed(id="1", spider_version="1", title="first"),
        builders.page_parsed(id="2", spider_version="2", title="second", time=LATER),
        builders.page_parsed(id="3", spider_version="3", title=None, time=LATEST, items=(), error="extractor_failed"),
    ]
    write(engine, tmp_path, builders.page_fetched(), *(parsed[number] for number in order))

    page = only_row(engine, tables.pages)
    assert (page["title"], page["spider_version"], page["parse_error"]) == ("second", "2", None)
    assert [item["spider_version"] for item in queries.items(engine)] == ["2"]
    assert list(queries.failures(engine)) == []
    assert queries.progress(engine, CRAWL)["items"] == 1


def test_a_page_that_no_parse_could_read_has_the_latest_error(engine, tmp_path):
    errors = [
        builders.page_parsed(id="1", items=(), error="too_deep"),
        builders.page_parsed(id="2", items=(), error="extractor_failed", time=LATER),
    ]
    write(engine, tmp_path, builders.page_fetched(), errors[1], errors[0])

    assert only_row(engine, tables.pages)["parse_error"] == "extractor_failed"


def test_an_excluded_robots_txt_is_no_page(sqlite_engine, tmp_path):
    write(sqlite_engine, tmp_path, builders.page_excluded(robots=True))

    assert contents(sqlite_engine)["pages"] == []


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "running"),
        ([make_message(CrawlPaused())], "paused"),
        ([make_message(CrawlPaused()), make_message(CrawlResumed(), time=LATER)], "running"),
        ([make_message(CrawlPaused(), time=LATER), make_message(CrawlResumed())], "paused"),
        ([builders.crawl_finished(), make_message(CrawlPaused())], "finished"),
        ([builders.crawl_finished(), make_message(CrawlCancelled())], "cancelled"),
    ],
)
def test_the_state_of_a_crawl_follows_from_its_events(sqlite_engine, tmp_path, events, state):
    write(sqlite_engine, tmp_path, builders.crawl_started(), *events)

    [crawl] = queries.crawls(sqlite_engine)
    assert crawl.state == state


def test_requests_errors_and_bytes_are_counted_for_each_host(sqlite_engine, tmp_path):
    other = builders.page_fetched(URL + "2", started_at=1_795_000_001_500)
    failed = builders.page_failed(URL + "3", started_at=1_795_000_000_700)
    refused = builders.page_failed(URL + "4", asked=False)
    write(sqlite_engine, tmp_path, builders.page_fetched(), other, failed, refused)
    write(sqlite_engine, tmp_path, builders.robots_fetched(started_at=1_794_999_999_000, crawl_delay_ms=500))

    [host] = queries.hosts(sqlite_engine, CRAWL)

    assert host == {
        "host": "http://site.test",
        "requests": 4,
        "errors": 1,
        "bytes": 800,
        "robots_verdict": "allow",
        "robots_status": 404,
        "crawl_delay_ms": 500,
        "smallest_gap_ms": 700,
    }


def _fold_plainly(engine):
    """The tables after the whole history in one fold, without an archive or an event store."""
    empty(engine)
    with writing(engine) as connection:
        messages = [event_store.Recorded(arrival(each).key, each, event_store.Place(1, 0, 1)) for each in HISTORY]
        fold(connection, messages)
    return _without_places(contents(engine))


def _without_places(models):
    """Where a body lies in the archive does depend on when it came."""
    for page in models["pages"]:
        for name in ("segment", "offset", "length"):
            page[name] = None
    return models
