"""The server's clock is set while crawls run: nothing waits for it, nobody is asked too soon, and no work is lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from contract.bus import Bus, Consumer, publish
from contract.bus.clock import now_ms
from contract.bus.gate import ask_gate
from contract.bus.groups import ensure_groups, mark_restored
from contract.commands import PageFetch
from contract.pages import PageFailed
from contract.topology import FETCH, PARSE
from scheduler.frontier import Frontier
from tests.builders import make_message, page_fetched, page_parsed
from tests.clocks import Clock, server_with_a_clock
from tests.scheduler.harness import running, take_turns
from tests.scheduler.web import Answering, Web

A, HOST_A = "http://a.test/", "http://a.test"
HOUR = 3_600
#: Nothing here takes as long as that, on however busy a machine, unless it waits for the clock.
PATIENCE_SECONDS = 60
LEASE_SECONDS = 0.5


@pytest.fixture(scope="module")
def server() -> Iterator[Clock]:
    """A server whose clock can be set."""
    with server_with_a_clock() as clock:
        yield clock


@pytest.fixture
async def clock(server: Clock) -> Clock:
    """The server's clock, as the machine's is."""
    server.set(-server.ahead)
    return server


@pytest.fixture
async def bus(clock: Clock) -> AsyncIterator[Bus]:
    """A bus on that server, empty."""
    async with Bus.open(clock.url) as opened:
        await opened.redis.flushall()
        await mark_restored(opened, await ensure_groups(opened))
        yield opened


def pages(count: int) -> dict:
    """A page that links to `count` others, one of which has to be asked twice."""
    busy = {f"{A}0": [Answering(status=503), set()]}
    return {A: {f"{A}{n}" for n in range(count)}} | {f"{A}{n}": set() for n in range(count)} | busy


@pytest.mark.parametrize("by_seconds", [-HOUR, HOUR, -100_000, 100_000])
async def test_a_crawl_goes_on_as_if_the_clock_had_not_been_set(bus, clock, by_seconds):
    async with asyncio.timeout(PATIENCE_SECONDS), running(bus, Web(pages(20))) as run:
        crawl = await run.start(A, delay_seconds=0.02)
        await run.until(lambda: len(run.starts) == 5)
        await set_clock(bus, clock, by_seconds)
        end = await run.finished(crawl)

    assert end.fetched == 21


@pytest.mark.parametrize("by_seconds", [-HOUR, HOUR])
async def test_a_crawl_begins_on_a_server_whose_clock_was_set_while_nobody_was_there(bus, clock, by_seconds):
    async with running(bus, Web(pages(1))) as run:
        await run.finished(await run.start(A))
    await set_clock(bus, clock, by_seconds)

    async with asyncio.timeout(PATIENCE_SECONDS), running(bus, Web(pages(5))) as run:
        assert (await run.finished(await run.start(A))).fetched == 6


@pytest.mark.parametrize("by_seconds", [-HOUR, HOUR, 3 * HOUR])
async def test_a_host_that_wants_to_be_left_alone_is(bus, clock, by_seconds):
    busy = Answering(status=429, retry_after_ms=HOUR * 1000)

    async with asyncio.timeout(PATIENCE_SECONDS), running(bus, Web({A: busy, A + "1": set()})) as run:
        await run.finished(await run.start(A, max_attempts=1))
        await set_clock(bus, clock, by_seconds)
        crawl = await run.start(A + "1")
        frontier = Frontier(bus, "test")
        for _ in range(3):
            issued = await take_turns(frontier)
            assert HOUR - PATIENCE_SECONDS < issued.next_due_ms / 1000 <= HOUR + 1
        await run.cancel(crawl)

    assert len(run.starts) == 1


@pytest.mark.parametrize("by_seconds", [-HOUR, HOUR])
async def test_the_gate_keeps_the_distance(bus, clock, by_seconds):
    await publish(bus, *(make_message(PageFetch(url=f"{A}{n}", host=HOST_A)) for n in range(2)))

    async with Consumer(bus, FETCH) as consumer:
        first, second = await consumer.take(2)
        await ask_gate(consumer, first, host=HOST_A, gap_ms=100_000)
        await set_clock(bus, clock, by_seconds)
        turn = await ask_gate(consumer, second, host=HOST_A, gap_ms=100_000)

    assert 100 - PATIENCE_SECONDS < turn.wait_ms / 1000 <= 101


@pytest.mark.parametrize("by_seconds", [-HOUR, HOUR])
async def test_what_the_dead_held_comes_back_when_a_lease_has_run_out(bus, clock, by_seconds):
    await publish(bus, page_fetched())
    dead = Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS)
    await dead.take(1)
    await set_clock(bus, clock, by_seconds)

    async with asyncio.timeout(PATIENCE_SECONDS), Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS) as other:
        while not (found := await other.take(1, block_ms=20)):
            pass
        assert await other.hand_over(found[0], page_parsed())


@pytest.mark.parametrize("by_seconds", [-HOUR, HOUR])
async def test_the_living_keep_what_they_hold(bus, clock, by_seconds):
    await publish(bus, *(page_fetched(f"{A}{n}") for n in range(600)))

    async with Consumer(bus, PARSE) as living, Consumer(bus, PARSE) as other:
        held = await living.take(600)
        assert await other.take(1, block_ms=1) == []
        await set_clock(bus, clock, by_seconds)
        other._reclaim_at = 0.0
        assert await other.take(1, block_ms=1) == []
        assert all([await living.hand_over(one, page_parsed(one.payload.url)) for one in held])


async def test_time_that_passed_while_nobody_was_there_has_passed(bus, clock):
    busy = Answering(status=429, retry_after_ms=HOUR * 1000)

    async with running(bus, Web({A: busy})) as run:
        await run.finished(await run.start(A, max_attempts=1))
    await set_clock(bus, clock, HOUR)
    async with asyncio.timeout(PATIENCE_SECONDS), running(bus, Web({A: set()})) as run:
        await run.finished(await run.start(A))

    assert not run.of(PageFailed)


async def test_time_that_passed_while_the_server_was_away_has_passed_for_who_lived(bus, clock):
    await bus.redis.hset(bus.keys.host(HOST_A), "block_until", 0)
    steady = [1_000.0]
    frontier = Frontier(bus, "test", steady=lambda: steady[0])
    async with running(bus, Web({A: set()})) as run:
        crawl = await run.start(A, more=True)
        await run.pause(crawl)
    before = await _now(bus, frontier)

    await set_clock(bus, clock, 300)
    steady[0] += 200
    assert 199_000 <= await _now(bus, frontier) - before < 200_000 + PATIENCE_SECONDS * 1000


async def test_who_starts_while_it_is_not_known_what_the_time_is_is_followed_at_its_distance_all_the_same(bus, clock):
    """On a busy machine nobody may look at the clock for a while: our time stands still, and is made up for later."""
    steady = [1_000.0]
    frontier = Frontier(bus, "test", steady=lambda: steady[0])
    await publish(bus, *(make_message(PageFetch(url=f"{A}{n}", host=HOST_A)) for n in range(2)))

    async with Consumer(bus, FETCH) as consumer:
        first, second = await consumer.take(2)
        await take_turns(frontier)
        await set_clock(bus, clock, 50)
        await ask_gate(consumer, first, host=HOST_A, gap_ms=100_000)
        steady[0] += 50
        await take_turns(frontier)
        turn = await ask_gate(consumer, second, host=HOST_A, gap_ms=100_000)

    assert 80 < turn.wait_ms / 1000 <= 101


async def set_clock(bus: Bus, clock: Clock, by_seconds: int) -> None:
    """Set the clock; for a moment after that, the server goes by what the time was before."""
    clock.set(by_seconds)
    while abs(int(await bus.redis.eval("return redis.call('TIME')[1]", 0)) - time.time() - clock.ahead) > 2:
        pass


async def _now(bus: Bus, frontier: Frontier) -> int:
    await take_turns(frontier)
    return await now_ms(bus)
