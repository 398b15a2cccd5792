"""robots.txt comes first: before a host's first page, alone, and once for all crawls."""

import asyncio

from contract.pages import PageExcluded, PageFailed, PageFetched, RobotsFetched
from scheduler.report import limited
from tests.scheduler.harness import running
from tests.scheduler.web import Answering, Web

A, HOST = "http://a.test/", "http://a.test"
ROBOTS = "http://a.test/robots.txt"
AWAY = {"verdict": "retry", "reason": "http_503: answered 503", "status": 503}
PAGES = {A: {f"{A}{n}" for n in range(6)}} | {f"{A}{n}": set() for n in range(6)}


async def test_robots_txt_is_asked_for_first_and_alone(bus):
    async with running(bus, Web(PAGES)) as run:
        run.hold = {ROBOTS}
        crawl = await run.start(A, A + "0", A + "1", obey_robots=True)
        await run.until(lambda: run.starts)
        await run.drained_of("scheduler.seed")
        assert [url for url, _, _ in run.starts] == [ROBOTS]
        await run.let_go(ROBOTS)
        end = await run.finished(crawl)

    assert end.fetched == 7
    assert [url for url, _, _ in run.starts].count(ROBOTS) == 1


async def test_two_crawls_ask_for_a_robots_txt_once(bus):
    async with running(bus, Web(PAGES), schedulers=2) as run:
        first, second = await run.start(A, obey_robots=True), await run.start(A, obey_robots=True)
        await run.finished(first)
        await run.finished(second)

    assert len(run.of(RobotsFetched)) == 1


async def test_a_crawl_that_ignores_robots_txt_does_not_ask_for_it(bus):
    async with running(bus, Web(PAGES)) as run:
        await run.finished(await run.start(A, obey_robots=False))

    assert not run.of(RobotsFetched)


async def test_a_robots_txt_that_cannot_be_had_is_asked_for_again_before_any_page(bus):
    web = Web(PAGES, robots={HOST: [{"verdict": "retry"}, {"verdict": "retry"}, {"verdict": "allow"}]})

    async with running(bus, web, hurried=True) as run:
        end = await run.finished(await run.start(A, obey_robots=True))

    assert end.fetched == 7
    assert [robots.attempt for robots in run.of(RobotsFetched)] == [1, 2, 3]
    assert [url for url, _, _ in run.starts][:3] == [ROBOTS] * 3


async def test_a_host_waits_for_its_robots_txt_and_no_url_is_blamed(bus):
    """Away for ten tries: who knows its robots.txt in the end has lost nothing."""
    web = Web(PAGES, robots={HOST: [AWAY] * 10 + [{"verdict": "allow"}]})

    async with running(bus, web, hurried=True) as run:
        crawl = await run.start(A, obey_robots=True)
        end = await run.finished(crawl)

    assert (end.fetched, end.failed, end.excluded) == (7, 0, 0)
    assert not run.of(PageFailed)
    assert [robots.attempt for robots in run.of(RobotsFetched)] == list(range(1, 12))


async def test_what_a_host_is_waited_for_can_be_seen_and_is_gone_afterwards(bus):
    web = Web(PAGES, robots={HOST: [AWAY, {"verdict": "allow"}]})

    async with running(bus, web) as run:
        crawl = await run.start(A, obey_robots=True)
        await run.until(lambda: run.of(RobotsFetched))
        while not (told := await limited(bus, crawl))["limited"]:
            await asyncio.sleep(0.005)
        await run.finished(crawl)

    [host] = told["limited"]
    assert (told["limited_hosts"], host["host"], host["queued"]) == (1, HOST, 1)
    assert (host["reason"], host["why"]) == ("robots", "http_503")
    assert await limited(bus, crawl) == {"limited_hosts": 0, "limited": []}
    assert not await bus.redis.hget(bus.keys.host(HOST), "waits_for")


async def test_a_host_whose_robots_txt_stays_away_is_given_up_with_a_reason_of_its_own(bus):
    async with running(bus, Web(PAGES, robots={HOST: AWAY}), hurried=True) as run:
        end = await run.finished(await run.start(A, A + "0", obey_robots=True, robots_patience_seconds=0))

    assert (end.fetched, end.failed, end.excluded) == (0, 2, 0)
    assert {(page.reason, page.attempt, page.asked) for page in run.of(PageFailed)} == {
        ("robots_unreachable", 0, False)
    }
    assert "http_503" in run.of(PageFailed)[0].detail


async def test_a_patient_crawl_waits_on_where_another_one_has_given_the_host_up(bus):
    web = Web(PAGES, robots={HOST: [AWAY] * 3 + [{"verdict": "allow"}]})

    async with running(bus, web, hurried=True) as run:
        run.hold = {ROBOTS}
        patient = await run.start(A, obey_robots=True)
        hasty = await run.start(A, obey_robots=True, robots_patience_seconds=0)
        await run.let_go(ROBOTS)
        assert (await run.finished_now(hasty)).failed == 1
        end = await run.finished(patient)

    assert (end.fetched, end.failed) == (7, 0)


async def test_a_crawl_that_ignores_robots_txt_does_not_wait_for_it(bus):
    async with running(bus, Web(PAGES, robots={HOST: AWAY}), hurried=True) as run:
        await run.start(A, obey_robots=True)
        await run.until(lambda: run.of(RobotsFetched))
        end = await run.finished_now(await run.start(A))

    assert end.fetched == 7


async def test_an_older_copy_is_gone_by_while_a_robots_txt_is_away(bus):
    web = Web(PAGES, robots={HOST: [{"verdict": "rules"}, {**AWAY, "stale": True}]})

    async with running(bus, web, hurried=True) as run:
        run.hold = {A}
        crawl = await run.start(A, obey_robots=True)
        await run.until(lambda: len(run.starts) == 2)
        await bus.redis.hset(bus.keys.host(HOST), "robots_until", 1)  # it was fetched a day ago
        await run.let_go(A)
        end = await run.finished(crawl)

    assert (end.fetched, end.failed) == (7, 0)
    assert web.asked[ROBOTS] >= 2


async def test_pages_that_come_back_because_of_a_robots_txt_are_fetched_in_the_end(bus):
    """The record has expired under jobs that are in flight, and the host is away for a moment."""
    back = [Answering(returned=True), Answering()]
    web = Web(
        {A: set(), A + "0": back, A + "1": back}, robots={HOST: [{"verdict": "allow"}, AWAY, {"verdict": "allow"}]}
    )

    async with running(bus, web, hurried=True) as run:
        end = await run.finished(await run.start(A, A + "0", A + "1", obey_robots=True))

    assert (end.fetched, end.failed) == (3, 0)
    assert {page.attempt for page in run.of(PageFetched)} == {1}


async def test_a_host_that_asks_for_a_longer_delay_than_the_crawl_waits_for_is_left_out_of_it(bus):
    web = Web(PAGES, robots={HOST: {"verdict": "rules", "crawl_delay_ms": 400_000}})

    async with running(bus, web) as run:
        end = await run.finished(await run.start(A, A + "0", obey_robots=True))
        for other in ({"max_crawl_delay_seconds": 500.0}, {"obey_robots": False, "max_crawl_delay_seconds": 0.0}):
            await bus.redis.hset(bus.keys.host(HOST), mapping={"next_at": 0, "asked_at": 0})
            assert (await run.finished(await run.start(A + "1", **{"obey_robots": True, **other}))).fetched == 1

    assert (end.fetched, end.excluded) == (0, 2)
    assert {page.reason for page in run.of(PageExcluded)} == {"crawl_delay"}


async def test_a_robots_job_of_a_cancelled_crawl_leaves_the_host_to_others(bus):
    async with running(bus, Web(PAGES)) as run:
        run.hold = {ROBOTS}
        first = await run.start(A, obey_robots=True)
        await run.until(lambda: run.starts)
        second = await run.start(A, obey_robots=True)
        await run.cancel(first)
        await run.let_go(ROBOTS)
        end = await run.finished(second)

    assert end.fetched == 7


async def test_robots_jobs_are_no_pages_of_the_crawl(bus):
    async with running(bus, Web(PAGES)) as run:
        end = await run.finished(await run.start(A, obey_robots=True, max_pages=7))

    assert (end.fetched, end.failed, end.excluded) == (7, 0, 0)
