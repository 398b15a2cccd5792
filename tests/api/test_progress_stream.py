"""Progress over HTTP: a snapshot, then each change; one follower for all; the last word is SQL's."""

import asyncio
import re
import socket
from contextlib import AsyncExitStack

import httpx
import pytest

from contract.crawls import CrawlCancelled
from contract.settings import Settings
from contract.topology import RECORD
from scheduler.report import backlogs
from storage.read_models import queries
from tests import builders
from tests.api.watching import CRAWL, PROGRESS, Stage, named, rest, serving, until, watching
from tests.builders import URL


@pytest.fixture
def stage(bus, redis_url, tmp_path):
    made = Stage(bus, Settings(redis_url=redis_url, data=str(tmp_path)))
    made.record(builders.crawl_started())
    yield made
    made.engine.dispose()


@pytest.fixture
async def address(stage):
    async with serving(stage.settings) as address:
        yield address


async def test_first_comes_how_things_stand_and_then_each_change(stage, address):
    await stage.say(state="running", discovered=3, queued=2)
    async with watching(address) as events:
        [first] = await until(events, lambda event: True)
        assert (first.name, first.data["crawl"], first.data["name"]) == ("progress", CRAWL, "site")
        assert (first.data["discovered"], first.data["queued"], first.data["complete"]) == (3, 2, False)

        await stage.say(state="running", discovered=4, queued=3)
        await until(events, lambda event: event.data["queued"] == 3)


async def test_a_burst_of_changes_is_told_in_a_few_messages_of_which_the_last_is_the_newest(stage, address):
    await stage.say(state="running", discovered=1)
    async with watching(address) as events:
        await until(events, lambda event: True)
        began = asyncio.get_running_loop().time()
        for number in range(2, 102):
            await stage.say(state="running", discovered=number)

        told = await until(events, lambda event: event.data["discovered"] == 101)

    seconds = asyncio.get_running_loop().time() - began
    assert len(told) <= 2 + 10 * seconds
    assert int(told[-1].id) >= 100  # ids count what was heard
    assert [event.data["discovered"] for event in told] == sorted({event.data["discovered"] for event in told})


async def test_many_watchers_share_one_follower(stage, address):
    await stage.say(state="running", discovered=1)
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(watching(address)) for _ in range(20)]
        for events in streams:
            await until(events, lambda event: event.data["discovered"] == 1)
        assert await stage.readers() == 1
        await stage.say(state="running", discovered=2)
        for events in streams:
            await until(events, lambda event: event.data["discovered"] == 2)


async def test_the_last_message_has_the_counts_of_sql(stage, address):
    await stage.say(state="running", discovered=9, queued=1, in_flight=2, fetched=7, retried=1)
    async with watching(address) as events:
        await until(events, lambda event: True)
        stage.record(builders.page_fetched(attempt=2), builders.page_parsed(), builders.page_excluded(URL + "/x"))
        stage.record(builders.crawl_finished(fetched=1, excluded=1))
        await stage.say(state="finished", discovered=9, fetched=7, retried=1)
        await stage.say("record", **queries.progress(stage.engine, CRAWL))
        told = await rest(events)

    [last] = named(told, "end")
    assert told[-1].name == told[-1].id == "end"
    numbers = queries.progress(stage.engine, CRAWL)
    assert {name: last[name] for name in numbers} == numbers
    assert (last["discovered"], last["queued"], last["in_flight"], last["retried"]) == (2, 0, 0, 1)
    assert last["complete"]


async def test_the_end_is_found_in_sql_where_nobody_says_so(stage, address):
    """Pub/sub is a hint: the recorder's last word was lost, with all that Redis knew."""
    await stage.say(state="running", discovered=1)
    async with watching(address) as events:
        await until(events, lambda event: True)
        stage.record(builders.page_fetched(), builders.page_parsed(), builders.crawl_finished())
        await stage.bus.redis.flushall()

        told = await rest(events)

    assert all(event.data["discovered"] == 1 for event in told)
    assert (told[-1].name, told[-1].data["state"]) == ("end", "finished")


async def test_a_crawl_that_was_over_before_anybody_came_is_shown_once_and_ends(stage, address):
    stage.record(builders.page_fetched(), builders.page_parsed(), builders.crawl_finished())

    async with watching(address) as events:
        told = await rest(events)

    assert [event.name for event in told] == ["progress", "end"]
    assert told[0].data == told[1].data
    assert told[1].data["fetched"] == 1


async def test_a_cancelled_crawl_ends_with_what_is_recorded(stage, address):
    await stage.say(state="running", discovered=5, queued=5)
    async with watching(address) as events:
        await until(events, lambda event: True)
        await stage.say(state="cancelled", discovered=5)
        stage.record(builders.life(CrawlCancelled, 2), builders.page_fetched())
        told = await rest(events)

    last = told[-1]
    assert (last.name, last.data["state"], last.data["fetched"], last.data["queued"]) == ("end", "cancelled", 1, 0)


async def test_a_cancelled_crawl_ends_whatever_others_have_still_to_be_recorded(stage, address):
    await stage.say(state="running", discovered=5, queued=5)
    await stage.bus.redis.hset(stage.bus.keys.crawl(CRAWL), mapping={"state": "cancelled", "in_flight": 0})
    await stage.bus.redis.xadd(stage.bus.keys.stream("page.fetched"), {"of": "another crawl"})
    assert (await backlogs(stage.bus))[RECORD.name] == 1
    async with watching(address) as events:
        await until(events, lambda event: True)
        stage.record(builders.life(CrawlCancelled, 2))
        await stage.say(state="cancelled", discovered=5)
        began = asyncio.get_running_loop().time()
        told = await rest(events)

    assert (told[-1].name, told[-1].data["state"]) == ("end", "cancelled")
    assert asyncio.get_running_loop().time() - began < 3


async def test_each_stream_begins_with_how_soon_to_come_back(stage, address):
    async with httpx.AsyncClient() as client:
        for path in (PROGRESS, PROGRESS + "?detail=1", "/progress"):
            async with client.stream("GET", address + path) as response:
                lines = response.aiter_lines()
                assert await anext(lines) == "retry: 1000"
                assert await anext(lines) != "", "a block of its own would be an event without data to some clients"


async def test_who_has_heard_the_end_is_told_to_stop(stage, address):
    async with httpx.AsyncClient() as client:
        answer = await client.get(address + PROGRESS, headers={"Last-Event-ID": "end"})

    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_crawl_that_is_unknown_is_404(stage, address):
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/crawls/20000101-000000-ffffff/progress")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_was_known_stays_when_redis_is_emptied(stage, address):
    await stage.say(state="running", discovered=7, queued=7)
    async with watching(address) as events:
        await until(events, lambda event: True)
        await stage.bus.redis.flushall()
        await stage.bus.redis.client_kill_filter(_type="pubsub")
        told = [await anext(events) for _ in range(2)]
        await stage.say(state="running", discovered=8, queued=1)
        told += await until(events, lambda event: event.data["discovered"] == 8)

    assert {event.data["discovered"] for event in told} == {7, 8}


async def test_a_watcher_that_does_not_read_is_told_the_newest_when_it_does(stage):
    """Its messages are large and its buffers small, so that the server has to wait for it."""
    filler = {"words" + "x" * 300_000: 1}
    async with serving(stage.settings, buffer=65_536) as address, AsyncExitStack() as stack:
        await stage.say(state="running", discovered=1, reasons=filler)
        lazy = await _asked_but_not_read(stack, int(address.rpartition(":")[2]))
        other = await stack.enter_async_context(watching(address))
        for number in range(2, 12):
            await stage.say(state="running", discovered=number, reasons=filler)
            await until(other, lambda event, number=number: event.data["discovered"] == number)

        seen, read = [], b""
        while 11 not in seen:
            read += await asyncio.get_running_loop().sock_recv(lazy, 1 << 20)
            seen = [int(number) for number in re.findall(rb'"discovered":(\d+),', read)]

    assert seen == sorted(seen)
    assert len(seen) < 6, seen


async def _asked_but_not_read(stack: AsyncExitStack, port: int) -> socket.socket:
    lazy = stack.enter_context(socket.socket())
    lazy.setblocking(False)
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    await asyncio.get_running_loop().sock_connect(lazy, ("127.0.0.1", port))
    lazy.send(f"GET {PROGRESS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return lazy
