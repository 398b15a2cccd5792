"""Who is at work is known by what they say, on servers of every age: Redis 7.0 tells idle from gone by no other way."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from contract.bus import Bus, Consumer, janitor, publish
from contract.bus.alive import alive
from contract.bus.groups import ensure_groups, mark_restored
from contract.bus.janitor import tidy
from contract.topology import DISCOVER, PARSE
from penstock.doctor.asking import ask_stages
from tests.builders import page_fetched
from tests.conftest import start_redis


@pytest.fixture(params=["the wheel's", "redis-server"])
async def bus(request):
    """A bus on an empty server of each kind: the newest, and Debian's."""
    program = "" if request.param != "redis-server" else shutil.which("redis-server")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no redis-server on PATH (apt-get install redis-server)")
    folder = Path(tempfile.mkdtemp(prefix="ps"))
    with start_redis(folder, program=program) as url:
        async with Bus.open(url) as opened:
            await mark_restored(opened, await ensure_groups(opened))
            yield opened
    shutil.rmtree(folder, ignore_errors=True)


async def named(bus) -> set[str]:
    """The consumers of the parsers' group, as Redis has them."""
    found = await bus.redis.xinfo_consumers(bus.keys.stream("page.fetched"), PARSE.name)
    return {one["name"].decode() for one in found}


async def one_page(consumer: Consumer) -> None:
    """Let a consumer finish a page, whereby Redis comes to know it."""
    await publish(consumer.bus, page_fetched())
    [page] = await consumer.take(1)
    await consumer.hand_over(page)


async def test_who_waits_at_an_empty_stream_is_at_work_for_the_doctor(bus):
    async with Consumer(bus, PARSE) as waiting, Consumer(bus, PARSE), Consumer(bus, DISCOVER):
        await waiting.take(1, block_ms=1)
        during = {stage.name: stage.alive for stage in (await ask_stages(bus)).stages}
    after = {stage.name: stage.alive for stage in (await ask_stages(bus)).stages}

    assert {name: count for name, count in during.items() if count} == {PARSE.name: 2, DISCOVER.name: 1}
    assert not any(after.values())


async def test_who_lives_is_not_swept_however_idle_it_is(bus, monkeypatch):
    monkeypatch.setattr(janitor, "CONSUMER_IDLE_SECONDS", -1)  # as if all had been idle for longer than that
    async with Consumer(bus, PARSE) as idle:
        await one_page(idle)
        async with Consumer(bus, PARSE) as leaving:
            await one_page(leaving)
            await tidy(bus, sweep=True)
            assert await named(bus) == {idle.name, leaving.name}
        await tidy(bus, sweep=True)
        assert await named(bus) == {idle.name}


async def test_who_was_killed_is_at_work_until_its_word_runs_out(bus, monkeypatch):
    monkeypatch.setattr("contract.bus.consumer.LEASE_SECONDS", -1)
    async with Consumer(bus, PARSE) as silent:
        assert await alive(bus) == {}
        monkeypatch.undo()
        async with Consumer(bus, PARSE):
            assert await bus.redis.zscore(bus.keys.alive, f"{PARSE.name} {silent.name}") is None
            assert await alive(bus) == {PARSE.name: 1}
