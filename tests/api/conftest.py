"""A server for tests: the real application on a loopback port, with or without the stages behind it."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from contract.bus import Bus
from contract.settings import Settings
from penstock.api.server import serve
from scheduler import service
from storage import record
from tests.conftest import start_redis

#: A test waits for an answer no longer than this.
PATIENCE_SECONDS = 20


@pytest.fixture
def settings(bus: Bus, redis_url: str, tmp_path: Path) -> Settings:
    """The settings of a cluster that may fetch from loopback, with an empty server and an empty folder."""
    return Settings(redis_url=redis_url, data=str(tmp_path), allow_private=True)


@pytest.fixture
async def stages(settings: Settings) -> AsyncIterator[None]:
    """The scheduler and the recorder at work: commands are carried out, and nothing is fetched."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(service.run(settings, stop))
        tasks.create_task(record.run(settings, stop))
        yield
        stop.set()


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server without stages."""
    async with client_of(settings) as client:
        yield client


@pytest.fixture
async def live(stages: None, api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a server with stages behind it."""
    return api


@pytest.fixture(scope="module")
def standing() -> Iterator[httpx.Client]:
    """A client of one server with stages and a Redis of its own, for all tests of a module that change nothing."""
    folder = Path(tempfile.mkdtemp(prefix="ps"))
    with start_redis(folder) as url:
        settings = Settings(redis_url=url, data=str(folder / "data"), allow_private=True)
        with in_thread(settings) as address, httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
            yield client
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def in_thread(settings: Settings) -> Iterator[str]:
    """A server and its stages on an event loop of their own: its address."""
    started: Future[tuple[str, Callable[[], None]]] = Future()

    async def run() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks, client_of(settings) as client:
            tasks.create_task(service.run(settings, stop))
            tasks.create_task(record.run(settings, stop))
            await client.get("/readyz")
            started.set_result((str(client.base_url), lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    with ThreadPoolExecutor(1) as threads:
        ended = threads.submit(asyncio.run, run())
        ended.add_done_callback(lambda _: started.done() or started.cancel())
        try:
            address, stop = started.result(PATIENCE_SECONDS)
        except CancelledError:
            ended.result(0)
            raise
        try:
            yield address
        finally:
            stop()
            ended.result(PATIENCE_SECONDS)


@contextlib.asynccontextmanager
async def client_of(
    settings: Settings, *, patience_seconds: float = PATIENCE_SECONDS, **headers: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with these settings, which sends these headers."""
    stop, listening = asyncio.Event(), socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    task = asyncio.create_task(serve(settings, listening, stop, patience_seconds=patience_seconds))
    try:
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS, headers=headers) as client:
            yield client
    finally:
        stop.set()
        await task
