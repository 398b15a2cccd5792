"""Servers for the browser: `penstock up`, another one that wants a token, and a way to them that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from contract.settings import Settings
from penstock.api.listening import address_of, listen
from penstock.api.server import serve
from penstock.cluster import running_in
from tests.system.commands import COMMAND, environ

START_SECONDS = 30
_SERVING = re.compile(rb"serving at (\S+)")


class Served:
    """Where a server listens, and requests to it that do not need a browser."""

    def __init__(self, url: str, data: str) -> None:
        self.url, self.data = url, data

    async def start(self, seed: str, name: str, **options: Any) -> str:
        """Start a crawl; gives its id."""
        said = {"seeds": [seed], "name": name, "scope": "any", "delay": 0, "per_host": 8, **options}
        async with httpx.AsyncClient(trust_env=False, timeout=START_SECONDS) as client:
            answer = await client.post(f"{self.url}crawls", json=said)
        assert answer.status_code == 201, answer.text
        crawl: str = answer.json()["id"]
        return crawl

    async def counts(self, crawl: str) -> dict[str, int]:
        """What the API says of a crawl's URLs."""
        async with httpx.AsyncClient(trust_env=False, timeout=START_SECONDS) as client:
            answer = await client.get(f"{self.url}crawls/{crawl}")
        counts: dict[str, int] = answer.json()["counts"]
        return counts

    async def ended(self, crawl: str) -> dict[str, int]:
        """What a crawl came to, once it is over and SQL has all of it."""
        progress = f"{self.url}crawls/{crawl}/progress"
        client = httpx.AsyncClient(trust_env=False, timeout=START_SECONDS)
        async with client, client.stream("GET", progress) as events:
            async for line in events.aiter_lines():
                if line == "event: end":
                    break
        return await self.counts(crawl)

    async def pause(self, crawl: str) -> None:
        """Pause a crawl."""
        await self._steer(crawl, "pause")

    async def cancel(self, crawl: str) -> None:
        """End a crawl, if it has not ended by itself."""
        await self._steer(crawl, "cancel")

    async def _steer(self, crawl: str, verb: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=START_SECONDS) as client:
            await client.post(f"{self.url}crawls/{crawl}/{verb}", json={})


@contextlib.asynccontextmanager
async def serving(*words: str, **settings: str) -> AsyncIterator[Served]:
    """A command that serves on a free port, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *words,
        "--port",
        "0",
        env=environ(**settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stderr
        url = await asyncio.wait_for(_address(process.stderr), START_SECONDS)
        rest = asyncio.create_task(process.stderr.read())
        yield Served(url, words[words.index("--data") + 1])
        # All that it started dies with it; nobody needs what it might have saved.
        os.killpg(process.pid, signal.SIGKILL)
        await rest
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@contextlib.asynccontextmanager
async def guarded(data: str, *, token: str) -> AsyncIterator[str]:
    """The address of a second server of the same cluster, in this process, which wants a token."""
    settings = running_in(Settings(data=data, api_port=0, api_token=token))
    assert settings
    stop = asyncio.Event()
    with listen(settings) as listening:
        task = asyncio.create_task(serve(settings, listening, stop))
        yield address_of(listening)
        stop.set()
        await task


async def _address(lines: asyncio.StreamReader) -> str:
    said = b""
    async for line in lines:
        if found := _SERVING.search(line):
            return found[1].decode()
        said += line
    raise AssertionError(f"it did not serve: {said.decode()}")


class Proxy:
    """Passes bytes on to a server, until it is cut; then it is as if nobody listened."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where the browser finds it."""
        return f"http://127.0.0.1:{self._port}/"

    async def mend(self) -> None:
        """Listen (again)."""
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection and refuse others."""
        if self._server:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        there, back = await asyncio.open_connection(*self._target)
        self._open |= {writer, back}
        with contextlib.suppress(OSError):
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        self._open -= {writer, back}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def proxied(target: str) -> AsyncIterator[Proxy]:
    """A proxy that listens, until the block ends."""
    proxy = Proxy(target)
    await proxy.mend()
    try:
        yield proxy
    finally:
        await proxy.cut()
