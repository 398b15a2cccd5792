"""The janitor keeps Redis as small as the work in hand, and never drops what somebody still needs."""

import asyncio

import pytest

from contract import topology
from contract.bus import Consumer, Keep, janitor, publish
from contract.bus.janitor import keep_tidy, tidy
from contract.commands import PageFetch
from contract.topology import FETCH, PARSE, RECORD, SETTLE, Stage
from tests.builders import make_message, page_fetched


async def fetched(bus, count: int, *, size: int = 10) -> None:
    """So many pages with bodies, as the fetcher hands them over."""
    urls = [f"http://a.test/{n}" for n in range(count)]
    await publish(bus, *(make_message(PageFetch(url=url, host="http://a.test"), id=url) for url in urls))
    async with Consumer(bus, FETCH) as consumer:
        for job in await consumer.take(count):
            message = page_fetched(job.payload.url)
            await consumer.hand_over(job, message, keep=Keep(bus.keys.body(message.envelope.id), b"x" * size))


async def finish(bus, stage: Stage, count: int) -> None:
    """Let a stage be through with so many pages, and take one more, if there is one."""
    async with Consumer(bus, stage) as consumer:
        for page in await consumer.take(count):
            await consumer.hand_over(page)


async def state(bus) -> tuple[int, int, int]:
    """Pages on the stream, bodies held, and their bytes by the counter."""
    bodies = [key async for key in bus.redis.scan_iter(match=bus.keys.body("*"))]
    return (
        await bus.redis.xlen(bus.keys.stream("page.fetched")),
        len(bodies),
        int(await bus.redis.get(bus.keys.body_bytes)),
    )


async def test_what_every_group_is_through_with_is_forgotten_with_its_body(bus):
    await fetched(bus, 6)
    for stage, count in ((PARSE, 6), (SETTLE, 4), (RECORD, 3)):
        await finish(bus, stage, count)

    await tidy(bus)

    assert await state(bus) == (3, 3, 30)


async def test_what_one_group_has_not_read_is_kept(bus):
    await fetched(bus, 3)
    await finish(bus, PARSE, 3)
    await finish(bus, SETTLE, 3)

    await tidy(bus)

    assert await state(bus) == (3, 3, 30)


async def test_what_one_group_holds_is_kept_and_all_behind_it(bus):
    await fetched(bus, 5)
    await finish(bus, PARSE, 5)
    await finish(bus, SETTLE, 5)
    async with Consumer(bus, RECORD) as recorder:
        pages = await recorder.take(5)
        for page in (pages[0], pages[2], pages[4]):
            await recorder.hand_over(page)
        await tidy(bus)
        assert await state(bus) == (4, 4, 40)


async def test_a_stream_that_all_are_through_with_is_empty(bus, monkeypatch):
    monkeypatch.setattr(janitor, "ENTRIES_A_RUN", 3)  # so that it takes several runs
    await fetched(bus, 10)
    for stage in (PARSE, SETTLE, RECORD):
        await finish(bus, stage, 10)

    assert await tidy(bus) == 20  # ten jobs, ten pages
    assert await state(bus) == (0, 0, 0)


async def test_a_stream_whose_groups_are_not_all_there_is_left_alone(bus):
    await fetched(bus, 2)
    await finish(bus, PARSE, 2)
    await finish(bus, SETTLE, 2)
    await bus.redis.xgroup_destroy(bus.keys.stream("page.fetched"), RECORD.name)

    await tidy(bus)

    assert await state(bus) == (2, 2, 20)


async def test_consumers_that_are_gone_and_hold_nothing_are_removed(bus, monkeypatch):
    monkeypatch.setattr(janitor, "CONSUMER_IDLE_SECONDS", 0.02)
    await fetched(bus, 1)
    holder, idle = Consumer(bus, PARSE), Consumer(bus, PARSE)
    await holder.take(1)
    await idle.take(1, block_ms=1)
    await asyncio.sleep(0.05)

    await tidy(bus, sweep=True)

    left = await bus.redis.xinfo_consumers(bus.keys.stream("page.fetched"), PARSE.name)
    assert [one["name"].decode() for one in left] == [holder.name]


async def test_the_janitor_ends_when_asked_and_survives_a_flush(bus):
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_tidy(bus, stop))
        await asyncio.sleep(0.02)
        await bus.redis.flushall()
        await asyncio.sleep(0.02)
        stop.set()


@pytest.mark.parametrize("stream", topology.STREAMS)
def test_every_stream_has_a_reader_or_it_would_grow_for_ever(stream):
    assert topology.groups_of(stream)
