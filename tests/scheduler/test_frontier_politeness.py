"""Hosts are spared: at most so many requests in flight, at least so long apart, by the server's own clock."""

import asyncio
import time
from itertools import pairwise

import pytest

from contract.bus import Consumer, publish
from contract.bus.gate import SLACK_MS, Gate, Turn, ask_gate
from contract.commands import PageFetch
from contract.pages import PageFailed
from contract.topology import FETCH
from scheduler.frontier import Frontier
from tests.builders import make_message
from tests.scheduler.harness import running, take_turns
from tests.scheduler.web import Answering, Web

A, B = "http://a.test/", "http://b.test/"
HOST_A, HOST_B = "http://a.test", "http://b.test"
#: Requests are stamped a moment after they are issued, by the round trip that reads the clock.
STAMP_MS = 4


def pages(count: int, *, root: str = A) -> dict[str, set[str]]:
    """A page that links to `count` others."""
    return {root: {f"{root}{n}" for n in range(count)}} | {f"{root}{n}": set() for n in range(count)}


def gaps(starts: list[int]) -> list[int]:
    """Milliseconds between one start and the next."""
    return [later - earlier for earlier, later in pairwise(sorted(starts))]


@pytest.mark.parametrize("schedulers", [1, 2])
async def test_requests_to_one_host_keep_their_distance(bus, schedulers):
    async with running(bus, Web(pages(5) | pages(5, root=B)), schedulers=schedulers) as run:
        await run.finished(await run.start(A, B, delay_seconds=0.06, per_host=1))

    assert len(run.requests(HOST_A)) == len(run.requests(HOST_B)) == 6
    assert min(gaps(run.requests(HOST_A)) + gaps(run.requests(HOST_B))) >= 60 - STAMP_MS


@pytest.mark.parametrize(("per_host", "schedulers"), [(1, 1), (3, 1), (3, 2)])
async def test_a_host_never_has_more_requests_in_flight_than_allowed(bus, per_host, schedulers):
    async with running(bus, Web(pages(20), latency_ms=5), schedulers=schedulers) as run:
        await run.finished(await run.start(A, per_host=per_host))

    assert run.most_in_flight[HOST_A] == per_host


async def test_the_limit_and_the_distance_hold_over_all_crawls(bus):
    async with running(bus, Web(pages(8), latency_ms=5), schedulers=2) as run:
        # All its pages are seeds, so that it wants the host as long as it has not been served.
        gentle = await run.start(A, *(f"{A}{n}" for n in range(8)), delay_seconds=0.03, per_host=1)
        eager = await run.start(A, delay_seconds=0.0, per_host=8)
        await run.finished(gentle)
        await run.finished(eager)

    assert len(run.requests(HOST_A)) == 18
    of_gentle = sorted(at for url, _, at in run.starts)[: 2 * 8]
    assert min(gaps(of_gentle)) >= 30 - STAMP_MS  # while the gentle one was there
    assert run.most_in_flight[HOST_A] <= 8


async def test_a_crawl_delay_of_robots_txt_wins_over_a_shorter_delay(bus):
    web = Web(pages(3), robots={HOST_A: {"verdict": "rules", "crawl_delay_ms": 80}})

    async with running(bus, web) as run:
        await run.finished(await run.start(A, delay_seconds=0.01, obey_robots=True))

    assert min(gaps(run.requests(HOST_A))) >= 80 - STAMP_MS


async def test_a_host_that_says_retry_after_is_left_alone_by_everybody(bus):
    busy = [Answering(status=429, retry_after_ms=300), set()]
    web = Web({A: {A + "busy", A + "1", A + "2"}, A + "busy": busy, A + "1": set(), A + "2": set(), B: set()})

    async with running(bus, web) as run:
        crawl = await run.start(A + "busy", per_host=1, max_attempts=1)
        await run.finished(crawl)
        await run.finished(await run.start(A + "1", B, per_host=4))

    first, then = run.requests(HOST_A)
    assert then - first >= 1_000 - STAMP_MS  # 429 is also trouble, and the longer pause counts
    assert run.requests(HOST_B)[0] - first < 1_000


async def test_a_host_in_trouble_is_left_alone_for_longer_with_each_error(bus):
    web = Web({A: Answering(status=503), A + "1": Answering(status=503), A + "2": set()})

    async with running(bus, web) as run:
        await run.finished(await run.start(A, per_host=1, max_attempts=1))
        host = bus.keys.host(HOST_A)
        first = await _pause_ms(bus, host)
        await bus.redis.hset(host, mapping={"block_until": 0, "next_at": 0})
        await run.finished(await run.start(A + "1", per_host=1, max_attempts=1))
        second = await _pause_ms(bus, host)
        await bus.redis.hset(host, mapping={"block_until": 0, "next_at": 0})
        await run.finished(await run.start(A + "2", per_host=1, max_attempts=1))

    assert 800 < first <= 1_000 < 2_800 < second <= 3_000
    assert await bus.redis.hget(host, "errors") == b"0"


async def test_what_was_on_its_way_when_a_host_got_into_trouble_is_one_error_and_what_is_sent_then_another(bus):
    together, later = [f"{A}{n}" for n in range(8)], A + "later"
    web = Web({url: Answering(status=500) for url in (*together, later)})

    async with running(bus, web) as run:
        run.hold = set(together)
        crawl = await run.start(*together, per_host=8, max_attempts=1)
        await run.until(lambda: len(run.starts) == len(together))
        await run.let_go(*together)
        await run.finished_now(crawl)
        host = bus.keys.host(HOST_A)
        assert await bus.redis.hget(host, "errors") == b"1"
        assert await _pause_ms(bus, host) <= 1_000
        await run.finished(await run.start(later, per_host=8, max_attempts=1))
        assert await bus.redis.hget(host, "errors") == b"2"


async def _pause_ms(bus, host: str) -> int:
    return int(await bus.redis.hget(host, "block_until")) - await _now_ms(bus)


async def _now_ms(bus) -> int:
    seconds, microseconds = await bus.redis.time()
    return seconds * 1000 + microseconds // 1000


async def test_urls_that_are_not_asked_for_cost_no_delay(bus):
    excluded = {f"{A}{n}": Answering(reason="not:robots") for n in range(30)}

    async with running(bus, Web({A: set(excluded), **excluded})) as run:
        await run.finished(await run.start(A, delay_seconds=0.5, per_host=1))

    starts = sorted(run.requests(HOST_A))
    assert starts[1] - starts[0] >= 500 - STAMP_MS
    assert starts[-1] - starts[1] < 500 * len(excluded) / 2


async def test_a_job_that_was_not_asked_for_does_not_end_the_pause_of_a_host_in_trouble(bus):
    web = Web({A: Answering(status=503), A + "x": Answering(reason="not:robots")})

    async with running(bus, web) as run:
        run.hold = {A, A + "x"}
        crawl = await run.start(A, A + "x", per_host=2, max_attempts=1)
        await run.until(lambda: len(run.starts) == 2)
        await run.let_go(A)
        await run.until(lambda: run.of(PageFailed, crawl))
        await run.drained_of("scheduler.settle")
        await run.let_go(A + "x")
        await run.finished(crawl)

    assert await _pause_ms(bus, bus.keys.host(HOST_A)) > 500


async def test_the_gate_gives_out_starts_one_gap_apart(bus):
    await publish(bus, *(make_message(_job(n)) for n in range(3)))

    async with Consumer(bus, FETCH) as consumer:
        waits = [(await ask_gate(consumer, one, host=HOST_A, gap_ms=1_000)).wait_ms for one in await consumer.take(9)]

    gap = 1_000 + SLACK_MS
    assert waits[0] == 0
    assert gap - 50 <= waits[1] <= gap
    assert 2 * gap - 50 <= waits[2] <= 2 * gap


@pytest.mark.parametrize(("behind_ms", "wait_ms"), [(0, 0), (1_010, 1_620)])
async def test_who_missed_its_turn_starts_at_once_unless_somebody_has_come_behind(bus, behind_ms, wait_ms):
    await publish(bus, make_message(_job(1)))
    missed = await _now_ms(bus) - 500
    await bus.redis.hset(bus.keys.host(HOST_A), "asked_at", missed + behind_ms)

    async with Consumer(bus, FETCH) as consumer:
        [one] = await consumer.take(1)
        turn = await ask_gate(consumer, one, host=HOST_A, gap_ms=1_000, missed=Turn(0, missed))

    assert wait_ms - 50 <= turn.wait_ms <= wait_ms
    assert int(await bus.redis.hget(bus.keys.host(HOST_A), "asked_at")) == turn.name >= missed + 500


@pytest.mark.parametrize("late_ms", [SLACK_MS, 40, 700])
async def test_who_may_start_late_is_followed_at_a_gap_from_its_latest_start(bus, late_ms):
    """Turns alone say nothing: a start that is late by what it may be is a gap away from the next one all the same."""
    await publish(bus, *(make_message(_job(n)) for n in range(3)))

    async with Consumer(bus, FETCH) as consumer:
        gate, jobs = Gate(consumer), await consumer.take(9)
        first = await gate.ask(jobs[0], host=HOST_A, gap_ms=1_000, slack_ms=late_ms)
        second = await gate.ask(jobs[1], host=HOST_A, gap_ms=30_000)
        third = await gate.ask(jobs[2], host=HOST_A, gap_ms=0)

    # Its own distance, though the first keeps a shorter one; a turn is named by the latest moment at which it starts.
    assert second.name - SLACK_MS >= first.name + 30_000
    assert third.is_strict
    assert third.name >= second.name + 30_000


async def test_who_would_start_too_late_asks_again_with_more_leave(bus):
    """A busy machine gets a turn that it can keep, and none starts later than those behind it allow for."""
    await publish(bus, make_message(_job(1)))
    leaves = list[int]()

    class Held(Gate):
        async def ask(self, *words, slack_ms: int = SLACK_MS, **more) -> Turn:
            leaves.append(slack_ms)
            turn = await super().ask(*words, slack_ms=slack_ms, **more)
            time.sleep(0.1)  # noqa: ASYNC251 the machine has no time for us
            return turn

    async with Consumer(bus, FETCH) as consumer:
        [one] = await consumer.take(1)
        assert await Held(consumer).wait(one, host=HOST_A, gap_ms=1)

    assert leaves[:4] == [10, 20, 40, 80]
    assert leaves[-1] > 100
    started_by = int(await bus.redis.hget(bus.keys.host(HOST_A), "asked_at"))
    assert await _now_ms(bus) <= started_by


async def test_the_gate_waits_until_a_block_is_over(bus):
    await publish(bus, make_message(_job(1)))
    seconds, _ = await bus.redis.time()
    await bus.redis.hset(bus.keys.host(HOST_A), "block_until", (seconds + 20) * 1000)

    async with Consumer(bus, FETCH) as consumer:
        [one] = await consumer.take(1)
        assert (await ask_gate(consumer, one, host=HOST_A, gap_ms=10)).wait_ms > 18_000


async def test_the_gate_is_shut_for_a_job_that_another_worker_has_taken_over(bus):
    await publish(bus, make_message(_job(1)))

    async with Consumer(bus, FETCH, lease_seconds=0.0) as zombie, Consumer(bus, FETCH, lease_seconds=0.0) as other:
        [one] = await zombie.take(1)
        [_] = await other.take(1)
        assert (await ask_gate(zombie, one, host=HOST_A, gap_ms=10)).wait_ms == -1


async def test_a_clock_that_was_set_back_does_not_shut_the_gate_for_long(bus):
    await publish(bus, make_message(_job(1)))
    await bus.redis.hset(bus.keys.host(HOST_A), "asked_at", 9_000_000_000_000)

    async with Consumer(bus, FETCH) as consumer:
        [one] = await consumer.take(1)
        assert (await ask_gate(consumer, one, host=HOST_A, gap_ms=10)).wait_ms <= 64 * (10 + SLACK_MS)


async def test_the_gate_lets_who_keeps_no_distance_start_at_once_and_holds_whoever_keeps_one_behind_it(bus):
    await publish(bus, *(make_message(_job(n)) for n in range(4)))

    async with Consumer(bus, FETCH) as consumer:
        gate, jobs = Gate(consumer), await consumer.take(9)
        waits = [
            (await gate.ask(job, host=HOST_A, gap_ms=gap)).wait_ms
            for job, gap in zip(jobs, (0, 0, 900, 0), strict=True)
        ]

    assert waits[:2] == [0, 0]
    assert 900 - 50 <= waits[2] <= 900 + 100  # behind a start that kept none
    assert 900 <= waits[3] - waits[2] + 50 <= 900 + SLACK_MS + 50  # and the other way round


async def test_the_gate_is_shut_for_everybody_while_a_host_is_to_be_left_alone(bus):
    await publish(bus, make_message(_job(1)))
    await bus.redis.hset(bus.keys.host(HOST_A), "block_until", await _now_ms(bus) + 20_000)

    async with Consumer(bus, FETCH) as consumer:
        [one] = await consumer.take(1)
        assert (await ask_gate(consumer, one, host=HOST_A, gap_ms=0)).wait_ms > 18_000


async def test_the_gate_does_not_bring_forward_what_politeness_has_noted(bus):
    await publish(bus, make_message(_job(1)))
    later = await _now_ms(bus) + 500
    await bus.redis.hset(bus.keys.host(HOST_A), "next_at", later)

    async with Consumer(bus, FETCH) as consumer:
        [one] = await consumer.take(1)
        await ask_gate(consumer, one, host=HOST_A, gap_ms=100)

    assert int(await bus.redis.hget(bus.keys.host(HOST_A), "next_at")) == later


async def test_requests_that_come_to_the_gate_together_share_a_round_trip(bus):
    await publish(bus, *(make_message(_job(n)) for n in range(40)))

    async with Consumer(bus, FETCH) as consumer:
        gate, jobs = Gate(consumer), await consumer.take(40)
        before = await _scripts_run(bus)
        turns = await asyncio.gather(*(gate.ask(job, host=f"{HOST_A}{job.id}", gap_ms=0) for job in jobs))
        after = await _scripts_run(bus)

    assert {turn.wait_ms for turn in turns} == {0}
    assert after - before <= 3


async def _scripts_run(bus) -> int:
    stats = await bus.redis.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])


def _job(number: int) -> PageFetch:
    return PageFetch(url=f"{A}{number}", host=HOST_A)


async def test_a_host_is_remembered_for_as_long_as_any_wait_that_is_noted_on_it(bus):
    """A delay may be a day: who starts another crawl in three hours must not ask the host at once."""
    three_hours = 10_800

    async with running(bus, Web({A: ()})) as run:
        await run.finished(await run.start(A, delay_seconds=three_hours))
        while await bus.redis.scard(bus.keys.forgetting):
            await asyncio.sleep(0.01)

    assert await _rest_seconds(bus) > three_hours


async def test_a_host_without_a_wait_is_forgotten_in_the_end(bus):
    async with running(bus, Web({A: ()})) as run:
        await run.finished(await run.start(A))
        while await bus.redis.scard(bus.keys.forgetting):
            await asyncio.sleep(0.01)

    assert 0 < await _rest_seconds(bus) <= 7_200
    await bus.redis.zadd(bus.keys.resting, {HOST_A: 1})
    await take_turns(Frontier(bus, "test"))
    assert not await bus.redis.exists(bus.keys.host(HOST_A), bus.keys.resting)


async def test_a_host_that_no_crawl_asks_is_forgotten_too_unless_one_wants_it_by_then(bus):
    """Its robots.txt was asked for as the target of a redirect, which passes the gate like any other request."""
    key = bus.keys.host(HOST_A)
    for wanted in (0, 1):
        await publish(bus, make_message(_job(wanted)))
        async with Consumer(bus, FETCH) as consumer:
            [one] = await consumer.take(1)
            await ask_gate(consumer, one, host=HOST_A, gap_ms=2_000)
            await consumer.hand_over(one)
        assert 7_190 < await _rest_seconds(bus) <= 7_205
        if wanted:
            await bus.redis.sadd(bus.keys.host_crawls(HOST_A), "a crawl")
        await bus.redis.zadd(bus.keys.resting, {HOST_A: 1})
        await take_turns(Frontier(bus, "test"))
        assert await bus.redis.exists(key) == wanted
        assert not await bus.redis.exists(bus.keys.resting)


async def _rest_seconds(bus) -> float:
    return (await bus.redis.zscore(bus.keys.resting, HOST_A) - await _now_ms(bus)) / 1000
