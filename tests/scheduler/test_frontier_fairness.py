"""Crawls take turns, on hosts that they share and in the fleet; nobody waits for nothing."""

import asyncio

from contract.bus.clock import now_ms
from scheduler.frontier import Frontier
from scheduler.report import counts
from tests.scheduler.harness import running, take_turns
from tests.scheduler.web import Web

A, HOST_A = "http://a.test/", "http://a.test"


def pages(count: int, *, root: str = A) -> dict[str, set[str]]:
    """A page that links to `count` others."""
    return {root: {f"{root}{n}" for n in range(count)}} | {f"{root}{n}": set() for n in range(count)}


async def test_two_crawls_that_share_a_host_take_turns(bus):
    web = Web(pages(20) | pages(20, root=A + "x/"))

    async with running(bus, web) as run:
        run.hold = {A, A + "x/"}
        first, second = await run.start(A, per_host=1), await run.start(A + "x/", per_host=1)
        await run.until(lambda: run.starts)
        await run.let_go(A, A + "x/")
        await run.finished(first)
        await run.finished(second)

    owners = ["x" if "/x/" in url else "a" for url, _, _ in run.starts]
    middle = owners[6:-6]
    assert abs(middle.count("a") - middle.count("x")) <= 4


async def test_two_crawls_that_share_a_host_take_turns_there_though_both_have_others(bus):
    shared = {f"http://s.test/{who}{n}": set() for who in "ab" for n in range(15)}
    others = {f"http://{who}{n}.test/": set() for who in "ab" for n in range(15)}
    seeds = {who: [url for url in (*shared, *others) if f"/{who}" in url] for who in "ab"}

    async with running(bus, Web(shared | others)) as run:
        crawls = [await run.start(*seeds[who], per_host=1, more=True) for who in "ab"]
        await asyncio.gather(*(run.add(crawl, last=True) for crawl in crawls))
        for crawl in crawls:
            await run.finished(crawl)

    owners = [url[14] for url, host, _ in run.starts if host == "http://s.test"]
    assert abs(owners[:20].count("a") - owners[:20].count("b")) <= 6


async def test_who_is_served_elsewhere_before_a_host_is_free_has_its_turn_there_all_the_same(bus):
    own, shared = [f"http://own.test/{n}" for n in range(12)], [f"http://s.test/{n}" for n in range(12)]
    async with running(bus, Web({url: set() for url in (*own, *shared)})) as run:
        run.hold = {*own, *shared}

        def asked(host: str) -> list[str]:
            return [url for url, at, _ in run.starts if at == host]

        first = await run.start(*own, *shared[:6], scope="any", per_host=1)
        second = await run.start(*shared[6:], per_host=1)
        for n in range(1, 9):
            for host in ("http://own.test", "http://s.test"):  # so the first crawl always had something just now
                await run.until(lambda host=host, n=n: len(asked(host)) == n)
                await run.let_go(asked(host)[-1])
        run.hold.clear()
        await run.let_go()
        for crawl in (first, second):
            await run.finished(crawl)

    theirs = [url in shared[:6] for url in asked("http://s.test")[1:9]]
    assert theirs in ([True, False] * 4, [False, True] * 4)


async def test_a_small_crawl_beside_a_huge_one_finishes_early(bus):
    small = {f"http://small.test/{n}": {f"http://small.test/{n + 1}"} for n in range(10)}

    async with running(bus, Web(small)) as run:
        huge = await run.start("http://h0.test/0", scope="any", more=True)
        seeds = [f"http://h{n % 50}.test/{n}" for n in range(50_000)]
        for part, at in enumerate(range(0, len(seeds), 5_000)):
            await run.add(huge, *seeds[at : at + 5_000], part=part, last=at + 5_000 >= len(seeds))
        await run.until(lambda: run.starts)
        end = await run.finished_now(await run.start("http://small.test/0"))
        left = (await counts(bus, huge))["queued"]

    assert (end.fetched, end.failed) == (10, 1)
    assert left > 45_000


async def test_hosts_at_their_limit_are_not_looked_at(bus):
    """A parked host is not in `due`, so a run of dispatch costs the same with one parked host as with a thousand."""
    async with running(bus, Web({})) as run:
        hosts = [f"http://h{n}.test/" for n in range(60)]
        run.hold = set(hosts)
        crawl = await run.start(*hosts, *(host + "1" for host in hosts), scope="any", per_host=1)
        await run.until(lambda: len(run.starts) == 60)

        assert await bus.redis.zcard(bus.keys.due(crawl)) == 0
        issued = await take_turns(Frontier(bus, "scheduler.dispatch"))
        assert (issued.count, issued.next_due_ms) == (0, -1)

        await run.let_go(*hosts)
        await run.finished(crawl)


async def test_a_host_that_may_be_asked_later_says_when(bus):
    async with running(bus, Web(pages(1))) as run:
        crawl = await run.start(A, delay_seconds=30.0, per_host=1)
        await run.until(lambda: len(run.starts) == 1)
        await run.drained()
        while not await bus.redis.zcard(bus.keys.due(crawl)):
            await asyncio.sleep(0.005)
        issued = await take_turns(Frontier(bus, "scheduler.dispatch"))

    assert issued.count == 0
    assert 25_000 < issued.next_due_ms <= 30_000


async def test_a_crawl_that_ignores_robots_txt_lets_one_that_obeys_have_its_turn(bus):
    theirs, mine = [f"{A}{n}" for n in range(120)], [f"{A}b{n}" for n in range(5)]

    async with running(bus, Web(dict.fromkeys([*theirs, *mine], ()), latency_ms=5)) as run:
        rude = await run.start(*theirs, per_host=4)
        await run.until(lambda: len(run.starts) >= 8)
        polite = await run.start(*mine, per_host=4, obey_robots=True)
        await run.finished(polite)
        await run.finished(rude)

    asked = [url for url, _, _ in run.starts]
    assert asked.index(A + "robots.txt") < 40
    assert max(map(asked.index, mine)) < 80


async def test_a_robots_txt_that_takes_long_holds_up_only_who_goes_by_it(bus):
    theirs = [f"{A}{n}" for n in range(10)]

    async with running(bus, Web(dict.fromkeys([*theirs, A + "b"], ()))) as run:
        run.hold = {A + "robots.txt"}
        polite = await run.start(A + "b", obey_robots=True)
        await run.until(lambda: run.starts)
        await run.finished_now(await run.start(*theirs))
        await run.let_go(A + "robots.txt")
        end = await run.finished(polite)

    assert end.fetched == 1
    assert run.most_in_flight["http://a.test"] <= 8


async def test_a_crawl_that_leaves_a_host_out_has_no_turn_there(bus):
    """Its URLs are left out in its own turn; it is not given another crawl's to ask for them."""
    urls = {name: [f"{A}{name}{n}" for n in range(3)] for name in "bcx"}
    urls["x"].append("http://own.test/")
    far = await now_ms(bus) + 3_600_000
    await bus.redis.hset(bus.keys.host(HOST_A), mapping={"robots": "known", "robots_until": far, "crawl_delay": 5_000})
    terms = {"per_host": 1, "max_crawl_delay_seconds": 1.0}

    async with running(bus, Web({url: set() for one in urls.values() for url in one})) as run:
        run.hold = {url for one in urls.values() for url in one}
        asked = run.starts
        two = [await run.start(*urls["c"], **terms)]
        await run.until(lambda: asked)
        two.append(await run.start(*urls["b"], **terms))
        for more in range(1, 3):  # by now the two have had a turn each, and the host remembers it
            await run.let_go(asked[-1][0])
            await run.until(lambda more=more: len(asked) > more)
        third = await run.start(*urls["x"], obey_robots=True, scope="any", **terms)
        await run.until(lambda: asked[-1][0] == "http://own.test/robots.txt")  # so it comes behind them again
        await run.let_go(*run.hold)
        ends = [await run.finished_now(crawl) for crawl in (*two, third)]

    assert [(end.fetched, end.excluded) for end in ends] == [(3, 0), (3, 0), (1, 3)]
