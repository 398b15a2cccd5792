"""Questions to the read models."""

import pytest

from contract.pages import Wishes
from storage.read_models import listings, queries
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import write

PAGE_KEYS = (
    *("url", "status", "outcome", "reason", "content_type", "title", "depth", "bytes", "attempts"),
    *("fetched_at", "crawl", "error"),
    *("robots", "canonical", "train_ai", "search", "ai_input", "license"),
)


@pytest.fixture
def recorded(engine, tmp_path):
    """Two crawls of one name, one of which is at an end."""
    write(
        engine,
        tmp_path,
        builders.crawl_started(URL, name="docs"),
        builders.page_fetched(via="http://site.test/", depth=1),
        builders.page_parsed(wishes=Wishes(robots="noindex", train_ai=False)),
        builders.page_failed(URL + "/gone", status=404, reason="client_error", detail="404 Not Found"),
        builders.page_excluded(URL + "/private", reason="robots"),
        builders.crawl_finished(fetched=1, failed=1, excluded=1, time="2026-11-23T12:05:00.000Z"),
        builders.crawl_started(URL, crawl="later", name="docs", time="2026-11-24T12:00:00.000Z"),
    )
    return engine


def test_crawls_come_newest_first_with_their_counts(recorded):
    later, first = queries.crawls(recorded)

    assert (later.id, later.state, later.discovered) == ("later", "running", 0)
    assert first == queries.CrawlRow(
        id=CRAWL,
        name="docs",
        state="finished",
        seeds=[URL],
        started_at=builders.TIME,
        finished_at="2026-11-23T12:05:00.000Z",
        discovered=3,
        fetched=1,
        failed=1,
        excluded=1,
        parsed=1,
        items=1,
        bytes=1_000,
    )


def test_a_crawl_is_found_by_id_or_else_by_name(recorded):
    assert queries.find_crawl(recorded, CRAWL).id == CRAWL
    assert queries.find_crawl(recorded, "docs").id == "later"
    assert queries.latest_by_name(recorded, "docs").id == "later"
    assert queries.find_crawl(recorded, "unknown") is None


def test_progress_counts_by_status_and_reason(recorded):
    assert queries.progress(recorded, CRAWL) == {
        "fetched": 1,
        "failed": 1,
        "excluded": 1,
        "retried": 0,
        "parsed": 1,
        "items": 1,
        "bytes": 1_000,
        "statuses": {"200": 1, "404": 1},
        "reasons": {"client_error": 1, "robots": 1},
        "complete": True,
    }


def test_only_crawls_that_go_on_are_incomplete(recorded):
    assert queries.incomplete(recorded) == ["later"]
    assert not queries.is_complete(recorded, "unknown")


@pytest.mark.parametrize("missing", ["page", "parse"])
def test_a_crawl_that_ended_is_incomplete_until_all_of_it_is_here(engine, tmp_path, missing):
    write(engine, tmp_path, builders.crawl_started(), builders.crawl_finished())
    write(engine, tmp_path, builders.page_parsed() if missing == "page" else builders.page_fetched())
    assert not queries.is_complete(engine, CRAWL)

    write(engine, tmp_path, builders.page_fetched(), builders.page_parsed())
    assert queries.is_complete(engine, CRAWL)


def test_a_page_has_these_keys(recorded):
    fetched, failed, excluded = sorted(queries.pages(recorded, CRAWL), key=lambda page: page["url"])

    assert fetched == {
        "url": URL,
        "status": 200,
        "outcome": "fetched",
        "reason": None,
        "content_type": "text/html",
        "title": "A page",
        "depth": 1,
        "bytes": 1_000,
        "attempts": 1,
        "crawl": CRAWL,
        "fetched_at": builders.TIME,
        "error": None,
        "robots": "noindex",
        "canonical": None,
        "train_ai": False,
        "search": None,
        "ai_input": None,
        "license": None,
    }
    assert tuple(fetched) == queries.COLUMNS["pages"] == PAGE_KEYS
    assert (failed["outcome"], failed["status"], failed["reason"]) == ("failed", 404, "client_error")
    assert (excluded["outcome"], excluded["reason"], excluded["fetched_at"]) == ("excluded", "robots", None)


def test_an_item_has_these_keys(recorded):
    [item] = queries.items(recorded, CRAWL)

    assert item == {
        "url": URL,
        "type": "page",
        "data": {"title": "A page"},
        "crawl": CRAWL,
        "spider": "generic",
        "spider_version": "1",
        "fetched_at": builders.TIME,
    }
    assert tuple(item) == queries.COLUMNS["items"]


def test_a_failure_has_these_keys(recorded):
    [failure] = queries.failures(recorded, CRAWL)

    assert failure == {
        "url": URL + "/gone",
        "reason": "client_error",
        "detail": "404 Not Found",
        "status": 404,
        "attempts": 1,
        "crawl": CRAWL,
        "failed_at": builders.TIME,
    }
    assert tuple(failure) == queries.COLUMNS["failures"]


@pytest.fixture
def unread(engine, tmp_path):
    """Three fetched pages that could not be read, for two reasons, and one that could."""
    for number, error in enumerate(["extractor_failed", "parse_memory", "extractor_failed", None]):
        url, detail = f"{URL}/{number}", f"RuntimeError: {number}" if error else ""
        parsed = builders.page_parsed(url, error=error, detail=detail, time=f"2026-11-23T12:01:0{number}.000Z")
        write(engine, tmp_path, builders.page_fetched(url), parsed)
    return engine


def test_a_page_that_could_not_be_read_says_why(unread):
    pages = sorted(queries.pages(unread), key=lambda page: page["url"])
    failures = sorted(queries.failures(unread), key=lambda failure: failure["url"])

    assert [page["error"] for page in pages] == [
        *("extractor_failed: RuntimeError: 0", "parse_memory: RuntimeError: 1", "extractor_failed: RuntimeError: 2"),
        None,
    ]
    assert [(one["url"], one["reason"], one["detail"]) for one in failures] == [
        (f"{URL}/0", "extractor_failed", "RuntimeError: 0"),
        (f"{URL}/1", "parse_memory", "RuntimeError: 1"),
        (f"{URL}/2", "extractor_failed", "RuntimeError: 2"),
    ]
    assert failures[0]["failed_at"] == "2026-11-23T12:01:00.000Z"


def test_the_reasons_why_pages_could_not_be_read_are_counted_with_their_first(unread):
    assert queries.parse_errors(unread, CRAWL) == [
        ("extractor_failed", 2, "RuntimeError: 0", f"{URL}/0"),
        ("parse_memory", 1, "RuntimeError: 1", f"{URL}/1"),
    ]
    assert queries.parse_errors(unread, "other") == []


def test_a_page_that_went_well_in_the_end_is_no_failure(engine, tmp_path):
    write(engine, tmp_path, builders.page_failed(), builders.page_fetched(attempt=2))

    assert list(queries.failures(engine)) == []


def test_a_reader_that_leaves_early_holds_nothing(engine, tmp_path):
    write(engine, tmp_path, *(builders.page_excluded(f"{URL}/{number}") for number in range(1_500)))

    rows = queries.pages(engine)
    next(rows)
    rows.close()

    assert engine.pool.checkedout() == 0


@pytest.mark.parametrize(
    ("ended", "counts", "whole"),
    [
        ((2, 1, 0), (2, 1, 0, 2), True),
        ((1, 2, 0), (2, 1, 0, 2), True),  # the frontier had forgotten that a page was fetched
        ((2, 1, 0), (2, 1, 0, 1), False),  # one is not read yet
        ((2, 1, 0), (1, 2, 0, 1), False),  # the attempt that went well is on its way
        ((0, 1, 1), (0, 2, 0, 0), False),
        ((2, 1, 1), (2, 1, 0, 2), False),
        ((None, None, None), (0, 0, 0, 0), False),
    ],
)
def test_a_crawl_is_whole_when_all_that_it_ended_with_is_recorded(ended, counts, whole):
    totals = dict(zip(("fetched", "failed", "excluded", "parsed"), counts, strict=True))
    assert queries.holds_all(ended, totals) is whole


@pytest.mark.parametrize(("use", "left"), [("ai-train", []), ("search", [URL]), ("ai-input", [URL])])
def test_rows_for_a_use_leave_out_the_pages_that_refuse_it(recorded, use, left):
    def fetched(rows):
        return [row["url"] for row in rows if row.get("outcome", "fetched") == "fetched"]

    assert fetched(listings.pages(recorded, CRAWL, use=use)) == left
    assert fetched(listings.items(recorded, CRAWL, use=use)) == left
    assert listings.refused(recorded, CRAWL, use) == 1 - len(left)
