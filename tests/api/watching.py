"""What tests of watching share: a server, a crawl that is recorded bit by bit, and a reader of event streams."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from sqlalchemy import Engine

from contract.bus import Bus
from contract.envelope import Message
from contract.progress import Part
from contract.settings import Settings
from penstock.api.server import serve
from storage.sql.database import open_database
from tests import builders
from tests.storage.helpers import write

CRAWL = builders.CRAWL
PROGRESS = f"/crawls/{CRAWL}/progress"
#: What a test waits for happens by then, or not at all.
PATIENCE_SECONDS = 20


class Event(NamedTuple):
    """One server-sent event."""

    name: str
    id: str | None
    data: Any


class Stage:
    """A crawl as the stages would have it: recorded in SQL, its progress in Redis."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        self.bus, self.settings = bus, settings
        self.engine: Engine = open_database(settings)
        self.folder = Path(settings.data) / "archive"

    def record(self, *messages: Message) -> None:
        """Have these events in SQL."""
        write(self.engine, self.folder, *messages)

    async def say(self, part: str = "frontier", **numbers: Any) -> None:
        """Publish a part of the progress."""
        await Part(self.bus, part).publish(CRAWL, numbers, last=True)

    async def readers(self) -> int:
        """How many follow the crawl in Redis."""
        [(_, number)] = await self.bus.redis.pubsub_numsub(self.bus.keys.progress(CRAWL))
        return int(number)


@contextlib.asynccontextmanager
async def serving(settings: Settings, *, buffer: int = 0) -> AsyncIterator[str]:
    """A server for the length of a block: its address. `buffer` is what its sockets hold of unread bytes."""
    stop, listening = asyncio.Event(), socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    if buffer:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    task = asyncio.create_task(serve(settings, listening, stop))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stop.set()
        await task


@contextlib.asynccontextmanager
async def watching(
    address: str, path: str = PROGRESS, *, last: str | None = None
) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of one stream."""
    headers = {} if last is None else {"Last-Event-ID": last}
    async with (
        httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client,
        client.stream("GET", address + path, headers=headers) as response,
    ):
        assert response.status_code == 200, response
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response.aiter_lines())


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            yield Event(fields.get("event", "message"), fields.get("id"), json.loads(fields["data"]))
            fields = {}
        if not line:
            fields = {}


async def until(events: AsyncIterator[Event], holds: Callable[[Event], Any]) -> list[Event]:
    """Events up to the first for which this holds."""
    found: list[Event] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for event in events:
            found.append(event)
            if holds(event):
                return found
    raise AssertionError(f"the stream ended: {found[-3:]}")


async def rest(events: AsyncIterator[Event]) -> list[Event]:
    """All events until the server closes the stream."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [event async for event in events]


async def eventually(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds that only others can make true; it may be a coroutine's function."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await found if asyncio.iscoroutine(found := condition()) else found):
            await asyncio.sleep(0.01)


def named(events: Sequence[Event], name: str) -> list[Any]:
    """The data of events of this name."""
    return [event.data for event in events if event.name == name]
