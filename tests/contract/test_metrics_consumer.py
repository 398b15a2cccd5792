"""What a consumer's metrics say: every delivery that was taken ends in exactly one way, and how long that took."""

import pytest

from contract.bus import Bus, Consumer, HandOver, publish
from contract.bus.watching import watchers
from contract.commands import PageFetch
from contract.envelope import new_message
from contract.topology import FETCH, PARSE, RECORD
from tests import builders
from tests.contract.counting import counted, counting

STAGE = FETCH.name


async def jobs(bus: Bus, count: int) -> None:
    """Put jobs on their stream."""
    made = [PageFetch(url=f"http://a.test/{n}", host="http://a.test", attempt=2) for n in range(count)]
    await publish(bus, *(new_message(job, id=f"j{n}", source="test", crawl="c") for n, job in enumerate(made)))


def ends(said):
    """Result → deliveries of the fetch stage that ended so."""
    return {result: said["penstock_messages_total", result, STAGE] for result in ("done", "lost", "buried", "returned")}


async def test_a_batch_is_counted_by_how_its_deliveries_ended(bus):
    await jobs(bus, 5)
    with counting() as found:
        async with Consumer(bus, FETCH) as consumer:
            done, buried, returned, lost, held = await consumer.take(10)
            await consumer.hand_over(done, builders.page_fetched())
            await consumer.bury(buried, "bad")
            await consumer.give_back([returned])
            await bus.redis.xack(bus.keys.stream("page.fetch"), STAGE, lost.id)
            await consumer.hand_over(lost)
            said = counted(found)
        after = counted(found)

    assert ends(said) == {"done": 1, "lost": 1, "buried": 1, "returned": 1}
    assert said["penstock_held_messages", STAGE] == 1
    assert (said["penstock_batch_messages_count", STAGE], said["penstock_batch_messages_sum", STAGE]) == (1, 5)
    assert said["penstock_handling_seconds_count", STAGE] == 4
    assert ends(after)["returned"] == 2, f"{held} was given back at the end"
    assert after["penstock_held_messages", STAGE] == 0


async def test_a_delivery_that_was_taken_over_ends_as_lost_once(bus):
    await jobs(bus, 1)
    with counting() as found:
        async with Consumer(bus, FETCH) as slow, Consumer(bus, FETCH, lease_seconds=0.0) as other:
            [delivery] = await slow.take(1)
            [again] = await other.take(1)
            await other.hand_over(again)
            await slow._renew([delivery], idle_ms=0)
            await slow.hand_over(delivery)
            said = counted(found)

    assert ends(said) == {"done": 1, "lost": 1, "buried": 0, "returned": 0}
    assert said["penstock_redeliveries_total", STAGE] == 1


async def test_an_entry_that_cannot_be_read_is_a_dead_letter_too(bus):
    await bus.redis.xadd(bus.keys.stream("page.fetch"), {"e": "rubbish"})
    with counting() as found:
        async with Consumer(bus, FETCH) as consumer:
            assert await consumer.take(1) == []
            said = counted(found)

    assert ends(said)["buried"] == 1
    assert said["penstock_handling_seconds_count", STAGE] == 0


async def test_outcomes_are_counted_by_what_they_say(bus):
    outcomes = [
        builders.page_fetched(),
        builders.page_fetched(status=301, location="http://a.test/x", attempt=2),
        builders.page_failed(),
        builders.page_failed(status=503, reason="http_503"),
        builders.page_failed(asked=False, reason="dns_failed"),
        builders.page_excluded(reason="robots"),
        builders.robots_fetched(),
    ]
    await jobs(bus, len(outcomes))
    with counting() as found:
        async with Consumer(bus, FETCH) as consumer:
            taken = await consumer.take(10)
            await consumer.hand_over_all([HandOver(one, [out]) for one, out in zip(taken, outcomes, strict=True)])
            said = counted(found)

    came = {name[1:]: count for name, count in said.items() if name[0] == "penstock_fetch_outcomes_total" and count}
    assert came == {
        ("fetched", "page"): 1,
        ("fetched", "redirect"): 1,
        ("failed", "timeout"): 1,
        ("failed", "http_status"): 1,
        ("failed", "dns_failed"): 1,
        ("excluded", "robots"): 1,
        ("robots", "allow"): 1,
    }
    classes = ("2xx", "3xx", "4xx", "5xx", "none")
    assert [said["penstock_fetch_answers_total", word] for word in classes] == [1, 1, 1, 1, 1]
    assert said["penstock_fetch_seconds_count",] == 5
    assert said["penstock_fetch_retries_total",] == 1
    assert (said["penstock_fetch_wire_bytes_total",], said["penstock_fetch_body_bytes_total",]) == (800, 2_000)


async def test_the_recorder_counts_items_and_archived_bytes_of_what_it_has_finished(bus):
    await publish(bus, builders.page_fetched(), builders.page_parsed())
    with counting() as found:
        async with Consumer(bus, RECORD) as consumer:
            consumer.forget(await consumer.take(10))
            said = counted(found)

    assert (said["penstock_recorded_items_total",], said["penstock_archive_bytes_total",]) == (1, 300)


@pytest.mark.parametrize("stage", [FETCH, PARSE, RECORD])
def test_nobody_watches_a_consumer_unless_asked_to(stage):
    assert watchers(stage) == ()
