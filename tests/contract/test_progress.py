"""Progress: a snapshot for who comes late, a channel for who is there, the truth for nobody."""

import asyncio
from contextlib import aclosing

from contract.progress import INTERVAL_SECONDS, Part, follow, snapshot


async def first(watcher) -> dict:
    """The next state."""
    return await anext(watcher)


async def until(watcher, expected: dict) -> None:
    """Read states until this one."""
    async for state in watcher:
        if state == expected:
            return


async def test_a_watcher_that_comes_late_sees_how_things_stand(bus):
    await Part(bus, "frontier").publish("c", {"queued": 3})
    await Part(bus, "record").publish("c", {"items": 1})

    async with aclosing(follow(bus, "c")) as watcher:
        assert await first(watcher) == {"frontier": {"queued": 3}, "record": {"items": 1}}


async def test_a_watcher_hears_each_change_and_so_does_a_second_one(bus):
    part = Part(bus, "frontier")
    async with aclosing(follow(bus, "c")) as one, aclosing(follow(bus, "c")) as two:
        assert await first(one) == await first(two) == {}
        await part.publish("c", {"queued": 1})
        await asyncio.gather(until(one, {"frontier": {"queued": 1}}), until(two, {"frontier": {"queued": 1}}))
        await part.publish("c", {"queued": 2}, last=True)
        await until(two, {"frontier": {"queued": 2}})


async def test_crawls_are_watched_apart(bus):
    await Part(bus, "frontier").publish("other", {"queued": 1})

    assert await snapshot(bus, "c") == {}


async def test_a_part_is_said_at_most_ten_times_a_second_but_its_last_word_always(bus):
    part = Part(bus, "frontier")
    for number in range(50):
        await part.publish("c", {"queued": number})
    assert await snapshot(bus, "c") == {"frontier": {"queued": 0}}

    await part.publish("c", {"queued": 50}, last=True)
    assert await snapshot(bus, "c") == {"frontier": {"queued": 50}}
    await asyncio.sleep(INTERVAL_SECONDS)
    await part.publish("c", {"queued": 51})
    assert await snapshot(bus, "c") == {"frontier": {"queued": 51}}


async def test_a_snapshot_does_not_stay_for_ever(bus):
    await Part(bus, "frontier").publish("c", {"queued": 1})

    assert 0 < await bus.redis.ttl(bus.keys.progress("c")) <= 86_400


async def test_a_watcher_whose_connection_breaks_sees_the_next_change(bus):
    part = Part(bus, "frontier")
    async with aclosing(follow(bus, "c")) as watcher:
        await first(watcher)
        await bus.redis.client_kill_filter(_type="pubsub")
        await part.publish("c", {"queued": 9})
        await until(watcher, {"frontier": {"queued": 9}})


async def test_watchers_leave_no_connection_behind(bus):
    for _ in range(5):
        async with aclosing(follow(bus, "c")) as watcher:
            await first(watcher)

    assert len(await bus.redis.client_list(_type="pubsub")) == 0


async def test_a_number_that_was_not_heard_because_redis_was_away_is_said_again(bus):
    part = Part(bus, "frontier")
    await part.publish("c", {"queued": 1})
    await bus.redis.config_set("maxmemory", "1")
    await part.publish("c", {"queued": 2}, last=True)  # no error: progress is a hint
    await bus.redis.config_set("maxmemory", "0")
    await part.publish("c", {"queued": 2}, last=True)

    assert await snapshot(bus, "c") == {"frontier": {"queued": 2}}
