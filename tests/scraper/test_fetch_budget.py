"""Large bodies wait for one another, so that a process stays within its memory; small ones never do."""

import asyncio
import gzip
from random import Random

import pytest

from contract.settings import Settings
from scraper.http.budget import SMALL_BYTES, Budget
from scraper.http.client import Client
from tests.scraper.raw_server import answer, raw_server

MIB = 1024 * 1024
LARGE = SMALL_BYTES + MIB
SETTINGS = Settings(allow_private=True, deadline_seconds=0.3)
#: A body that gzip leaves a hundredth of.
BODY = Random("sand").randbytes(LARGE // 200).hex().encode() + b"<p>water</p>" * (LARGE // 12)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
ANSWERS = {
    "as it is": answer(BODY),
    "of no known length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    % (len(BODY), BODY),
    "small on the wire": answer(gzip.compress(BODY, 1, mtime=0), "Content-Encoding: gzip"),
}


async def turns(count=10):
    """Let other tasks have their turn."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_bodies_are_let_in_as_long_as_there_is_room_and_then_in_the_order_of_asking():
    budget, entered = Budget(3 * LARGE), []

    async def ask(name, size):
        share = budget.share()
        await share.make_room(size)
        entered.append(name)
        return share

    first = await ask("first", 2 * LARGE)
    waiting = [asyncio.create_task(ask(*one)) for one in (("second", 2 * LARGE), ("third", LARGE))]
    await turns()
    assert (entered, budget.taken) == (["first"], 2 * LARGE)
    first.keep(0)
    await asyncio.gather(*waiting)

    assert (entered, budget.taken) == (["first", "second", "third"], 3 * LARGE)


async def test_a_small_body_does_not_wait_and_is_not_counted():
    budget = Budget(LARGE)
    await budget.share().make_room(LARGE)
    await budget.share().make_room(SMALL_BYTES)

    assert budget.taken == LARGE


async def test_a_share_asks_once_and_gives_back_what_was_too_much():
    budget = Budget(2 * LARGE)
    share = budget.share()
    await share.make_room(2 * LARGE)
    await share.make_room(2 * LARGE)
    share.keep(MIB)
    assert budget.taken == MIB
    share.keep(0)
    share.keep(0)

    assert budget.taken == 0


async def test_a_body_larger_than_the_whole_budget_is_let_in_alone():
    budget = Budget(MIB)
    await budget.share().make_room(LARGE)

    assert budget.taken == LARGE


async def test_who_gives_up_waiting_takes_nothing():
    budget = Budget(LARGE)
    share = budget.share()
    await share.make_room(LARGE)
    waiting = asyncio.create_task(budget.share().make_room(LARGE))
    await turns()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    share.keep(0)

    assert budget.taken == 0
    await asyncio.wait_for(budget.share().make_room(LARGE), 1)


@pytest.mark.parametrize("kind", ANSWERS)
async def test_a_large_body_waits_for_room_and_its_deadline_waits_with_it(kind):
    budget = Budget(LARGE)
    other = budget.share()
    await other.make_room(LARGE)
    async with raw_server(ANSWERS[kind]) as server, Client(SETTINGS) as client:
        share = budget.share()
        get = client.get(f"{server.url}/", user_agent="x", make_room=share.make_room)
        waiting = asyncio.create_task(get)
        await asyncio.wait({waiting}, timeout=2 * SETTINGS.deadline_seconds)
        assert not waiting.done()
        assert share.size == 0
        other.keep(0)
        got = await waiting

    assert got.body == BODY
    assert share.size >= got.wire


async def test_a_small_page_passes_the_large_ones():
    budget = Budget(LARGE)
    await budget.share().make_room(LARGE)
    packed = gzip.compress(b"<p>water</p>" * 3_000, mtime=0)
    async with raw_server(answer(packed, "Content-Encoding: gzip")) as server, Client(SETTINGS) as client:
        got = await client.get(server.url, user_agent="x", make_room=budget.share().make_room)

    assert len(got.body) == 36_000
