"""Watching goes on while Redis is away, and ends when the server does."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from contract.bus import Bus
from contract.settings import Settings
from tests import builders
from tests.api.watching import PROGRESS, Stage, rest, serving, until, watching
from tests.builders import URL
from tests.contract.servers import Server


@pytest.fixture
async def server():
    folder = Path(tempfile.mkdtemp(prefix="ps"))  # short: a socket's path has to stay below 104 bytes
    made = Server(folder)
    await made.start()
    yield made
    made.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def stage(server, tmp_path):
    async with Bus.open(server.url) as bus:
        made = Stage(bus, Settings(redis_url=server.url, data=str(tmp_path)))
        made.record(builders.crawl_started())
        yield made
        made.engine.dispose()


@pytest.mark.parametrize("detail", ["", "?detail=1"])
async def test_watching_goes_on_when_redis_is_back(server, stage, detail):
    await stage.say(state="running", discovered=7, queued=7)
    async with serving(stage.settings) as address, watching(address, PROGRESS + detail) as events:
        await until(events, lambda event: True)
        server.kill()
        meanwhile = [await anext(events) for _ in range(2)]
        stage.record(builders.page_fetched(URL + "/1"))
        await server.start()
        await stage.say(state="running", discovered=8, queued=7)
        told = meanwhile + await until(events, lambda event: event.data.get("discovered") == 8)

    assert {event.data["discovered"] for event in told if event.name == "progress"} <= {7, 8}


async def test_the_server_ends_soon_with_watchers_connected(stage):
    await stage.say(state="running", discovered=1)
    async with AsyncExitStack() as stack:
        async with serving(stage.settings) as address:
            paths = [PROGRESS, PROGRESS + "?detail=1", "/progress"] * 5
            streams = [await stack.enter_async_context(watching(address, path)) for path in paths]
            for events in streams:
                await until(events, lambda event: True)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 2

        for events in streams:
            assert all(event.name != "end" for event in await rest(events))
