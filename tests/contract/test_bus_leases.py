"""Who holds a delivery, for how long, and what becomes of those that nobody can finish."""

import asyncio
import socket

import pytest

from contract import codec
from contract.bus import Consumer, publish
from contract.bus.consumer import DELIVERY_LIMIT
from contract.bus.leases import consumer_name, end_leases, is_gone
from contract.commands import CrawlPause
from contract.topology import PARSE, RECORD, SEED, Stage
from tests.builders import make_message, page_failed, page_fetched, page_parsed

LEASE_SECONDS = 0.06


async def taken(consumer: Consumer) -> list:
    """The next deliveries, however long they take to come."""
    while not (found := await consumer.take(10, block_ms=5)):
        pass
    return found


async def owner(bus, stream: str = "page.fetched", stage: Stage = PARSE) -> list[str]:
    """The consumers that hold entries of a stream."""
    entries = await bus.redis.xpending_range(bus.keys.stream(stream), stage.name, "-", "+", 1_000)
    return [entry["consumer"].decode() for entry in entries]


async def letters(bus, stage: Stage = PARSE) -> list[dict[bytes, bytes]]:
    """A stage's dead letters."""
    return [fields for _, fields in await bus.redis.xrange(bus.keys.dead(stage.name))]


async def test_a_slow_consumer_keeps_what_it_holds(bus):
    await publish(bus, page_fetched())

    async with Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS) as slow:
        [page] = await slow.take(1)
        async with Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS) as other:
            for _ in range(20):
                assert await other.take(1, block_ms=20) == []
        assert await slow.hand_over(page, page_parsed())


async def test_a_zombie_does_not_take_back_what_others_have_taken_over(bus):
    await publish(bus, page_fetched())
    zombie = Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS)
    await zombie.take(1)

    async with Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS) as other:
        await taken(other)
        async with zombie:  # it wakes up, and its heart beats again
            await asyncio.sleep(3 * LEASE_SECONDS)
            assert zombie.held == {}
            assert await owner(bus) == [other.name]


async def test_what_is_given_back_is_taken_at_once_and_does_not_count(bus):
    await publish(bus, page_fetched())

    for _ in range(2 * DELIVERY_LIMIT):
        async with Consumer(bus, PARSE) as consumer:
            [page] = await consumer.take(1, block_ms=5)
            assert page.count == 1
            await consumer.give_back([page])
            assert consumer.held == {}

    assert await letters(bus) == []


async def test_what_is_held_at_the_end_is_given_back(bus):
    await publish(bus, page_fetched())

    async with Consumer(bus, PARSE) as consumer:
        await consumer.take(1)
    async with Consumer(bus, PARSE) as consumer:
        [page] = await consumer.take(1, block_ms=5)

    assert page.count == 1


async def test_what_is_set_aside_comes_again_when_its_lease_has_run_out_and_does_not_count(bus):
    await publish(bus, page_fetched())

    async with Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS) as consumer:
        for _ in range(2):
            [page] = await taken(consumer)
            assert (page.count, consumer.holds(page)) == (1, True)
            await consumer.set_aside([page])
            assert not consumer.holds(page)
            assert await consumer.take(1, block_ms=5) == []


async def test_giving_back_does_not_touch_what_others_have_taken_over(bus):
    await publish(bus, page_fetched())
    zombie = Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS)
    [page] = await zombie.take(1)

    async with Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS) as other:
        await taken(other)
        await zombie.give_back([page])
        assert await owner(bus) == [other.name]


async def test_an_entry_that_ends_its_readers_is_buried_with_what_follows(bus):
    await publish(bus, page_fetched("http://a.test/1"))

    def when_buried(delivery, reason):
        return [page_parsed(delivery.payload.url, error="buried", detail=reason)]

    async def read_and_die() -> None:
        async with Consumer(bus, PARSE) as consumer:
            await taken(consumer)
            raise ZeroDivisionError

    for _ in range(DELIVERY_LIMIT):
        with pytest.raises(ZeroDivisionError):
            await read_and_die()
    async with Consumer(bus, PARSE, when_buried=when_buried) as consumer:
        assert await consumer.take(1, block_ms=5) == []

    [letter] = await letters(bus)
    assert letter[b"reason"] == b"delivered 4 times without an end"
    assert (letter[b"stream"], letter[b"count"]) == (b"page.fetched", b"5")
    assert b"http://a.test/1" in letter[b"e"]
    async with Consumer(bus, RECORD) as recorder:
        [parsed] = [one.payload for one in await recorder.take(10) if one.stream == "page.parsed"]
    assert (parsed.error, parsed.detail) == ("buried", "delivered 4 times without an end")
    assert await owner(bus) == []


async def test_an_entry_that_is_poison_does_not_take_its_neighbours_along(bus):
    await publish(bus, *(page_fetched(f"http://a.test/{n}") for n in range(5)))
    finished = []

    for _ in range(DELIVERY_LIMIT + 3):
        try:
            async with Consumer(bus, PARSE) as consumer:
                while found := await consumer.take(10, block_ms=5):
                    if any(one.payload.url.endswith("3") for one in found):
                        raise ZeroDivisionError
                    for one in found:
                        await consumer.hand_over(one, page_parsed(one.payload.url))
                        finished.append(one.payload.url[-1])
        except ZeroDivisionError:
            continue

    assert sorted(finished) == ["0", "1", "2", "4"]
    assert len(await letters(bus)) == 1


@pytest.mark.parametrize(
    "fields",
    [{"e": b"\xff garbage"}, {"e": b"{}"}, {"x": b"y"}, {"e": b'{"type":"page.fetched","dataversion":99}'}],
)
async def test_bytes_that_are_no_message_are_parked_and_the_rest_goes_on(bus, fields):
    await bus.redis.xadd(bus.keys.stream("page.fetched"), fields)
    await publish(bus, page_fetched())

    async with Consumer(bus, PARSE) as consumer:
        [page] = await taken(consumer)
        await consumer.hand_over(page)

    [letter] = await letters(bus)
    assert letter[b"e"] == fields.get("e", b"")
    assert letter[b"reason"].startswith(b"undecodable: ")
    assert await owner(bus) == []


async def test_a_message_on_the_stream_of_another_type_is_parked(bus):
    raw = codec.encode(page_failed())
    await bus.redis.xadd(bus.keys.stream("page.fetched"), {"e": raw})

    async with Consumer(bus, PARSE) as consumer:
        assert await consumer.take(1) == []

    [letter] = await letters(bus)
    assert letter[b"e"] == raw
    assert letter[b"reason"] == b"undecodable: a page.failed on the stream of page.fetched"


async def test_an_entry_that_was_trimmed_unread_is_told_of(bus, caplog):
    await publish(bus, *(page_fetched(f"http://a.test/{n}") for n in range(3)))
    dead = Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS)
    await dead.take(10)
    await bus.redis.xtrim(bus.keys.stream("page.fetched"), maxlen=1, approximate=False)

    async with Consumer(bus, PARSE, lease_seconds=LEASE_SECONDS) as other:
        assert len(await taken(other)) == 1

    assert "2 entries of page.fetched were trimmed unread" in caplog.text


async def test_the_dead_are_found_behind_many_that_are_alive(bus):
    await publish(bus, *(page_fetched(f"http://a.test/{n}") for n in range(1_500)))

    async with Consumer(bus, PARSE) as alive, Consumer(bus, PARSE) as other:
        await alive.take(1_499)
        dead = Consumer(bus, PARSE)
        [last] = await dead.take(1)
        stream = bus.keys.stream("page.fetched")
        await bus.redis.xclaim(stream, PARSE.name, dead.name, 0, [last.id], idle=60_000, justid=True)
        assert await other.take(1, block_ms=1) == []
        [page] = await other.take(1, block_ms=1)  # the cursor was carried on

    assert page.id == last.id


async def test_streams_that_were_flushed_are_made_anew_and_nothing_published_then_is_missed(bus, caplog):
    async with Consumer(bus, SEED) as consumer:
        reading = asyncio.create_task(consumer.take(1, block_ms=5_000))
        await asyncio.sleep(0.05)
        await bus.redis.flushall()
        await publish(bus, make_message(_pause()))
        assert await reading == []
        [command] = await taken(consumer)

    assert command.payload == _pause()
    assert "the streams are gone" in caplog.text


async def test_a_consumer_whose_server_is_away_waits_and_goes_on(bus, caplog):
    await publish(bus, page_fetched())

    async with Consumer(bus, PARSE) as consumer:
        reading = asyncio.create_task(consumer.take(1, block_ms=5_000))
        await reading
        reading = asyncio.create_task(consumer.take(1, block_ms=5_000))
        await asyncio.sleep(0.05)
        await bus.redis.client_kill_filter(_type="normal", skipme=True)
        assert await reading == []
        await publish(bus, page_fetched("http://a.test/2"))
        [page] = await taken(consumer)

    assert page.payload.url == "http://a.test/2"
    assert "waiting for Redis" in caplog.text


def _pause() -> CrawlPause:
    return CrawlPause()


async def killed(bus) -> Consumer:
    """A consumer whose process is no more."""
    consumer = Consumer(bus, PARSE)
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    consumer.name = f"{socket.gethostname()}-{process.pid}-0000"
    return consumer


async def test_what_a_killed_process_of_this_machine_held_is_taken_at_once_and_counts(bus):
    await publish(bus, page_fetched())
    await (await killed(bus)).take(1)

    assert await end_leases(bus, is_dead=is_gone) == 1

    async with Consumer(bus, PARSE) as other:
        [page] = await other.take(1, block_ms=5)
        assert page.count == 2
    assert await end_leases(bus, is_dead=is_gone) == 0


async def test_a_lease_is_ended_once_however_long_nobody_takes_it_over(bus):
    await publish(bus, page_fetched())
    await (await killed(bus)).take(1)

    assert [await end_leases(bus, is_dead=is_gone) for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize(
    "name",
    [consumer_name(), f"another-machine-{2**22 + 1}-0000", "by", f"{socket.gethostname()}-x-0"],
    ids=["this process", "another machine", "a name of somebody's own", "no process"],
)
async def test_who_lives_or_may_live_elsewhere_keeps_its_leases(bus, name):
    await publish(bus, page_fetched())
    consumer = Consumer(bus, PARSE)
    consumer.name = name
    await consumer.take(1)

    assert await end_leases(bus, is_dead=is_gone) == 0

    assert await owner(bus) == [name]


async def test_nobody_is_dead_where_nobody_has_ever_been(bus):
    await bus.redis.flushall()

    assert await end_leases(bus, is_dead=lambda name: True) == 0
