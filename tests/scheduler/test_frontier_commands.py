"""Start, add, pause, resume, cancel: what they answer, what they do, and what they leave behind."""

import asyncio

import pytest

from contract.bus import publish
from contract.commands import SeedsAdd
from contract.crawls import CrawlCancelled, CrawlFinished, CrawlPaused, CrawlResumed, CrawlStarted, SeedsAdded
from tests.builders import make_message, page_failed
from tests.scheduler.harness import running
from tests.scheduler.web import Answering, Web

A = "http://a.test/"
MANY = {A: {f"{A}{n}" for n in range(60)}} | {f"{A}{n}": () for n in range(60)}


async def test_a_name_that_is_still_running_is_joined(bus):
    async with running(bus, Web({A: ()})) as run:
        run.hold = {A}
        first = await run.begin(A, name="one")
        second = await run.begin(A, name="one")
        await run.let_go(A)
        await run.finished(first.crawl)

    assert (first.resumed, second.resumed, second.crawl) == (False, True, first.crawl)
    assert len(run.of(CrawlStarted)) == 1


async def test_a_name_that_has_finished_begins_anew(bus):
    web = Web({A: ()})

    async with running(bus, web) as run:
        first = await run.start(A, name="one")
        await run.finished(first)
        second = await run.start(A, name="one", crawl="20261123-000000-second")
        await run.finished(second)

    assert first != second
    assert web.asked[A] == 2


async def test_a_start_that_was_sent_twice_starts_once(bus):
    async with running(bus, Web({A: ()})) as run:
        crawl = await run.start(A, name="one")
        await run.finished(crawl)
        answer = await run.begin(A, name="one", crawl=crawl)
        await run.drained()

    assert (answer.crawl, answer.resumed) == (crawl, True)
    assert len(run.of(CrawlStarted)) == len(run.of(CrawlFinished)) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"delay_seconds": -1.0}, "delay must be between 0 and 86400 seconds, not -1.0"),
        ({"delay_seconds": 1e9}, "delay must be between"),
        ({"per_host": 0}, "per_host must be between 1 and"),
        ({"max_pages": -1}, "max_pages must be between 0 and"),
        ({"max_depth": 10_000}, "max_depth must be between 0 and"),
        ({"allow": ("(",)}, "the allow pattern '(' is not a regular expression"),
        ({"crawl": 'a"b c'}, "a crawl's id is made of"),
    ],
)
async def test_a_specification_that_makes_no_sense_is_refused_with_one_line(bus, changes, why):
    async with running(bus, Web({})) as run:
        answer = await run.begin(A, **changes)

    assert answer.refused
    assert answer.refused.startswith(why)
    assert await bus.redis.hlen(bus.keys.names) == 0


async def test_seeds_in_parts_hold_the_crawl_until_the_last(bus):
    web = Web({f"http://h{n}.test/": {f"http://h{n + 1}.test/", f"http://h{n}.test/x"} for n in range(4)})

    async with running(bus, web) as run:
        crawl = await run.start("http://h0.test/", more=True)
        await run.add(crawl, "http://h1.test/", "http://h2.test/", part=1)
        await run.until(lambda: run.of(SeedsAdded))
        assert not run.starts  # nothing is asked for while its scope is not known
        await run.add(crawl, "http://h3.test/", part=2, last=True)
        end = await run.finished(crawl)

    assert [len(added.seeds) for added in run.of(SeedsAdded)] == [2, 1]
    assert (end.fetched, end.failed, end.excluded) == (4, 4, 1)
    assert run.outcomes()["http://h4.test/"] == ["scope"]


async def test_the_same_start_again_releases_a_hold_that_nobody_will(bus):
    async with running(bus, Web({A: ()})) as run:
        crawl = await run.start(A, name="one", more=True)
        await run.start(A, name="one")
        end = await run.finished(crawl)

    assert end.fetched == 1


async def test_seeds_for_a_crawl_that_does_not_exist_are_refused(bus):
    async with running(bus, Web({})) as run:
        answer = await run.command(SeedsAdd(seeds=(A,)), "nobody")

    assert answer.refused == "there is no such unfinished crawl"
    assert not await bus.redis.xlen(bus.keys.dead("scheduler.seed"))


async def test_a_paused_crawl_issues_nothing_until_it_is_resumed(bus):
    async with running(bus, Web(MANY)) as run:
        run.hold = {A}
        crawl = await run.start(A)
        await run.until(lambda: run.starts)
        assert (await run.pause(crawl)).refused is None
        await run.let_go(A)
        await run.drained()
        issued = len(run.starts)
        assert (await run.resume(crawl)).refused is None
        end = await run.finished(crawl)

    assert issued == 1
    assert end.fetched == 61
    assert len(run.of(CrawlPaused)) == len(run.of(CrawlResumed)) == 1


async def test_the_same_start_again_resumes_a_paused_crawl(bus):
    async with running(bus, Web({A: {A + "1"}, A + "1": ()})) as run:
        run.hold = {A}
        crawl = await run.start(A, name="one")
        await run.until(lambda: run.starts)
        await run.pause(crawl)
        await run.let_go(A)
        answer = await run.begin(A, name="one")
        await run.finished(crawl)

    assert (answer.crawl, answer.resumed) == (crawl, True)
    assert len(run.of(CrawlResumed)) == 1


async def test_what_was_in_flight_may_finish_a_paused_crawl(bus):
    async with running(bus, Web({A: ()})) as run:
        run.hold = {A}
        crawl = await run.start(A)
        await run.until(lambda: run.starts)
        await run.pause(crawl)
        await run.let_go(A)
        end = await run.finished(crawl)

    assert end.fetched == 1


async def test_commands_that_do_not_fit_the_state_are_refused(bus):
    async with running(bus, Web({A: ()})) as run:
        run.hold = {A}
        crawl = await run.start(A)
        answers = [await run.resume(crawl), await run.cancel(crawl), await run.pause(crawl), await run.cancel("nobody")]

    assert [answer.refused for answer in answers] == [
        "the crawl is running and cannot be resumed",
        None,
        "the crawl is cancelled and cannot be paused",
        "there is no such unfinished crawl",
    ]


@pytest.mark.parametrize("schedulers", [1, 2])
async def test_a_cancelled_crawl_asks_for_nothing_more_and_its_name_is_free(bus, schedulers):
    async with running(bus, Web(MANY, latency_ms=2), schedulers=schedulers) as run:
        crawl = await run.start(A, name="one", per_host=2)
        await run.until(lambda: len(run.starts) > 3)
        await run.cancel(crawl)
        await run.drained()
        started = len(run.starts)
        other = await run.start(A, name="one", crawl="20261123-000000-second")
        end = await run.finished(other)

    assert started <= 8
    assert end.fetched == 61
    assert not run.of(CrawlFinished, crawl)
    assert len(run.of(CrawlCancelled, crawl)) == 1


async def test_the_late_outcome_of_a_cancelled_crawl_frees_its_host_and_changes_nothing_else(bus):
    async with running(bus, Web({A: {A + "1"}, A + "1": ()})) as run:
        run.hold = {A}
        crawl = await run.start(A, per_host=1)
        await run.until(lambda: run.starts)
        await run.cancel(crawl)
        other = await run.start(A + "1", per_host=1)
        await run.let_go(A)
        await run.finished(other)

    assert await bus.redis.hget(bus.keys.host("http://a.test"), "in_flight") == b"0"
    assert await bus.redis.get(bus.keys.in_flight) == b"0"
    assert run.starts[-1][0] == A + "1"


async def test_an_outcome_of_a_crawl_that_nobody_remembers_is_settled(bus):
    async with running(bus, Web({})) as run:
        await publish(bus, page_failed(A, crawl="long-gone"))
        await run.drained()

    assert await bus.redis.get(bus.keys.in_flight) == b"0"


def keys_that_may_stay(bus) -> set[str]:
    """Streams with their groups, and what outlives crawls on purpose."""
    keys = bus.keys
    lasting = (keys.epoch, keys.restored, keys.in_flight, keys.turn, keys.body_bytes, keys.clock, keys.resting)
    return {*lasting, keys.alive}


@pytest.mark.parametrize("ending", ["finished", "cancelled", "bounded"])
async def test_an_ended_crawl_leaves_only_what_is_forgotten_in_time(bus, ending):
    busy = {"http://b.test/": Answering(status=500), "http://c.test/": {f"http://x{n}.test/" for n in range(20)}}
    web = Web({A: {*MANY[A], *busy}} | {url: page for url, page in MANY.items() if url != A} | busy)

    async with running(bus, web, hurried=ending == "finished") as run:
        crawl = await run.start(A, scope="any", max_pages=5 if ending == "bounded" else 0)
        if ending == "cancelled":
            await run.until(lambda: "http://b.test/" in web.asked)
            await run.cancel(crawl)
        await run.until(lambda: run.of(CrawlCancelled if ending == "cancelled" else CrawlFinished, crawl))
        await run.drained()
        while await bus.redis.exists(bus.keys.forgetting):
            await asyncio.sleep(0.005)
        left = {}
        for key in await bus.redis.keys("*"):
            if await bus.redis.type(key) != b"stream" and await bus.redis.ttl(key) < 0:
                left[key.decode()] = await bus.redis.type(key)

    resting = {bus.keys.host(host.decode()) for host in await bus.redis.zrange(bus.keys.resting, 0, -1)}
    assert set(left) <= keys_that_may_stay(bus) | resting
    assert await bus.redis.get(bus.keys.in_flight) == b"0"


async def test_messages_of_the_scheduler_are_worded_as_the_contract_has_them(bus):
    """What Lua words is decoded by the same codec as everything else (the recorder did), and has a reason to be."""
    async with running(bus, Web({A: {"http://b.test/"}})) as run:
        crawl = await run.start(A)
        await run.finished(crawl)

    by_type = {message.envelope.type: message.envelope for message in run.events}
    assert {"crawl.started", "crawl.finished", "page.excluded"} <= set(by_type)
    for kind in ("crawl.started", "crawl.finished", "page.excluded"):
        assert by_type[kind].crawl == by_type[kind].correlationid == crawl
    assert by_type["crawl.finished"].id == f"{crawl}.v2"
    assert make_message(run.of(CrawlFinished)[0]).envelope.dataversion == by_type["crawl.finished"].dataversion
