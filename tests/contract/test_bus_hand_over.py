"""Finishing a delivery happens once: acknowledgement, consequences and body in one step, or nothing at all."""

import asyncio

import pytest

from contract.bus import Bus, Consumer, HandOver, Keep, publish
from contract.bus.groups import ensure_groups
from contract.commands import PageFetch
from contract.topology import FETCH, PARSE, RECORD, SETTLE, Stage
from tests.builders import make_message, page_excluded, page_failed, page_fetched, page_parsed
from tests.contract.servers import LossyProxy, Server

URLS = [f"http://a.test/{n}" for n in range(20)]


def pages(count: int = 3) -> list:
    """Fetched pages, one for each URL."""
    return [page_fetched(url) for url in URLS[:count]]


async def length(bus: Bus, stream: str) -> int:
    """Entries on a stream."""
    return await bus.redis.xlen(bus.keys.stream(stream))


async def pending(bus: Bus, stage: Stage = PARSE) -> int:
    """Entries that a stage has taken and not finished."""
    counts = [await bus.redis.xpending(bus.keys.stream(stream), stage.name) for stream in stage.takes]
    return sum(count["pending"] for count in counts)


async def test_a_delivery_is_handed_over_with_its_consequences(bus):
    await publish(bus, *pages(1))

    async with Consumer(bus, PARSE) as consumer:
        [page] = await consumer.take(10)
        assert await consumer.hand_over(page, page_parsed(), page_failed())
        assert consumer.held == {}

    assert [await length(bus, stream) for stream in ("page.parsed", "page.failed")] == [1, 1]
    assert await pending(bus) == 0


async def test_the_second_of_two_consumers_changes_nothing(bus):
    await publish(bus, *pages(1))

    async with Consumer(bus, PARSE, lease_seconds=0.0) as zombie, Consumer(bus, PARSE, lease_seconds=0.0) as other:
        [first] = await zombie.take(1)
        [second] = await other.take(1)
        assert second.id == first.id
        keep = Keep(bus.keys.body("x"), b"body")
        assert await other.hand_over(second, page_parsed())
        assert not await zombie.hand_over(first, page_parsed(), page_parsed(), keep=keep)

    assert await length(bus, "page.parsed") == 1
    assert not await bus.redis.exists(bus.keys.body("x"), bus.keys.body_bytes)


async def test_many_are_handed_over_in_one_round_trip_each_by_itself(bus):
    await publish(bus, *pages(3))

    async with Consumer(bus, PARSE) as consumer:
        taken = await consumer.take(10)
        await consumer.hand_over(taken[1], page_parsed())
        done = await consumer.hand_over_all([HandOver(one, [page_parsed()]) for one in taken])

    assert done == [True, False, True]
    assert await length(bus, "page.parsed") == 3


async def test_handing_over_nothing_is_nothing(bus):
    async with Consumer(bus, PARSE) as consumer:
        assert await consumer.hand_over_all([]) == []


async def test_a_body_is_stored_with_the_first_consequence_and_counted(bus):
    await publish(bus, make_message(_job()))
    message = page_fetched()

    async with Consumer(bus, FETCH) as consumer:
        [job] = await consumer.take(1)
        await consumer.hand_over(job, message, keep=Keep(bus.keys.body(message.envelope.id), b"x" * 100))
    async with Consumer(bus, PARSE) as consumer:
        [page] = await consumer.take(1)

    assert page.body_key == bus.keys.body(message.envelope.id)
    assert await bus.redis.get(page.body_key) == b"x" * 100
    assert await bus.redis.get(bus.keys.body_bytes) == b"100"


async def test_what_is_kept_for_a_time_is_no_body(bus):
    await publish(bus, make_message(_job()))

    async with Consumer(bus, FETCH) as consumer:
        [job] = await consumer.take(1)
        await consumer.hand_over(job, page_failed(), keep=Keep(bus.keys.robots("h"), b"rules", 60_000))

    assert 0 < await bus.redis.pttl(bus.keys.robots("h")) <= 60_000
    assert not await bus.redis.exists(bus.keys.body_bytes)


async def test_a_body_without_a_consequence_is_not_kept_for_ever(bus):
    await publish(bus, make_message(_job()))

    async with Consumer(bus, FETCH) as consumer:
        [job] = await consumer.take(1)
        await consumer.hand_over(job, keep=Keep(bus.keys.body("x"), b"body"))

    assert not await bus.redis.exists(bus.keys.body("x"))


async def test_scripts_are_loaded_again_when_the_server_has_forgotten_them(bus):
    await publish(bus, *pages(2))

    async with Consumer(bus, PARSE) as consumer:
        taken = await consumer.take(10)
        await consumer.hand_over(taken[0], page_parsed())
        await bus.redis.script_flush()
        assert await consumer.hand_over(taken[1], page_parsed())

    assert await length(bus, "page.parsed") == 2


async def test_a_reply_that_is_lost_does_not_double_a_hand_over(redis_url, tmp_path):
    proxy = LossyProxy()
    async with Bus.open(redis_url) as direct, proxy.before(redis_url, at=tmp_path / "p") as url:
        await direct.redis.flushall()
        await ensure_groups(direct)
        await publish(direct, *pages(10))
        async with Bus.open(url) as bus, Consumer(bus, PARSE) as consumer:
            for page in await consumer.take(10):
                proxy.losing = True
                await consumer.hand_over(page, page_parsed(page.payload.url))

        assert proxy.lost == 10
        assert await length(direct, "page.parsed") == 10
        assert await pending(direct) == 0


async def test_an_entry_that_went_to_a_connection_that_broke_comes_back(bus):
    await publish(bus, *pages(1))

    async with Consumer(bus, PARSE, lease_seconds=0.05) as consumer:
        await bus.redis.xreadgroup(PARSE.name, consumer.name, {bus.keys.stream("page.fetched"): ">"})  # and is lost
        [page] = await taken(consumer)

    assert page.count == 2


async def test_a_server_that_is_killed_and_comes_back_loses_and_doubles_nothing(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("s"))
    await server.start()
    try:
        async with Bus.open(server.url) as bus:
            await ensure_groups(bus)
            await publish(bus, *pages(20))
            async with Consumer(bus, PARSE, lease_seconds=0.3) as consumer:
                held = await consumer.take(5)
                await consumer.hand_over_all([HandOver(one, [page_parsed(one.payload.url)]) for one in held[:3]])
                server.kill()
                finishing = asyncio.create_task(
                    consumer.hand_over_all([HandOver(one, [page_parsed(one.payload.url)]) for one in held])
                )
                await server.start()
                assert await finishing == [False] * 3 + [True] * 2
                while await length(bus, "page.parsed") < 20:
                    for page in await consumer.take(5, block_ms=20):
                        await consumer.hand_over(page, page_parsed(page.payload.url))
            assert await pending(bus) == 0
            async with Consumer(bus, RECORD) as recorder:
                parsed = [one for one in await recorder.take(50) if one.stream == "page.parsed"]
            assert sorted(one.payload.url for one in parsed) == sorted(URLS)
    finally:
        server.kill()


@pytest.mark.parametrize("crash", ["before any hand-over", "between two"])
async def test_a_consumer_that_dies_leaves_its_work_to_others(bus, crash):
    await publish(bus, *pages(3))
    dead = Consumer(bus, PARSE, lease_seconds=0.05)  # never entered: nobody renews its leases, or gives them back
    held = await dead.take(10)
    if crash == "between two":
        await dead.hand_over(held[0], page_parsed(held[0].payload.url))

    async with Consumer(bus, PARSE, lease_seconds=0.05) as other:
        while await pending(bus):
            found = await other.take(10, block_ms=5)
            assert len(found) <= 1  # one at a time, so that a poison entry is found
            for page in found:
                assert page.count == 2
                await other.hand_over(page, page_parsed(page.payload.url))

    assert await length(bus, "page.parsed") == 3


async def test_each_group_of_a_stream_gets_every_entry(bus):
    await publish(bus, *pages(2), page_excluded())

    counts = {}
    for stage in (PARSE, SETTLE, RECORD):
        async with Consumer(bus, stage) as consumer:
            counts[stage.name] = len(await consumer.take(10))

    assert counts == {"scraper.parse": 2, "scheduler.settle": 3, "storage.record": 3}


async def taken(consumer: Consumer) -> list:
    """The next deliveries, however long they take to come."""
    while not (found := await consumer.take(10, block_ms=5)):
        pass
    return found


def _job() -> PageFetch:
    return PageFetch(url=URLS[0], host="http://a.test")
