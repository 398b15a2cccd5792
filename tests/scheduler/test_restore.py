"""A frontier that was lost comes back from what is recorded: exact counts, nothing asked twice, one end."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract import codec
from contract.bus import Bus, publish
from contract.bus.groups import ensure_groups, mark_restored
from contract.bus.reread import reread
from contract.commands import FrontierRestore, KnownLinks, KnownPage
from contract.crawls import CrawlFinished, CrawlSpec
from contract.envelope import new_message
from contract.pages import Link, PageExcluded, PageFailed, PageFetched
from contract.topology import PARSE
from tests.builders import page_fetched
from tests.scheduler.harness import Run, running
from tests.scheduler.web import Answering, Web

A = "http://a.test/"
CRAWL = "20261123-120000-abcdef"
SPEC = CrawlSpec(name="lost", delay_seconds=0.0, per_host=8, obey_robots=False)


class Replay:
    """A replay by hand: parts, and the wait until they are worked in."""

    def __init__(self, bus: Bus, *, run: str = "r1", spec: CrawlSpec = SPEC) -> None:
        self.bus, self.run, self.spec, self.sent = bus, run, spec, 0

    async def begin(self, *seeds: str, version: int = 3, **more: Any) -> None:
        """Another world, in which this crawl is known."""
        self.epoch = await ensure_groups(self.bus)
        await self.send("crawl", spec=self.spec, seeds=seeds or (A,), version=version, **more)
        await self.worked_in()

    async def send(self, step: Any, **what: Any) -> None:
        part = FrontierRestore(epoch=self.epoch, run=self.run, step=step, **what)
        self.sent += 1
        await publish(self.bus, new_message(part, id=f"{self.run}.{self.sent}", source="test", crawl=CRAWL))

    async def worked_in(self) -> None:
        field = self.bus.keys.run_field(self.run)
        while int(await self.bus.redis.hget(self.bus.keys.crawl(CRAWL), field) or 0) < self.sent:
            await asyncio.sleep(0.002)

    async def end(self, **more: Any) -> None:
        await self.worked_in()
        await self.send("end", **more)
        await self.worked_in()
        await mark_restored(self.bus, self.epoch)


def page(name: str, outcome: Any = "page", **more: Any) -> KnownPage:
    """A page of one host, read, at the first attempt."""
    facts = {"url": A + name, "depth": 1, "hops": 0, "via": A, "attempt": 1, "read": True, "outcome": outcome, **more}
    return KnownPage(**facts)


@pytest.fixture
async def lost(bus: Bus) -> Bus:
    """A server that was emptied a moment ago."""
    await bus.redis.flushall()
    return bus


async def test_what_is_recorded_is_not_asked_again_and_the_rest_is(lost):
    web = Web({A + "new": (), A + "again": ()})
    known = (
        *(page("", depth=0), page("old"), page("moved", "moved"), page("gone", "failed", reason="http_404")),
        *(page("again", "failed", retryable=True, attempt=2), page("robots", "excluded", reason="robots")),
        page("deep", "excluded", attempt=0, reason="depth"),
    )
    links = tuple(Link(A + name) for name in ("old", "new", "moved", "gone", "again", "robots"))
    deeper = KnownLinks(A + "old", 1, 0, (Link(A + "deep"),))

    async with running(lost, web, hurried=True) as run:
        replay = Replay(lost, spec=CrawlSpec(**{**as_fields(SPEC), "max_depth": 1}))
        await replay.begin()
        await replay.send("pages", pages=known)
        await replay.worked_in()
        await replay.send("links", seeds=(A,), links=(deeper, KnownLinks(A, 0, 0, links)))
        await replay.end()
        end = await run.finished(CRAWL)

    assert web.asked == {A + "new": 1, A + "again": 1}
    assert [one.attempt for one in run.of(PageFetched) if one.url == A + "again"] == [3]
    assert end == CrawlFinished(fetched=5, failed=1, excluded=2, version=4)
    assert run.of(PageExcluded) == []


def as_fields(spec: CrawlSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in spec.__struct_fields__}


async def test_nothing_is_issued_and_no_command_carried_out_before_all_is_there(lost):
    async with running(lost, Web({A: ()})) as run:
        run.hold = {A}
        replay = Replay(lost)
        await replay.begin()
        await replay.send("links", seeds=(A,))
        await replay.worked_in()
        paused = asyncio.create_task(run.pause(CRAWL))
        await asyncio.sleep(0.15)  # three rounds of dispatch
        assert (run.starts, paused.done()) == ([], False)
        await replay.end()
        assert (await paused).refused is None
        await run.resume(CRAWL)
        await run.let_go(A)
        end = await run.finished(CRAWL)

    assert (end.fetched, end.version) == (1, 6)


async def test_a_paused_crawl_comes_back_paused_and_keeps_its_version(lost):
    async with running(lost, Web({A: ()})) as run:
        replay = Replay(lost)
        await replay.begin(state="paused", version=7)
        await replay.send("links", seeds=(A,))
        await replay.end()
        await asyncio.sleep(0.1)
        assert run.starts == []
        answer = await run.resume(CRAWL)
        await run.finished(CRAWL)

    assert answer.version == 8


async def test_a_host_is_not_asked_before_its_crawl_delay_and_its_own_word_have_passed(lost):
    async with running(lost, Web({A + "x": (), "http://b.test/": ()})) as run:
        replay = Replay(lost, spec=CrawlSpec(**{**as_fields(SPEC), "delay_seconds": 0.1, "scope": "any"}))
        await replay.begin(crawl_delays=(("http://a.test", 150),))
        seconds, microseconds = await lost.redis.time()
        now = seconds * 1000 + microseconds // 1000
        busy = KnownPage("http://b.test/", 0, 0, None, 1, "failed", "http_503", True, now + 400)
        await replay.send("pages", pages=(page("old"), busy))
        await replay.worked_in()
        await replay.send("links", links=(KnownLinks(A, 0, 0, (Link(A + "x"),)),))
        await replay.end()
        await run.finished(CRAWL)

    assert run.requests("http://a.test")[0] >= now + 300
    assert run.requests("http://b.test")[0] >= now + 400


async def test_a_page_that_nobody_has_read_is_read_once_and_only_then_the_crawl_ends(lost):
    web = Web({A: {A + "x"}, A + "x": ()})
    async with running(lost, web) as run:
        replay = Replay(lost)
        await replay.begin()
        await replay.send("pages", pages=(page("", depth=0, read=False),))
        await replay.end()
        [mark] = await lost.redis.smembers(lost.keys.unread(CRAWL))
        message = page_fetched(A, crawl=CRAWL, fingerprint=mark.decode())
        assert not run.of(CrawlFinished)
        raw = codec.encode(message)
        assert await reread(lost, message, raw=raw, body=b"body")
        assert not await reread(lost, message, raw=raw, body=b"body")
        end = await run.finished(CRAWL)

    assert (end.fetched, dict(web.asked)) == (2, {A + "x": 1})
    assert await lost.redis.xlen(lost.keys.again(PARSE.name)) == 0


async def test_a_page_that_nobody_can_read_is_not_waited_for(lost):
    async with running(lost, Web({A: ()})) as run:
        replay = Replay(lost)
        await replay.begin()
        await replay.send("pages", pages=(page("", depth=0, read=False),))
        await replay.worked_in()
        [mark] = await lost.redis.smembers(lost.keys.unread(CRAWL))
        await replay.end(unread=(mark.decode(), "0123456789abcdef"))
        end = await run.finished(CRAWL)

    assert end.fetched == 1


async def test_parts_of_a_replay_that_was_overtaken_change_nothing(lost):
    async with running(lost, Web({A: ()})) as run:
        slow, other = Replay(lost, run="r1"), Replay(lost, run="r2")
        await slow.begin()
        await lost.redis.set(lost.keys.replaying, "r2")
        await other.begin()
        await other.send("pages", pages=(page("", depth=0, read=False),))
        await other.worked_in()
        await slow.send("crawl", spec=SPEC, seeds=(A,), version=3)
        await slow.send("pages", pages=(page("late"),))
        await slow.send("end")
        await slow.worked_in()
        assert (await lost.redis.hget(lost.keys.crawl(CRAWL), "restoring"), run.of(CrawlFinished)) == (b"r2", [])
        [mark] = await lost.redis.smembers(lost.keys.unread(CRAWL))
        await other.end(unread=(mark.decode(),))
        end = await run.finished(CRAWL)

    assert end.fetched == 1


async def test_parts_of_another_world_change_nothing(lost):
    async with running(lost, Web({A: ()})) as run:
        replay = Replay(lost)
        await replay.begin()
        stale, replay.epoch = replay.epoch, "another"
        await replay.send("pages", pages=(page("", depth=0),))
        await run.drained()
        replay.epoch, replay.sent = stale, replay.sent - 1
        await replay.send("links", seeds=(A,))
        await replay.end()
        end = await run.finished(CRAWL)

    assert end.fetched == 1


async def test_a_request_of_the_world_before_counts_to_its_hosts_limit_until_it_has_ended(lost):
    """Its slot is held for as long as it can take, or until its fetcher says otherwise; for a robots.txt too."""
    keys = lost.keys
    spec = CrawlSpec(**{**as_fields(SPEC), "per_host": 1, "obey_robots": True, "scope": "any"})
    async with running(lost, Web({A + "x": (), "http://b.test/": ()})) as run:
        replay = Replay(lost, spec=spec)
        await replay.begin()
        seconds, microseconds = await lost.redis.time()
        now = seconds * 1000 + microseconds // 1000
        ends = {"http://a.test fetcher 0": now + 60_000, "http://b.test fetcher 1": now + 400, "http://c.test f 2": 1}
        await lost.redis.zadd(keys.old_requests, ends)
        await replay.send("links", links=(KnownLinks(A, 0, 0, (Link(A + "x"), Link("http://b.test/"))),))
        await replay.end()
        await run.until(lambda: run.requests("http://b.test"))
        assert run.requests("http://b.test")[0] >= now + 400
        assert run.requests("http://a.test") == []
        await lost.redis.zrem(keys.old_requests, "http://a.test fetcher 0")
        end = await run.finished(CRAWL)

    assert end.fetched == 2
    assert await lost.redis.zcard(keys.old_requests) == 0


OUTCOMES = st.one_of(
    st.just({}),
    st.just({"outcome": "moved"}),
    st.just({"outcome": "failed", "reason": "http_404"}),
    st.just({"outcome": "failed", "reason": "http_503", "retryable": True, "attempt": 2}),
    st.just({"outcome": "excluded", "reason": "robots"}),
    st.just({"outcome": "excluded", "reason": "deny", "attempt": 0}),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    known=st.lists(OUTCOMES, max_size=12),
    unknown=st.integers(0, 6),
    chance=st.integers(0, 2**16),
    schedulers=st.integers(1, 2),
)
def test_parts_come_in_any_order_and_twice_and_the_counts_are_exact(redis_url, known, unknown, chance, schedulers):
    asyncio.run(_restore(redis_url, known, unknown, random.Random(chance), schedulers))


async def _restore(redis_url: str, known: list[Any], unknown: int, chance: random.Random, schedulers: int) -> None:
    pages = [page(f"deny{n}" if one.get("reason") == "deny" else str(n), **one) for n, one in enumerate(known)]
    fresh = [f"{A}new{n}" for n in range(unknown)]
    web = Web(dict.fromkeys([*fresh, *(one.url for one in pages)], ()) | {A: Answering(status=404)})
    links = [KnownLinks(A, 0, 0, (Link(url),)) for url in [*fresh, *(one.url for one in pages)]]
    async with Bus.open(redis_url) as bus:
        await bus.redis.flushall()
        async with running(bus, web, schedulers=schedulers, hurried=True) as run:
            replay = Replay(bus, spec=CrawlSpec(**{**as_fields(SPEC), "deny": ("deny",)}))
            await replay.begin()
            for step, parts in (("pages", pages), ("links", links)):
                twice = [*parts, *parts]
                chance.shuffle(twice)
                for one in twice:
                    await replay.send(step, **{step: (one,)})
                await replay.worked_in()
            await replay.send("links", seeds=(A,))
            await replay.end()
            await _as_it_should(run, pages, fresh)


async def _as_it_should(run: Run, pages: list[KnownPage], fresh: list[str]) -> None:
    end = await run.finished(CRAWL)
    again = [one.url for one in pages if one.retryable]
    assert sorted(url for url, _, _ in run.starts) == sorted([A, *again, *fresh])
    assert [one.url for one in run.of(PageFailed)] == [A]
    fetched = [one for one in pages if one.outcome in ("page", "moved")]
    failed = [one for one in pages if one.outcome == "failed" and not one.retryable]
    excluded = [one for one in pages if one.outcome == "excluded"]
    assert end.fetched == len(fetched) + len(again) + len(fresh)
    assert (end.failed, end.excluded) == (len(failed) + 1, len(excluded))


@pytest.mark.parametrize(("identity", "asked"), [(1, {"~b": 1, "~c": 1}), (2, {"~c": 1})])
async def test_a_crawl_comes_back_by_the_rule_of_identity_that_it_was_started_with(lost, identity, asked):
    web = Web({A + "~b": (), A + "~c": (), A + "~d": ()})
    moved = page("%7Ed", "moved"), page("~d", hops=1, via=A + "%7Ed")
    links = tuple(Link(A + name) for name in ("~b", "%7eb", "~c", "%7Ed"))
    spec = CrawlSpec(**{**as_fields(SPEC), "identity": identity})

    async with running(lost, web, hurried=True) as run:
        replay = Replay(lost, spec=spec)
        await replay.begin()
        await replay.send("pages", pages=(page("", depth=0), page("%7eb"), *moved))
        await replay.worked_in()
        redirect = KnownLinks(A + "%7Ed", 1, 0, (Link(A + "~d", redirect=True),))
        await replay.send("links", links=(KnownLinks(A, 0, 0, links), redirect))
        await replay.end()
        end = await run.finished(CRAWL)

    assert web.asked == {A + name: times for name, times in asked.items()}
    assert end.fetched == 4 + len(asked)
