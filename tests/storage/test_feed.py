"""The latest outcomes, read on from a position, in portions of bounded size."""

import pytest

from storage.read_models import host_totals
from storage.store import feed
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import write


@pytest.fixture
def recorded(engine, tmp_path):
    """One of each, and what is none of this crawl's outcomes."""
    write(
        engine,
        tmp_path,
        builders.crawl_started(),
        builders.robots_fetched(started_at=1_000),
        builders.page_excluded("http://site.test/robots.txt", robots=True, reason="address"),
        builders.page_fetched(started_at=2_000, elapsed_ms=7),
        builders.page_fetched(crawl="other"),
        builders.page_parsed(title="A title"),
        builders.page_failed(URL + "/gone", reason="dns", started_at=3_000, asked=False),
        builders.page_excluded(URL + "/private", reason="robots"),
    )
    return engine


def test_outcomes_come_in_the_order_in_which_they_were_recorded(recorded):
    portion = feed.read(recorded, CRAWL, after=0, upto=feed.last_position(recorded))

    told = [(each.outcome, each.url, each.title, each.reason, each.elapsed_ms) for each in portion.outcomes]
    assert told == [
        ("fetched", URL, "A title", None, 7),
        ("failed", URL + "/gone", None, "dns", 60_000),
        ("excluded", URL + "/private", None, "robots", None),
    ]
    positions = [each.position for each in portion.outcomes]
    assert positions == sorted(positions)
    assert (portion.position, portion.left_out) == (feed.last_position(recorded), 0)


def test_requests_are_those_that_reached_the_host(recorded):
    portion = feed.read_latest(recorded, CRAWL)

    assert {(each.started_at, each.elapsed_ms) for each in portion.asked} == {(1_000, None), (2_000, 7)}


def test_reading_goes_on_behind_a_position_and_stops_at_another(recorded):
    first, second, third = feed.read_latest(recorded, CRAWL).outcomes

    portion = feed.read(recorded, CRAWL, after=first.position, upto=third.position - 1)

    assert portion.outcomes == [second]


def test_what_a_portion_cannot_hold_is_counted(engine, tmp_path):
    write(engine, tmp_path, *(builders.page_excluded(f"{URL}/{number}") for number in range(700)))
    write(engine, tmp_path, *(builders.page_failed(f"{URL}/{number}") for number in range(600)))

    portion = feed.read(engine, CRAWL, after=0, upto=feed.last_position(engine))

    assert len(portion.outcomes) == feed.MOST_ROWS
    assert portion.left_out == 1_300 - feed.MOST_ROWS
    assert portion.outcomes[-1].url == f"{URL}/599"


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_who_reads_on_is_given_every_outcome_once_and_in_order(recorded, limit):
    upto, after, found = feed.last_position(recorded), 0, []
    while after < upto:
        portion = feed.read_on(recorded, CRAWL, after=after, upto=upto, limit=limit)
        assert portion.position > after
        assert len(portion.outcomes) <= limit
        found, after = [*found, *portion.outcomes], portion.position

    assert found == feed.read_latest(recorded, CRAWL).outcomes


def test_nothing_recorded_is_an_empty_portion(engine):
    assert feed.read_latest(engine, CRAWL).outcomes == []
    assert feed.last_position(engine) == 0


def test_hosts_over_all_crawls_go_by_name(engine, tmp_path):
    write(
        engine,
        tmp_path,
        builders.page_fetched("http://b.test/"),
        builders.page_fetched("http://a.test/"),
        builders.page_failed("http://a.test/", crawl="other"),
        builders.robots_fetched("http://a.test", verdict="deny", time="2026-11-23T13:00:00.000Z", crawl="other"),
        builders.robots_fetched("http://a.test", verdict="rules", crawl_delay_ms=700),
    )

    [first, second] = host_totals.over_all(engine, limit=5)
    assert host_totals.over_all(engine, after="http://a.test", limit=5) == [second]
    assert host_totals.over_all(engine, limit=1) == [first]
    assert (first.host, first.requests, first.errors, first.bytes) == ("http://a.test", 4, 2, 400)
    assert (first.robots_verdict, first.crawl_delay_ms) == ("deny", 700)
    assert (second.requests, second.robots_verdict) == (1, None)
