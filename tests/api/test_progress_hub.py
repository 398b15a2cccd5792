"""The hub: each thing is followed once, as long as somebody wants it; and watchers wait without queues."""

import asyncio

from penstock.api.hub import Hub
from penstock.api.hub.latest import Latest
from penstock.api.hub.sharing import SENDS_A_SECOND


class Source:
    """A source that says when it is followed, and when it is not any more."""

    made = 0

    def __init__(self):
        type(self).made += 1
        self.began, self.ended = asyncio.Event(), asyncio.Event()

    async def run(self):
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


async def test_a_source_is_made_once_for_all_its_users_and_ends_a_while_after_the_last():
    hub, before = Hub(None, linger_seconds=0.02), Source.made
    async with hub.using("x", Source) as one:
        async with hub.using("x", Source) as two:
            await one.began.wait()
        assert one is two
        assert not one.ended.is_set()
    assert not one.ended.is_set()
    await one.ended.wait()
    assert Source.made == before + 1


async def test_who_comes_back_in_time_finds_the_source_at_work():
    hub = Hub(None, linger_seconds=0.02)
    async with hub.using("x", Source) as one:
        await one.began.wait()
    async with hub.using("x", Source) as again:
        await asyncio.sleep(0.04)
        assert again is one
        assert not again.ended.is_set()
    await one.ended.wait()
    async with hub.using("x", Source) as later:
        assert later is not one
    await hub.close()


async def test_all_sources_end_with_the_hub():
    hub = Hub(None)
    async with hub.using("x", Source) as one, hub.using("y", Source) as two:
        await asyncio.gather(one.began.wait(), two.began.wait())
        await hub.close()
        assert one.ended.is_set()
        assert two.ended.is_set()


async def test_the_more_watchers_there_are_the_less_often_each_is_told():
    hub = Hub(None)
    assert hub.pause_seconds == 0.1
    hub.watchers = 10 * SENDS_A_SECOND
    with hub.counting():
        assert hub.pause_seconds == 10 + 1 / SENDS_A_SECOND


async def test_who_waits_gets_the_latest_value_and_none_of_those_before():
    latest = Latest[int]()
    waiting = asyncio.gather(*(latest.newer_than(0) for _ in range(3)))
    await asyncio.sleep(0)
    for value in range(5):
        latest.put(value)

    assert await waiting == [True] * 3
    assert (latest.value, latest.number) == (4, 5)


async def test_a_value_that_nobody_has_seen_is_not_lost_when_there_will_be_no_more():
    latest = Latest[int]()
    latest.put(1)
    latest.close()

    assert await latest.newer_than(0)
    assert not await latest.newer_than(1)
