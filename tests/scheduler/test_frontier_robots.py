"""robots.txt comes first: before a host's first page, alone, and once for all crawls."""

from contract.pages import RobotsFetched
from tests.scheduler.harness import running
from tests.scheduler.web import Web

A, HOST = "http://a.test/", "http://a.test"
ROBOTS = "http://a.test/robots.txt"
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


async def test_a_host_whose_robots_txt_was_given_up_is_handed_to_the_workers_to_exclude(bus):
    web = Web(PAGES, robots={HOST: {"verdict": "deny"}})

    async with running(bus, web, hurried=True) as run:
        await run.finished(await run.start(A, obey_robots=True))

    assert [url for url, _, _ in run.starts].count(ROBOTS) == 1
    assert int(await bus.redis.hget(bus.keys.host(HOST), "robots_until")) > 0


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
