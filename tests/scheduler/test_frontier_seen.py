"""The set of known URLs is exact, and takes no more than eleven bytes a URL at any size."""

import asyncio

import pytest

from contract.bus import Consumer, publish
from contract.bus.scripts import run_all
from contract.commands import CrawlStart
from contract.crawls import CrawlSpec
from contract.topology import DISCOVER, SEED
from scheduler.frontier import Frontier, candidate
from scheduler.frontier.frontier import SCOPE_HAS_GROWN
from scheduler.frontier.jobs import Candidate
from scheduler.urls import canonical, fingerprint
from tests.builders import CRAWL, make_message, page_parsed
from tests.scheduler.harness import running
from tests.scheduler.web import Answering, Web

#: 25,600 URLs fill the first generation, 409,600 more the second.
URLS, PAGE = 200_000, 4_000
#: How Redis names the places of a crawl that has none.
NO_PLACES = "0.0"


def links(first: int, last: int) -> list[Candidate]:
    """Candidates that are left out, so that nothing but the set of known URLs grows."""
    return [Candidate(fingerprint(f"http://a.test/{n}"), "http://a.test", 1, b"{}", "deny") for n in range(first, last)]


async def started(bus) -> Frontier:
    """A running crawl that waits for more seeds."""
    await publish(bus, make_message(CrawlStart(spec=CrawlSpec(name="one"), seeds=(), more=True)))
    async with Consumer(bus, SEED) as consumer:
        [delivery] = await consumer.take(1)
        call = Frontier(bus, SEED.name).start(
            delivery, spec=CrawlSpec(name="one"), seeds=(), parts=1, fresh=False, places=(), found=()
        )
        await run_all(bus.redis, [call])
    return Frontier(bus, DISCOVER.name)


async def discovered(bus, frontier: Frontier, found: list[Candidate]) -> int:
    """How many of these links were new."""
    await publish(bus, page_parsed())
    async with Consumer(bus, DISCOVER) as consumer:
        [delivery] = await consumer.take(1)
        [new] = await run_all(bus.redis, [frontier.discover(delivery, found, places=NO_PLACES)])
    return new


async def test_the_set_is_exact_and_small_over_generations(bus):
    frontier = await started(bus)
    before = await _used(bus)
    for at in range(0, URLS, PAGE):
        assert await discovered(bus, frontier, links(at, at + PAGE)) == PAGE
        await bus.redis.xtrim(bus.keys.stream("page.excluded"), maxlen=0)
    await bus.redis.xtrim(bus.keys.stream("page.parsed"), maxlen=0)

    assert (await _used(bus) - before) / URLS < 11
    for at in (0, 24_000, 100_000, URLS - PAGE):
        assert await discovered(bus, frontier, links(at, at + PAGE)) == 0
    assert await discovered(bus, frontier, links(URLS - 10, URLS + 10)) == 10
    crawl = f"{CRAWL}.left"
    assert await bus.redis.hgetall(bus.keys.seen(crawl)) == {b"1": b"25600", b"2": str(URLS + 10 - 25_600).encode()}
    buckets = [bus.keys.seen_bucket(crawl, 1, 7), bus.keys.seen_bucket(crawl, 2, 7)]
    assert [await bus.redis.object("ENCODING", key) for key in buckets] == [b"intset", b"intset"]


async def test_a_crawl_that_knows_a_hundred_million_urls_goes_on_in_small_sets(bus):
    frontier = await started(bus)
    await discovered(bus, frontier, links(0, 1))
    known, full = bus.keys.seen(f"{CRAWL}.left"), 400 * 2**18
    await bus.redis.hset(known, mapping={"1": 25_600, "2": 409_600, "3": 6_553_600, "4": full - 1})

    assert await discovered(bus, frontier, links(1, 200)) == 199
    assert (await bus.redis.hget(known, "4"), await bus.redis.hget(known, "5")) == (str(full).encode(), b"198")
    names = await bus.redis.keys(bus.keys.seen_bucket(f"{CRAWL}.left", 5, "*"))
    numbers = {int(name.rpartition(b":")[2]) for name in names}
    assert len(numbers) == 198
    assert 2**21 < max(numbers) < 2**22


async def _used(bus) -> int:
    # Trimmed streams and closed connections give their memory back a moment later.
    await asyncio.sleep(0.05)
    return int((await bus.redis.info("memory"))["used_memory_dataset"])


async def test_a_page_that_links_to_itself_twice_knows_it_once(bus):
    frontier = await started(bus)
    url = canonical("http://a.test/x")

    once = candidate(url, identity=2, depth=1)
    assert await discovered(bus, frontier, [once, once]) == 1
    assert await discovered(bus, frontier, [once]) == 0


@pytest.mark.parametrize("reason", ["deny", "depth", "scope"])
async def test_a_url_that_is_known_is_not_left_out_later(bus, reason):
    frontier = await started(bus)
    url = canonical("http://a.test/x")

    assert await discovered(bus, frontier, [candidate(url, identity=2, depth=1)]) == 1
    assert await discovered(bus, frontier, [candidate(url, identity=2, depth=9, reason=reason)]) == 0


async def test_a_page_that_is_handed_in_twice_counts_once(bus):
    frontier = await started(bus)
    await publish(bus, page_parsed())
    async with Consumer(bus, DISCOVER) as consumer:
        [delivery] = await consumer.take(1)
        call = frontier.discover(delivery, links(0, 5), places=NO_PLACES)

        assert await run_all(bus.redis, [call, call]) == [5, -1]


async def test_links_that_were_judged_by_an_older_scope_are_not_taken(bus):
    frontier = await started(bus)
    await publish(bus, page_parsed())
    async with Consumer(bus, DISCOVER) as consumer:
        [delivery] = await consumer.take(1)
        old, good = (frontier.discover(delivery, links(0, 5), places=places) for places in ("3.7", NO_PLACES))

        assert await run_all(bus.redis, [old, good]) == [SCOPE_HAS_GROWN, 5]


@pytest.mark.parametrize(
    ("identity", "asked"),
    [(1, ["", "%7Ea", "~a", "%7Eb", "~b", "%c3%A9", "%C3%A9"]), (2, ["", "%7Ea", "~a", "%7Eb", "%c3%A9"])],
)
async def test_spellings_of_one_url_are_asked_for_once_but_where_one_redirects_to_another(bus, identity, asked):
    page = "http://a.test/"
    names = ("%7Ea", "~a", "%7Eb", "~b", "%c3%A9", "%C3%A9")
    web = Web({page: tuple(page + name for name in names), **{page + name: () for name in names}})
    web.pages[page + "%7Ea"] = Answering(status=301, to=page + "~a")

    async with running(bus, web) as run:
        end = await run.finished(await run.start(page, identity=identity))

    assert web.asked == {page + name: 1 for name in asked}
    assert end.fetched == len(asked)


async def test_a_host_with_a_dot_behind_it_is_the_same_host(bus):
    page = "http://a.test/"
    web = Web({page: ("http://a.test./b", "http://a.test/b"), "http://a.test./b": ()})

    async with running(bus, web) as run:
        await run.finished(await run.start(page, identity=2, per_host=1, obey_robots=True))

    assert {host for _, host, _ in run.starts} == {"http://a.test"}
    assert web.asked == {"http://a.test/robots.txt": 1, page: 1, "http://a.test./b": 1}
