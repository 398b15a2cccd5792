"""The events that say what a page holds: their ids tell extractors apart, and only those."""

import pytest

from scraper.parsers.frames import Result
from scraper.parsers.parsed import event_id, reparsed
from tests import builders

FETCHED = builders.page_fetched(id="job-1.out", depth=3)
FIRST = event_id("job-1.out", spider="books", version="2026.01.15")


@pytest.mark.parametrize(
    ("fetched", "spider", "version"),
    [
        ("job-2.out", "books", "2026.01.15"),
        ("job-1.out", "other", "2026.01.15"),
        ("job-1.out", "books", "2026.01.16"),  # begins the same
        ("job-1.out", "books", ""),
        ("job-1.out", "book", "s2026.01.15"),
    ],
)
def test_another_page_spider_or_version_makes_another_event(fetched, spider, version):
    assert event_id(fetched, spider=spider, version=version) != FIRST


def test_an_id_follows_from_the_job_and_is_short_whatever_a_version_is():
    assert FIRST.startswith("job-1.parsed.")
    assert len(event_id("job-1.out", spider="s" * 500, version="v" * 500)) == len(FIRST)


def test_a_page_that_is_parsed_anew_keeps_its_place_in_the_crawl_and_hands_on_no_links():
    result = Result(title="T", links=("http://a.test/",), refresh="http://b.test/", links_found=1, spider="books",
                    spider_version="2026.01.15")  # fmt: skip

    message = reparsed(FETCHED, result, source="penstock.reparse")

    page, envelope = message.payload, message.envelope
    assert (page.url, page.depth, page.title, page.spider) == (FETCHED.payload.url, 3, "T", "books")
    assert (page.links, page.links_found) == ((), 2)
    assert (envelope.id, envelope.causationid, envelope.crawl) == (FIRST, "job-1.out", FETCHED.envelope.crawl)


def test_a_page_that_is_parsed_anew_repeats_the_links_that_were_counted_before():
    result = Result(links_found=5, spider="books", spider_version="2")

    page = reparsed(FETCHED, result, source="penstock.reparse", links=(80, 7)).payload

    assert (page.links, page.links_found, page.links_left_out) == ((), 80, 7)
