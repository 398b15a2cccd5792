"""A host that says it is asked too often can be seen: which, until when it is left alone, and what waits there."""

import pytest

from contract.pages import PageFailed
from scheduler.report import limited
from tests.scheduler.harness import running
from tests.scheduler.web import Answering, Web

HOST, A = "http://a.test", "http://a.test/"
B = "http://b.test/"
TEN_MINUTES = 600_000
NONE = {"limited_hosts": 0, "limited": []}


def refusing(*seeds: str, status: int = 429, retry_after_ms: int | None = TEN_MINUTES) -> Web:
    """The first URL asked for is refused once; the others are there."""
    refusal = Answering(status=status, reason=f"http_{status}", retry_after_ms=retry_after_ms)
    return Web({url: [refusal, set()] if url == seeds[0] else set() for url in seeds})


@pytest.mark.parametrize("status", [429, 503])
async def test_a_host_that_names_a_moment_is_limited_until_then(bus, status):
    seeds = (A, f"{A}1", f"{A}2", B)

    async with running(bus, refusing(*seeds, status=status)) as run:
        crawl = await run.start(*seeds, per_host=1)
        await run.until(lambda: run.of(PageFailed))
        await run.drained()
        told = await limited(bus, crawl)
        block = int(await bus.redis.hget(bus.keys.host(HOST), "block_until"))
        ahead = int(await bus.redis.hget(bus.keys.clock, "ahead") or 0)

    [host] = told["limited"]
    assert (host["host"], host["reason"], host["why"]) == (HOST, "rate_limit", f"http_{status}")
    assert (host["until_ms"], host["queued"], told["limited_hosts"]) == (block - ahead, 2, 1)


async def test_who_is_asked_again_is_limited_no_longer(bus):
    async with running(bus, refusing(A, f"{A}1"), hurried=True) as run:
        crawl = await run.start(A, f"{A}1")
        await run.finished(crawl)
        told = await limited(bus, crawl)

    assert told == NONE
    assert not await bus.redis.hget(bus.keys.host(HOST), "limited")


async def test_a_crawl_with_nothing_but_a_retry_or_that_comes_later_sees_it_too(bus):
    async with running(bus, refusing(A)) as run:
        first = await run.start(A)
        await run.until(lambda: run.of(PageFailed))
        await run.drained()
        later = await run.start(f"{A}later")
        other = await run.start("http://c.test/")
        await run.finished_now(other)
        told = [(await limited(bus, crawl))["limited"] for crawl in (first, later)]

    assert [[(host["host"], host["queued"]) for host in hosts] for hosts in told] == [[(HOST, 0)], [(HOST, 1)]]
    assert await limited(bus, other) == NONE


async def test_more_hosts_than_are_named_are_counted(bus):
    roots = [f"http://h{number}.test/" for number in range(9)]
    web = Web({root: Answering(status=429, reason="http_429", retry_after_ms=TEN_MINUTES) for root in roots})

    async with running(bus, web) as run:
        crawl = await run.start(*roots)
        await run.until(lambda: len(run.of(PageFailed)) == len(roots))
        await run.drained()
        told = await limited(bus, crawl)

    assert (told["limited_hosts"], len(told["limited"])) == (9, 5)


async def test_a_failure_that_names_no_moment_limits_nobody(bus):
    async with running(bus, refusing(A, status=500, retry_after_ms=None)) as run:
        crawl = await run.start(A)
        await run.until(lambda: run.of(PageFailed))
        await run.drained()

    assert await limited(bus, crawl) == NONE
