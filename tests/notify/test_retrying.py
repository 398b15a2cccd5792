"""Receivers that are slow, in trouble, gone, or not to be asked: tried again, given up, and nobody else's concern."""

import asyncio
import socket
from itertools import pairwise

import pytest

from contract.bus import Consumer, publish
from contract.bus.dead_letters import dead_letters, retry
from contract.crawls import CrawlPaused
from contract.topology import NOTIFY
from penstock.notify import Limits
from penstock.webhooks.answers import Schedule
from penstock.webhooks.sender import POSTS_A_RECEIVER
from tests.builders import CRAWL, crawl_finished, life, page_fetched, page_parsed
from tests.notify.receivers import QUICK, TAKEN, notifying, receiving, settings_for, through
from tests.notify.test_posting import know, started
from tests.scraper.raw_server import answer
from tests.storage.helpers import progress_where, publish_fetched, recording

FEW = Limits(schedule=Schedule(attempts=3, first_seconds=0.01))


async def buried(bus):
    """The reasons of all dead letters."""
    return [letter.reason async for letter in dead_letters(bus)]


@pytest.mark.parametrize("status", ["500 Oh", "404 Not Found", "400 Bad", "429 Slow", "301 Moved", "304 Same"])
async def test_what_is_not_taken_is_posted_again_under_the_same_id_until_it_is(bus, tmp_path, status):
    sorry = answer(b"", "Location: http://127.0.0.1:1/elsewhere", status=status)
    async with receiving(sorry, sorry, TAKEN) as receiver, notifying(bus, settings_for(bus, tmp_path)):
        await publish(bus, started(receiver.url))
        await through(bus)

    assert len(receiver.posts) == 3
    assert {post.headers["webhook-id"] for post in receiver.posts} == {f"{CRAWL}.v1"}
    assert {post.line for post in receiver.posts} == {"POST /hooks?token=hunter2 HTTP/1.1"}  # never elsewhere
    assert await buried(bus) == []


async def test_the_waits_grow(bus, tmp_path):
    limits = Limits(schedule=Schedule(attempts=4, first_seconds=0.1))
    sorry = answer(status="500 Oh")
    async with receiving(sorry) as receiver, notifying(bus, settings_for(bus, tmp_path), limits):
        await publish(bus, started(receiver.url))
        await through(bus)

    times = [post.at for post in receiver.posts]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert len(waits) == 3
    for wait, longest in zip(waits, (0.1, 0.2, 0.4), strict=True):
        assert longest / 2 <= wait <= longest + 0.3


async def test_a_receiver_says_how_long_to_wait_and_is_heard_up_to_a_point(bus, tmp_path):
    limits = Limits(schedule=Schedule(attempts=8, first_seconds=0.01, most_asked_seconds=0.4))
    busy = answer(b"", "Retry-After: 3600", status="503 Busy")
    async with receiving(busy, TAKEN) as receiver, notifying(bus, settings_for(bus, tmp_path), limits):
        await publish(bus, started(receiver.url))
        first, second = await receiver.got(2)

    assert 0.4 <= second.at - first.at < 2


async def test_nobody_there_is_tried_again_until_somebody_is(bus, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    async with notifying(bus, settings_for(bus, tmp_path), FEW):
        await publish(bus, started(f"http://127.0.0.1:{port}/"))
        await through(bus)

    reason = f"http://127.0.0.1:{port} has not taken it: no answer: connect_refused, after 3 attempts"
    assert await buried(bus) == [reason]


async def test_a_receiver_that_is_gone_is_given_up_at_once(bus, tmp_path):
    async with receiving(answer(status="410 Gone")) as receiver, notifying(bus, settings_for(bus, tmp_path)):
        await publish(bus, started(receiver.url))
        await through(bus)

    assert len(receiver.posts) == 1
    assert [reason.partition(": ")[2] for reason in await buried(bus)] == ["answered 410, after 1 attempt"]


async def test_a_private_address_is_refused_and_nothing_is_sent_there(bus, tmp_path):
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path, allow_private=False)):
        by_name = receiver.url.replace("127.0.0.1", "localhost")
        await publish(bus, started(receiver.url), started(by_name, crawl="by-name"))
        await through(bus)

    assert receiver.posts == []
    reasons = await buried(bus)
    assert len(reasons) == 2
    assert all("blocked_address, after 1 attempt" in reason for reason in reasons)


async def test_what_was_given_up_is_posted_again_when_it_is_asked_for(bus, tmp_path):
    answers = [*[answer(status="500 Oh")] * 3, TAKEN]
    async with receiving(*answers) as receiver, notifying(bus, settings_for(bus, tmp_path), FEW):
        await publish(bus, started(receiver.url))
        await through(bus)
        [letter] = [letter async for letter in dead_letters(bus)]
        assert await retry(bus, letter)
        await through(bus)

    assert [post.body for post in receiver.posts] == [letter.raw] * 4
    assert await buried(bus) == []


async def test_an_answer_without_end_is_taken_by_its_head(bus, tmp_path):
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 1_000
    async with receiving(endless) as receiver, notifying(bus, settings_for(bus, tmp_path)):
        await publish(bus, started(receiver.url))
        await through(bus)

    assert len(receiver.posts) == 1


async def test_a_receiver_that_never_answers_runs_into_the_deadline(bus, tmp_path):
    limits = Limits(schedule=Schedule(attempts=2, first_seconds=0.01), deadline_seconds=0.1)
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path), limits):
        receiver.held.clear()
        await publish(bus, started(receiver.url))
        await through(bus)

    assert [reason.partition(": ")[2] for reason in await buried(bus)] == ["no answer: deadline, after 2 attempts"]


async def test_a_slow_receiver_delays_neither_another_one_nor_the_recorder(bus, tmp_path):
    settings = settings_for(bus, tmp_path)
    async with receiving() as slow, receiving() as quick, recording(settings), notifying(bus, settings):
        slow.held.clear()
        await publish(bus, *(started(slow.url, crawl=f"slow-{n}") for n in range(20)))
        await slow.got(POSTS_A_RECEIVER)
        await publish(bus, started(quick.url), crawl_finished())
        await publish_fetched(bus, page_fetched())
        await publish(bus, page_parsed())
        await progress_where(bus, lambda progress: progress.get("complete"))
        await quick.got(1)
        assert len(slow.posts) == POSTS_A_RECEIVER  # all that one receiver gets at once
        slow.held.set()
        await slow.got(20)

    assert slow.most_at_once == POSTS_A_RECEIVER


async def test_what_is_too_much_for_one_receiver_is_set_aside_and_comes_again(bus, tmp_path):
    limits = Limits(schedule=QUICK.schedule, most_held_a_receiver=5)
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path), limits, lease_seconds=0.3):
        receiver.held.clear()
        await publish(bus, *(started(receiver.url, crawl=f"crawl-{n}") for n in range(15)))
        await receiver.got(POSTS_A_RECEIVER)
        await asyncio.sleep(0.5)
        receiver.held.set()
        await through(bus)

    assert sorted(post.event["crawl"] for post in receiver.posts) == sorted(f"crawl-{n}" for n in range(15))
    assert await buried(bus) == []


async def test_what_a_killed_notifier_had_is_posted_by_the_next(bus, tmp_path):
    killed = Consumer(bus, NOTIFY)  # without a heartbeat, as after kill -9
    async with receiving() as receiver:
        await know(bus, receiver.url)
        await publish(bus, started(receiver.url), life(CrawlPaused, 2))
        assert len(await killed.take(10)) == 2
        async with notifying(bus, settings_for(bus, tmp_path), lease_seconds=0.3):
            await through(bus)

    assert sorted(receiver.told) == [("crawl.paused", 2), ("crawl.started", 1)]


async def test_what_is_held_when_asked_to_stop_is_given_back_at_once(bus, tmp_path):
    long = Limits(schedule=Schedule(first_seconds=60.0))
    async with receiving(answer(status="500 Oh"), TAKEN) as receiver:
        await know(bus, receiver.url)
        async with notifying(bus, settings_for(bus, tmp_path), long):
            await publish(bus, started(receiver.url), life(CrawlPaused, 2))
            await receiver.got(1)
        began = asyncio.get_running_loop().time()
        async with notifying(bus, settings_for(bus, tmp_path)):
            await through(bus)

    assert asyncio.get_running_loop().time() - began < 3  # a lease is fifteen seconds
    assert [version for _, version in receiver.told] == [1, 1, 2]


async def test_a_post_on_its_way_may_end_when_asked_to_stop(bus, tmp_path):
    async with receiving() as receiver:
        async with notifying(bus, settings_for(bus, tmp_path)):
            receiver.held.clear()
            await publish(bus, started(receiver.url))
            await receiver.got(1)
            asyncio.get_running_loop().call_later(0.2, receiver.held.set)
        await through(bus)

    assert len(receiver.posts) == 1
