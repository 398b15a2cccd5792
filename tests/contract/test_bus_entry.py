"""The way in to Redis: what passes is waited for, what does not is one line."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from contract.bus import Bus
from contract.bus.entry import enter, explained
from contract.errors import Refused, UnsafeServer
from tests.conftest import start_redis


@pytest.fixture
async def narrow(bus: Bus) -> AsyncIterator[str]:
    """The address of the same server for a user who may do little."""
    await bus.redis.execute_command("ACL", "SETUSER", "narrow", "on", ">word", "~other:*", "&*", "+@all")
    yield bus.url.replace("unix://", "unix://narrow:word@")
    await bus.redis.execute_command("ACL", "DELUSER", "narrow")


async def test_a_server_that_is_not_there_yet_is_waited_for(tmp_path, caplog):
    async with Bus.open(f"unix://{tmp_path}/r.sock") as bus:
        waiting = asyncio.create_task(enter(bus, asyncio.Event()))
        async with asyncio.timeout(10):
            while "waiting for Redis at unix:" not in caplog.text:
                await asyncio.sleep(0.005)
        with start_redis(tmp_path):
            assert await waiting
            assert await bus.redis.exists(bus.keys.epoch)


async def test_who_waits_can_be_stopped(tmp_path):
    stop = asyncio.Event()
    async with Bus.open("redis://127.0.0.1:1/0") as bus:
        waiting = asyncio.create_task(enter(bus, stop))
        await asyncio.sleep(0)
        stop.set()
        assert not await waiting


async def test_a_server_that_evicts_keys_is_refused_by_every_stage(bus):
    await bus.redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(UnsafeServer, match="noeviction"):
            await enter(bus, asyncio.Event())
    finally:
        await bus.redis.config_set("maxmemory-policy", "noeviction")


async def test_a_database_that_the_server_does_not_have_is_refused(bus):
    async with Bus.open(f"{bus.url}?db=99") as other:
        with pytest.raises(Refused, match=r"^Redis does not let us in: DB index is out of range; see redis_url$"):
            await enter(other, asyncio.Event())


async def test_a_user_without_the_rights_is_sent_to_the_doctor(narrow):
    async with Bus.open(narrow) as bus:
        with pytest.raises(Refused, match=r"may not do all that is needed: .*`penstock doctor` names the rights"):
            await enter(bus, asyncio.Event())


def test_other_errors_stay_what_they_are():
    error = ValueError("another")
    assert explained(error) is error
