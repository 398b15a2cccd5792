"""What an outcome means, as pure decisions: values in, values out."""

import random

import msgspec
import pytest

from contract.commands import PageFetch
from contract.pages import ReturnedJob
from scheduler.politeness import LONGEST_BLOCK_MS, LONGEST_RETRY_MS, block_ms, in_trouble, retry_in_ms
from scheduler.settle import never_issued, settlement_of
from tests.builders import page_excluded, page_failed, page_fetched, robots_fetched

CHANCE = random.Random(0)


def settled(message, *, max_attempts: int = 4):
    """The settlement of an outcome."""
    return settlement_of("c", message.payload, max_attempts=max_attempts, chance=CHANCE)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (page_fetched(status=200), "page"),
        (page_fetched(status=204), "page"),
        (page_fetched(status=301, location="http://x/"), "moved"),
        (page_failed(), "retry"),
        (page_failed(retryable=False), "failed"),
        (page_failed(attempt=4), "failed"),
        (page_excluded(attempt=1, reason="robots"), "excluded"),
        (page_excluded(attempt=1, robots=True), "robots"),
        (robots_fetched(), "robots"),
    ],
)
def test_each_outcome_has_its_kind(message, kind):
    assert settled(message).kind == kind


def test_a_url_that_was_never_issued_holds_no_slot():
    assert never_issued(page_excluded(attempt=0).payload)
    assert not never_issued(page_excluded(attempt=1).payload)
    assert not never_issued(page_excluded(attempt=0, robots=True).payload)
    assert not never_issued(page_failed().payload)
    assert never_issued(page_failed(attempt=0).payload)


def test_a_retry_is_the_same_job_with_the_next_attempt():
    failed = page_failed(depth=3, hops=2, attempt=2, via="http://a.test/")

    again = settled(failed)
    member, _, data = again.retry_job.partition(b"|")
    job = msgspec.json.decode(data, type=PageFetch)

    assert member.decode() == f"{failed.payload.fingerprint}.3"
    assert (job.url, job.host, job.fingerprint) == (failed.payload.url, failed.payload.host, failed.payload.fingerprint)
    assert (job.depth, job.hops, job.attempt, job.via) == (3, 2, 3, "http://a.test/")
    assert again.retry_depth == 3


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 500, 1_000), (2, 1_000, 2_000), (4, 4_000, 8_000)])
def test_waiting_doubles_with_each_attempt_and_has_jitter(attempt, least, most):
    waits = {retry_in_ms(page_failed(attempt=attempt).payload, max_attempts=9, chance=CHANCE) for _ in range(99)}

    assert least <= min(waits) < max(waits) <= most


def test_waiting_has_a_bound():
    failed = page_failed(attempt=500).payload

    assert retry_in_ms(failed, max_attempts=1_000, chance=CHANCE) <= LONGEST_RETRY_MS


def test_a_retry_waits_at_least_as_long_as_the_host_asks_for():
    failed = page_failed(status=503, retry_after_ms=90_000).payload

    assert retry_in_ms(failed, max_attempts=4, chance=CHANCE) == 90_000


@pytest.mark.parametrize(("said", "block"), [(None, 0), (-5, 0), (0, 0), (7, 7), (10**12, LONGEST_BLOCK_MS)])
def test_retry_after_has_bounds(said, block):
    assert block_ms(said) == block


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reason": "timeout"}, True),
        ({"reason": "connect_refused", "asked": False}, True),
        ({"reason": "http_503", "status": 503}, True),
        ({"reason": "http_429", "status": 429}, True),
        ({"reason": "http_404", "status": 404}, False),
        ({"reason": "body_too_large"}, False),
        ({"reason": "invalid_url", "asked": False}, False),
    ],
)
def test_trouble_is_what_speaks_of_the_host_as_a_whole(changes, expected):
    assert in_trouble(page_failed(**changes).payload) is expected


@pytest.mark.parametrize(
    ("verdict", "is_good", "is_trouble"),
    [("rules", True, False), ("allow", True, False), ("retry", False, True), ("deny", False, True)],
)
def test_a_robots_txt_is_good_for_a_while_unless_it_is_to_be_asked_for_again(verdict, is_good, is_trouble):
    found = settled(robots_fetched(verdict=verdict, crawl_delay_ms=1_500, retry_after_ms=5))

    assert (found.robots_good_ms > 0, found.trouble) == (is_good, is_trouble)
    assert (found.crawl_delay_ms, found.block_ms) == (1_500, 5)


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 500, 1_000), (3, 2_000, 4_000), (40, 150_000, 300_000)])
def test_a_robots_txt_that_cannot_be_had_is_asked_for_ever_more_seldom_but_at_least_every_five_minutes(
    attempt, least, most
):
    found = settled(robots_fetched(verdict="retry", attempt=attempt, reason="http_503: answered 503"))

    assert least <= found.robots_again_ms <= most
    assert found.robots_why == "http_503"


def test_a_robots_txt_is_not_asked_for_before_its_host_says_so():
    assert settled(robots_fetched(verdict="retry", retry_after_ms=900_000)).robots_again_ms == 900_000


def test_a_page_that_came_back_because_of_its_robots_txt_is_queued_as_it_was():
    job = ReturnedJob(
        url="http://a.test/x", fingerprint="00000000000000ff", depth=2, hops=1, attempt=3, via="http://v/"
    )
    back = settled(robots_fetched("http://a.test", verdict="retry", returned=job))

    member, _, data = back.retry_job.partition(b"|")
    again = msgspec.json.decode(data, type=PageFetch)
    assert (member, back.retry_depth) == (b"00000000000000ff.3", 2)
    assert (again.url, again.host, again.hops, again.attempt, again.via) == (
        job.url,
        "http://a.test",
        1,
        3,
        "http://v/",
    )
