"""Trace ids follow from crawl and URL, so that nothing has to be carried through the frontier."""

import pytest

from contract.commands import CrawlPause, CrawlStart, PageFetch
from contract.crawls import CrawlSpec
from contract.tracing import ids
from contract.tracing.ids import Place
from tests.builders import CRAWL, make_message, page_fetched

URL, FROM = "http://a.test/2", "http://a.test/1"


def job(**changes):
    """A job for a page that another page has led to."""
    return make_message(PageFetch(**{"url": URL, "host": "http://a.test", "attempt": 1, "via": FROM, **changes}))


def test_all_attempts_at_a_url_are_in_one_trace_each_with_a_span_of_its_own():
    first, second = ids.first_span(job()), ids.first_span(job(attempt=2))

    assert first.trace_id == second.trace_id
    assert first.span_id != second.span_id


def test_another_crawl_of_the_same_url_is_another_trace():
    assert ids.of_url("c1", URL).trace_id != ids.of_url("c2", URL).trace_id


def test_a_page_is_led_by_the_page_that_named_it_and_a_seed_by_the_crawl():
    assert ids.led_by(job()) == ids.first_span(job(url=FROM))
    assert ids.led_by(job(via=None)) == ids.of_crawl(CRAWL)
    assert ids.led_by(make_message(CrawlPause())) == ids.of_crawl(CRAWL)


def test_the_command_that_begins_a_crawl_is_where_its_seeds_come_from():
    start = make_message(CrawlStart(spec=CrawlSpec(name="x"), seeds=(URL,)))

    assert ids.first_span(start) == ids.of_crawl(CRAWL)
    assert ids.led_by(start) is None


def test_the_robots_txt_of_a_host_has_a_span_for_each_time_it_is_asked_for():
    asked = {
        ids.first_span(make_message(PageFetch(url=URL, host="h", robots=True, attempt=1), id=f"c.robots.h.{time}"))
        for time in (1, 2)
    }
    assert len({place.span_id for place in asked}) == 2


def test_other_messages_begin_traces_by_chance():
    assert ids.first_span(page_fetched()) is None


def test_a_span_is_written_as_w3c_has_it_and_read_back():
    place = Place(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0xF067AA0BA902B7)

    assert ids.written(place) == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert ids.read(ids.written(place)) == place
    unsampled = Place(1, 2, is_sampled=False)
    assert ids.read(ids.written(unsampled)) == unsampled


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "00-short",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",  # no trace
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",  # no span
        '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","data":{}',
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
    ],
)
def test_what_is_no_traceparent_names_no_span(text):
    assert ids.read(text) is None
