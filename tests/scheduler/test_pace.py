"""The rate that a host bears is learnt from its refusals, and stays; by a clock of our own, at tables of limiters."""

import pytest

from contract.pages import PageFailed
from tests.scheduler.harness import running
from tests.scheduler.limiters import crawled, learnt
from tests.scheduler.web import Answering, Web

A, HOST_A = "http://a.test/", "http://a.test"


@pytest.mark.parametrize(
    ("limiter", "delay", "rate", "burst", "window", "allowed"),
    [
        ("leaking", 1000, 0.5, 0, 0, 0.5),  # nginx: 30 requests a minute
        ("leaking", 0, 0.5, 0, 0, 0.5),
        ("leaking", 1000, 1, 5, 0, 1),  # 60 a minute, bursts of 5
        ("leaking", 0, 1, 5, 0, 1),
        ("leaking", 0, 5, 5, 0, 5),  # 5 a second, bursts of 5
        ("sliding", 1000, 0, 30, 60_000, 0.5),  # HAProxy: refusals count too
        ("sliding", 0, 0, 50, 10_000, 5),
    ],
)
async def test_a_limiter_is_asked_nearly_as_often_as_it_allows_and_refuses_few(
    bus, limiter, delay, rate, burst, window, allowed
):
    told = await crawled(bus.redis, limiter, delay=delay, requests=1_000, rate=rate, burst=burst, window=window)

    assert told.rate(since=60) >= 0.85 * allowed
    assert len(told.refused) <= 0.05 * 1_000


async def test_all_refusals_of_one_burst_are_one_event(bus):
    """What was sent before the host was spared says nothing of the rate since."""
    one = await learnt(bus.redis, [("refused", 100, 90, 8)])
    burst = await learnt(bus.redis, [("refused", 100 + n, 90, 8) for n in range(16)])

    assert one["pace"] == burst["pace"] > 0
    assert one["most"] == burst["most"] == 4


async def test_what_was_learnt_stays_and_is_won_back_slowly(bus):
    first = await learnt(bus.redis, [("refused", 100, 90, 8)])
    soon = await learnt(bus.redis, [("refused", 100, 90, 8), *[("answered", 200, 190, 8)] * 20])
    late = await learnt(bus.redis, [("refused", 100, 90, 8), *[("answered", 200, 190, 8)] * 500])

    assert soon["pace"] < first["pace"]
    assert soon["pace"] > 0
    assert late["pace"] == 0


async def test_slow_answers_slow_us_down_a_little(bus):
    slow = await learnt(bus.redis, [("slow", 100, 90, 8)])
    refused = await learnt(bus.redis, [("refused", 100, 90, 8)])

    assert 0 < slow["pace"] < refused["pace"]


async def test_refusals_cost_a_url_none_of_its_attempts_and_slow_its_host_down_for_the_next_crawl(bus):
    pages = {f"{A}{n}": [Answering(status=429)] * 6 + [set()] for n in range(3)}

    async with running(bus, Web(pages), hurried=True) as run:
        first = await run.finished(await run.start(*pages, per_host=8, max_attempts=2))
        learnt_pace = int(await bus.redis.hget(bus.keys.host(HOST_A), "pace"))

    assert (first.fetched, first.failed) == (3, 0)
    assert learnt_pace >= 20
    assert await bus.redis.zscore(bus.keys.resting, HOST_A) > 6 * 86_400_000  # remembered for a week


@pytest.mark.parametrize("at", ["first", "last"])
async def test_urls_that_alone_are_refused_again_and_again_fail_and_their_host_is_not_slowed_down_for_ever(bus, at):
    """Also where nothing is left to ask that the host would answer."""
    good, busy = [f"{A}{n}" for n in range(60)], [f"{A}busy{n}" for n in range(3)]
    pages = {A: good, **{url: set() for url in good}, **{url: Answering(status=503) for url in busy}}
    if at == "first":
        pages |= {A: [*busy, *good]}
    else:
        pages |= {A: good, good[-1]: busy}
    pages = {url: tuple(found) if isinstance(found, list) else found for url, found in pages.items()}

    async with running(bus, Web(pages), hurried=True) as run:
        end = await run.finished(await run.start(A, per_host=1, max_attempts=2))

    assert (end.fetched, end.failed) == (61, 3)


async def test_a_host_that_refuses_for_longer_than_the_crawl_bears_is_given_up(bus):
    pages = {f"{A}{n}": Answering(status=429) for n in range(4)}

    async with running(bus, Web(pages)) as run:
        end = await run.finished(await run.start(*pages, per_host=1, give_up_host_seconds=0.5))

    assert (end.fetched, end.failed) == (0, 4)
    assert {one.reason for one in run.of(PageFailed)} == {"http_429", "host_refuses"}
