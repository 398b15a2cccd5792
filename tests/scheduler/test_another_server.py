"""Redis was started again, or a replica promoted: what it did last may be lost, and hosts are spared all the same."""

from contract.bus import Bus, Consumer, publish
from contract.bus.clock import now_ms
from contract.bus.gate import SLACK_MS, ask_gate
from contract.commands import PageFetch
from contract.topology import FETCH
from scheduler.frontier import Frontier
from tests.builders import make_message
from tests.scheduler.harness import running, take_turns
from tests.scheduler.web import Web

A, HOST_A = "http://a.test/", "http://a.test"


async def another_server(bus: Bus) -> int:
    """It does not know when the host was asked; when it was met (our ms)."""
    await bus.redis.delete(bus.keys.host(HOST_A))
    await bus.redis.hset(bus.keys.clock, "server", "another")
    async with Bus.open(bus.url) as newcomer:
        await newcomer.redis.ping()
    return int(await bus.redis.hget(bus.keys.clock, "anew"))


async def test_a_host_is_not_asked_before_its_distance_from_then(bus):
    pages = {A: {A + "1", A + "2"}, A + "1": set(), A + "2": set()}

    async with running(bus, Web(pages)) as run:
        crawl = await run.start(A, delay_seconds=1.5)
        await run.until(lambda: len(run.starts) == 1)
        met = await another_server(bus)
        end = await run.finished(crawl)

    assert end.fetched == 3
    assert all(at >= met + 1_500 for at in run.requests(HOST_A)[1:])


async def test_nothing_is_issued_before_fetchers_have_told_what_is_under_way(bus):
    """Else a host would see more at once than its limit: a job that was issued last may be issued again."""
    async with running(bus, Web({A: set()})) as run:
        met = await another_server(bus)
        issued = await take_turns(Frontier(bus, "test"))
        waited = await now_ms(bus) - met
        end = await run.finished(await run.start(A))

    assert 0 < issued.next_due_ms <= 1_000
    assert issued.next_due_ms + waited >= 1_000
    assert end.fetched == 1
    assert run.requests(HOST_A)[0] >= met + 1_000


async def test_the_gate_keeps_the_distance_from_then(bus):
    await publish(bus, make_message(PageFetch(url=A, host=HOST_A)))
    met = await another_server(bus)

    async with Consumer(bus, FETCH) as consumer:
        [one] = await consumer.take(1)
        turn = await ask_gate(consumer, one, host=HOST_A, gap_ms=30_000)

    assert turn.name >= met + 30_000
    assert turn.wait_ms <= 30_000 + SLACK_MS
