"""Receivers of webhooks on loopback, and a notifier to post to them."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from contract.bus import Bus
from contract.settings import Settings
from contract.topology import NOTIFY
from penstock.notify import Limits, notify
from penstock.webhooks.answers import Schedule
from scheduler.report import backlogs
from tests.scraper.raw_server import answer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#: Waits of milliseconds, so that all attempts fit into a test.
QUICK = Limits(schedule=Schedule(attempts=8, first_seconds=0.01), complete_seconds=0.3, deadline_seconds=2.0)
TAKEN = answer(b"", status="204 No Content")


class Post(msgspec.Struct, frozen=True):
    """A request as a receiver got it; the names of headers are in lower case. `at` is the loop's time."""

    line: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> Any:
        """The event in it."""
        return msgspec.json.decode(self.body)

    def is_signed_by(self, secret: str) -> bool:
        """Whether the signature is right, as Standard Webhooks has it."""
        key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
        signed = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body])
        made = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        return self.headers["webhook-signature"] == f"v1,{made}"


class Receiver:
    """Answers with each of `answers` in turn, and with the last one from then on; while `held`, with nothing."""

    def __init__(self, answers: Iterable[bytes]) -> None:
        self.url, self.posts = "", list[Post]()
        self.answers = list(answers)
        self.held, self.changed = asyncio.Event(), asyncio.Condition()
        self.held.set()
        self.at_once = self.most_at_once = 0

    async def got(self, number: int) -> list[Post]:
        """The posts, once there are so many of them."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.posts) >= number)
        return self.posts

    @property
    def told(self) -> list[tuple[str, int]]:
        """Type and version of each event that was posted, in the order of coming."""
        return [(post.event["type"], post.event["data"]["version"]) for post in self.posts]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                await self._take(await _post(reader))
                writer.write(self.answers[0] if len(self.answers) == 1 else self.answers.pop(0))
                await writer.drain()
        writer.close()

    async def _take(self, post: Post) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        async with self.changed:
            self.posts.append(post)
            self.changed.notify_all()
        try:
            await self.held.wait()
        finally:
            self.at_once -= 1


async def _post(reader: asyncio.StreamReader) -> Post:
    line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest if each)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Post(line, headers, body, asyncio.get_running_loop().time())


@contextlib.asynccontextmanager
async def receiving(*answers: bytes, path: str = "/hooks?token=hunter2") -> AsyncIterator[Receiver]:
    """A receiver that takes everything, unless it is given other answers."""
    receiver, connections = Receiver(answers or [TAKEN]), set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(receiver.serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}"
    try:
        yield receiver
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def settings_for(bus: Bus, folder: Path, **changes: Any) -> Settings:
    """Settings of a notifier that may post to loopback."""
    return Settings(
        **{
            "redis_url": bus.url,
            "data": str(folder),
            "allow_private": True,
            "webhook_secret": SECRET,
            **changes,
        }
    )


@contextlib.asynccontextmanager
async def notifying(
    bus: Bus, settings: Settings, limits: Limits = QUICK, **options: Any
) -> AsyncIterator[asyncio.Task[None]]:
    """The stage at work inside the block; it has stopped in good order behind it."""
    stop = asyncio.Event()
    task = asyncio.create_task(notify(bus, settings, stop, limits=limits, **options))
    try:
        yield task
        stop.set()
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def through(bus: Bus, until: Callable[[int], bool] = lambda backlog: backlog == 0) -> None:
    """Wait until the stage has finished everything."""
    while not until((await backlogs(bus))[NOTIFY.name]):
        await asyncio.sleep(0.005)
