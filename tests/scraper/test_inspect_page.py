"""One page for a person to look at."""

from contract.crawls import CrawlSpec
from contract.settings import Settings
from scraper.inspect_page import fetch_once
from scraper.warc import read_record
from tests.scraper.raw_server import answer, raw_server

SETTINGS = Settings(allow_private=True, deadline_seconds=1)
WITHOUT_ROBOTS = CrawlSpec(name="x", obey_robots=False)


async def test_a_page_is_told_with_its_answer_and_its_record():
    async with raw_server(answer(b"User-agent: *\nDisallow: /no")) as server:
        once = await fetch_once(f"{server.url}/a#b", SETTINGS)

    assert (once.payload.TYPE, once.payload.url) == ("page.fetched", f"{server.url}/a")
    assert once.answer.body == read_record(once.record).body
    assert once.robots.record.verdict == "rules"
    assert len(server.requests) == 2


async def test_what_robots_txt_disallows_is_not_asked_for():
    async with raw_server(answer(b"User-agent: *\nDisallow: /no")) as server:
        once = await fetch_once(f"{server.url}/no", SETTINGS)

    assert (once.payload.TYPE, once.payload.reason, once.answer) == ("page.excluded", "robots", None)
    assert len(server.requests) == 1


async def test_an_unreachable_robots_txt_is_the_reason_why_nothing_is_fetched():
    once = await fetch_once("http://127.0.0.1:1/", SETTINGS)

    assert once.payload.reason == "robots_unreachable"
    assert "connect_refused" in once.payload.detail


async def test_an_error_answer_can_still_be_looked_at():
    async with raw_server(answer(status="404 Not Found")) as server:
        once = await fetch_once(server.url, SETTINGS, spec=WITHOUT_ROBOTS)

    assert (once.payload.reason, once.answer.status, once.robots) == ("http_404", 404, None)


async def test_what_is_no_web_page_is_a_failure_and_no_exception():
    assert (await fetch_once("ftp://h/", SETTINGS)).payload.reason == "invalid_url"
    assert (await fetch_once("http://10.0.0.1/", Settings())).payload.reason == "blocked_address"


async def test_a_part_that_nobody_asked_for_is_a_page_if_it_is_the_whole():
    for what, kind in (("bytes 0-3/4", "page.fetched"), ("bytes 0-3/9", "page.failed")):
        async with raw_server(answer(b"page", f"Content-Range: {what}", status="206 Partial Content")) as server:
            once = await fetch_once(server.url, SETTINGS, spec=WITHOUT_ROBOTS)

        assert kind == once.payload.TYPE
