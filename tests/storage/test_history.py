"""The life of a URL, from its events; and what can be said where there are none."""

import pytest

from storage.store import hearsay
from storage.store.history import history
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import write

SEED = "http://site.test/"
START_MS = 1_795_435_200_000  # builders.TIME


def at(seconds: float) -> str:
    """So many seconds after the crawl began."""
    return f"2026-11-23T12:00:{seconds:06.3f}Z"


def ms(seconds: float) -> int:
    """The same as Unix milliseconds."""
    return START_MS + round(seconds * 1000)


def steps(engine, url=URL, crawl=CRAWL):
    return [(step.at, step.what) for step in history(engine, crawl, url)]


@pytest.fixture
def recorded(engine, tmp_path):
    """A page that was found on the seed, failed twice, and was fetched and parsed at last."""
    found = {"via": SEED, "depth": 1}
    write(
        engine,
        tmp_path,
        builders.crawl_started(SEED, delay_seconds=0.5),
        builders.robots_fetched(time=at(1), crawl_delay_ms=2_000),
        builders.page_fetched(SEED, time=at(2)),
        builders.page_parsed(SEED, time=at(3)),
        builders.page_failed(
            attempt=1, time=at(5.1), started_at=ms(5), elapsed_ms=100, waited_ms=10, retry_after_ms=3_000,
            status=429, reason="http_429", **found,
        ),
        builders.page_failed(attempt=2, time=at(9.5), started_at=ms(9), elapsed_ms=500, **found),
        builders.page_fetched(attempt=3, time=at(20.2), started_at=ms(20), waited_ms=1_500, status=200, **found),
        builders.page_parsed(time=at(21), spider_version="1"),
        builders.page_parsed(time=at(30), id="again", spider_version="2", items=()),
        builders.robots_fetched(time=at(40), attempt=2, verdict="deny"),
        builders.page_fetched(crawl="other"),
    )  # fmt: skip
    return engine


def test_a_life_is_told_in_order(recorded):
    assert steps(recorded) == [
        (at(1), "robots"),
        (at(3), "discovered"),
        (at(4.99), "issued"),
        (at(5), "failed"),
        (at(9), "issued"),
        (at(9), "failed"),
        (at(18.5), "issued"),
        (at(20), "fetched"),
        (at(21), "parsed"),
        (at(30), "parsed"),
    ]


def test_each_attempt_says_what_it_waited_for(recorded):
    issued = [step.facts for step in history(recorded, CRAWL, URL) if step.what == "issued"]

    assert issued == [
        {"attempt": 1, "waited_for": "crawl_delay", "asked_ms": 2_000},
        {"attempt": 2, "waited_for": "retry_after", "asked_ms": 3_000, "since": at(5.1)},
        {"attempt": 3, "waited_for": "backoff", "since": at(9.5)},
    ]


def test_the_facts_of_each_step_are_those_of_its_event(recorded):
    facts = {step.what: step.facts for step in history(recorded, CRAWL, URL)}

    assert facts["discovered"] == {"via": SEED, "depth": 1, "hops": 0}
    assert (facts["robots"]["verdict"], facts["robots"]["crawl_delay_ms"]) == ("allow", 2_000)
    assert facts["parsed"]["spider_version"] == "2"
    assert facts["fetched"]["body"]["segment"].endswith(".warc.gz")
    assert facts["fetched"]["body"]["offset"] > 0


def test_a_seed_was_given(recorded):
    assert (builders.TIME, "seed") in steps(recorded, SEED)


def test_redirects_are_told_at_both_ends(engine, tmp_path):
    target, other = "http://site.test/target", "http://site.test/also"
    write(
        engine,
        tmp_path,
        builders.page_fetched(status=301, location=target),
        builders.page_parsed(time=at(1)),
        builders.page_fetched(target, via=URL, hops=1, time=at(3), started_at=ms(2)),
        builders.page_fetched(other, status=302, location=target, time=at(4)),
    )

    assert history(engine, CRAWL, URL)[1].facts["leads_to"] == "fetched"
    discovered, redirected = (step for step in history(engine, CRAWL, target) if step.what not in ("issued", "fetched"))
    assert (discovered.what, discovered.facts["hops"]) == ("discovered", 1)
    assert (redirected.what, redirected.facts) == ("redirected", {"from": other})


def test_a_url_that_was_left_out_has_its_reason(engine, tmp_path):
    write(engine, tmp_path, builders.page_excluded(reason="depth", via=SEED, depth=3))

    discovered, excluded = history(engine, CRAWL, URL)
    assert discovered.facts["via"] == SEED
    assert excluded.facts["reason"] == "depth"


def test_a_page_whose_body_was_lost_says_so(engine, tmp_path):
    write(engine, tmp_path, builders.page_fetched())
    assert "body" in history(engine, CRAWL, URL)[-1].facts


def test_what_is_unknown_has_no_steps(recorded):
    assert history(recorded, CRAWL, "http://site.test/never") == []
    assert history(recorded, "no such crawl", URL) == []


def test_urls_and_crawls_that_are_known_are_found(recorded):
    assert hearsay.known(recorded, CRAWL, [URL, SEED, URL + "/x"]) == [URL, SEED]
    assert hearsay.crawls_with(recorded, URL) == [CRAWL]
    assert hearsay.crawls_with(recorded, "http://site.test/never") == []


def test_a_link_that_waits_is_found_in_the_page_that_has_it(recorded):
    link = hearsay.linked_from(recorded, CRAWL, "http://site.test/other")

    assert (link.via, link.depth) == (SEED, 1)
    assert hearsay.linked_from(recorded, CRAWL, "http://site.test/oth") is None


def test_pages_whose_links_are_not_all_known_are_counted(engine, tmp_path):
    write(
        engine,
        tmp_path,
        builders.page_fetched(URL + "/1"),
        *(builders.page_fetched(URL + "/2"), builders.page_parsed(URL + "/2", error="too_deep")),
        *(builders.page_fetched(URL + "/3"), builders.page_parsed(URL + "/3", links_left_out=5)),
        *(builders.page_fetched(URL + "/4"), builders.page_parsed(URL + "/4")),
    )

    assert hearsay.unread(engine, CRAWL) == hearsay.Unread(waiting=1, unreadable=1, cut=1)


def test_a_robots_txt_tells_what_came_of_asking_for_it(recorded):
    url = "http://site.test/robots.txt"

    assert steps(recorded, url) == [(at(1), "robots"), (at(40), "robots")]
    assert hearsay.crawls_with(recorded, url) == [CRAWL]
    assert steps(recorded, "http://other.test/robots.txt") == []
    assert steps(recorded, "http://site.test/page/robots.txt") == []
    assert hearsay.crawls_with(recorded, "http://other.test/robots.txt") == []
