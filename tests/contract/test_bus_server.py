"""What a server must be like, and what is said of one that is not."""

import asyncio

import pytest
from redis.exceptions import BusyLoadingError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from contract.bus import Bus, Consumer, publish
from contract.bus.groups import ensure_groups, epoch, is_restored, mark_restored
from contract.bus.guards import check_server, check_version
from contract.bus.scripts import PASSING, passing, run
from contract.errors import Refused, UnsafeServer
from contract.progress import PROGRESS
from contract.topology import PARSE
from tests.builders import page_fetched, page_parsed
from tests.contract.servers import LossyProxy


@pytest.mark.parametrize("version", ["2.8.24", "5.0", "6.2.14", "", "six"])
def test_a_server_that_is_too_old_is_refused(version):
    with pytest.raises(UnsafeServer, match=r"too old; Penstock needs 7\.0"):
        check_version({"redis_version": version})


@pytest.mark.parametrize("version", ["7.0.0", "7.2.4", "8.10.1", "10.0"])
def test_a_server_that_is_new_enough_passes(version):
    check_version({"redis_version": version, "server_name": "valkey"})


async def test_a_server_that_evicts_is_refused(bus):
    await bus.redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(UnsafeServer, match="maxmemory-policy allkeys-lru"):
            await check_server(bus)
    finally:
        await bus.redis.config_set("maxmemory-policy", "noeviction")


async def test_a_server_without_a_log_is_warned_of(bus, caplog):
    await check_server(bus)

    assert "Redis keeps no append-only file" in caplog.text


async def test_no_server_is_one_clear_line_without_the_password():
    async with Bus.open("redis://:secret@127.0.0.1:1/0") as bus:
        with pytest.raises(Refused, match="no Redis at redis://") as error:
            await check_server(bus)

    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["nonsense", "http://:secret@h/", "redis://h:port/0"])
def test_a_url_that_is_not_redis_is_one_clear_line(url):
    with pytest.raises(Refused, match="wrong setting: redis_url") as error:
        Bus(url)

    assert "secret" not in str(error.value)


async def test_groups_begin_at_the_first_entry_and_are_made_once(redis_url):
    async with Bus.open(redis_url, prefix="other") as bus:
        await bus.redis.flushall()
        await bus.redis.xadd(bus.keys.stream("page.fetched"), {"e": b"published before anybody listened"})
        first = await ensure_groups(bus)
        second = await ensure_groups(bus)
        groups = await bus.redis.xinfo_groups(bus.keys.stream("page.fetched"))

        assert first == second == await epoch(bus) != ""
        assert {group["last-delivered-id"] for group in groups} == {b"0-0"}
        assert {group["name"] for group in groups} == {b"scheduler.settle", b"scraper.parse", b"storage.record"}


async def test_a_key_of_another_kind_in_the_place_of_a_stream_is_an_error(redis_url):
    async with Bus.open(redis_url, prefix="other") as bus:
        await bus.redis.flushall()
        await bus.redis.set(bus.keys.stream("page.fetched"), "x")
        with pytest.raises(Exception, match="WRONGTYPE"):
            await ensure_groups(bus)


async def test_a_flushed_server_is_another_world(bus):
    before = await epoch(bus)
    await bus.redis.flushall()

    assert await epoch(bus) == ""
    assert await ensure_groups(bus) not in ("", before)


async def test_a_world_that_is_gone_is_not_said_to_be_restored(bus):
    gone = await epoch(bus)
    await bus.redis.flushall()
    world = await ensure_groups(bus)

    await mark_restored(bus, gone)
    assert not await is_restored(bus)
    await mark_restored(bus, world)
    await mark_restored(bus, gone)
    assert await is_restored(bus)


@pytest.mark.parametrize("cut_in", range(5))
async def test_whoever_is_not_told_otherwise_has_said_that_a_world_is_restored(bus, tmp_path, cut_in):
    """A connection that breaks just then must not pass for a world that has changed: nobody would say it any more."""
    await bus.redis.delete(bus.keys.restored)
    proxy, said = LossyProxy(), True
    async with proxy.before(bus.url, at=tmp_path / "p") as url, Bus.open(url) as cut:
        world = await epoch(cut)
        proxy.cut_in = cut_in
        try:
            await mark_restored(cut, world)
        except PASSING:
            said = False

    assert await is_restored(bus) == said


async def test_a_server_that_is_full_is_waited_for_and_nothing_is_half_done(bus):
    await publish(bus, page_fetched())
    async with Consumer(bus, PARSE) as consumer:
        [page] = await consumer.take(1)
        await bus.redis.config_set("maxmemory", "1")
        with pytest.raises(OutOfMemoryError):
            await bus.redis.set("x", "y")
        done = await consumer.hand_over(page, page_parsed())  # goes through: finishing makes room
        publishing = asyncio.create_task(run(bus.redis, PROGRESS, [bus.keys.progress("c")], ["p", "{}", 9]))
        await asyncio.sleep(0.1)
        assert not publishing.done()
        await bus.redis.config_set("maxmemory", "0")
        await publishing

    assert done
    assert await bus.redis.xlen(bus.keys.stream("page.parsed")) == 1


@pytest.mark.parametrize(
    ("error", "is_passing"),
    [
        (ResponseError("MISCONF Errors writing to the AOF file: No space left on device"), True),
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), True),
        (ReadOnlyError("You can't write against a read only replica."), True),
        (BusyLoadingError("Redis is loading the dataset in memory"), True),
        (RedisConnectionError("Connection refused"), True),
        (ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"), False),
        (ResponseError("ERR unknown command"), False),
    ],
)
def test_what_a_server_says_is_worth_waiting_for_or_not(error, is_passing):
    assert passing(error) is is_passing


async def test_who_connects_to_another_server_notes_when_it_came_once(bus):
    """It was started again, or is a replica: what the one before did last may be lost."""

    async def met() -> int:
        async with Bus.open(bus.url) as newcomer:
            await newcomer.redis.ping()
            return int(await newcomer.redis.hget(newcomer.keys.clock, "anew") or 0)

    assert await met() == 0
    await bus.redis.hset(bus.keys.clock, "server", "another")
    first = await met()
    assert first > 0
    assert await met() == first
