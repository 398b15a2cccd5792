"""`penstock up`, `penstock serve` and `penstock crawl --serve`, as a person would run them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from penstock.site import SiteOptions, running_site
from tests.system.commands import COMMAND, descendants, environ, penstock

TOKEN = "s3cret-s3cret-s3cret"
#: A machine that is busy with other tests takes this long to start a cluster.
PATIENCE_SECONDS = 40


@contextlib.asynccontextmanager
async def saying(*words: str, **settings: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A command that serves, and the address that it says it serves at; killed if it outlives the block."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *words, env=environ(**settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := re.search(rb"serving at (http://\S+/)", line := await process.stderr.readline())):
                assert line, "it ended without serving"
        yield process, found[1].decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(client: httpx.AsyncClient) -> None:
    """Wait until all of it answers."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)


async def finished(client: httpx.AsyncClient, crawl: str) -> dict[str, object]:
    """The crawl when all of it is recorded."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := (await client.get(crawl)).json())["complete"]:
            await asyncio.sleep(0.05)
    return found


async def test_up_is_a_whole_cluster_that_is_steered_over_http_until_it_is_stopped(tmp_path: Path) -> None:
    words = ("up", "--port", "0", "--data", str(tmp_path), "--allow-private", "--workers", "1", "--parsers", "1")
    async with (
        running_site(SiteOptions(pages=8)) as site,
        saying(*words, PENSTOCK_API_TOKEN=TOKEN) as (process, address),
    ):
        assert TOKEN not in "".join(line for _, line in descendants(process.pid))
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=PATIENCE_SECONDS) as client:
            await ready(client)
            begun = await client.post("/crawls", json={"seeds": [site.root_url], "delay": 0, "scope": "any"})
            crawl = await finished(client, begun.headers["location"])
            pages = (await client.get(f"/crawls/{crawl['id']}/pages?outcome=fetched")).json()["pages"]
            assert (await client.get("/crawls", headers={"authorization": ""})).status_code == 401
            port = str(httpx.URL(address).port)
            in_use, joined = await asyncio.gather(
                penstock("up", "--port", port, "--data", str(tmp_path / "other")),
                penstock("up", "--port", "0", "--data", str(tmp_path)),
            )
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0

    assert crawl["state"] == "finished"
    assert len(pages) >= 8
    assert (in_use.status, "the port is in use" in in_use.err, len(in_use.err.splitlines())) == (2, True, 1)
    assert not (tmp_path / "other").exists()
    assert (joined.status, "penstock serve" in joined.err) == (2, True)
    assert not any(TOKEN in log.read_text("utf-8", "replace") for log in (tmp_path / "logs").iterdir())


@pytest.mark.soak
async def test_crawl_serves_its_own_crawl_and_a_server_that_joins_is_gone_in_time(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    async with running_site(SiteOptions(hosts=2, pages=400, latency_ms=10)) as site:
        words = ("crawl", site.root_url, "--scope", "any", "--allow-private", "--delay", "0.1", "--progress", "none")
        async with (
            saying(*words, *data, "--serve", "--port", "0") as (crawling, address),
            httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client,
        ):
            await ready(client)
            async with saying("serve", *data, "--port", "0") as (serving, other):
                crawl = await only_crawl(other)
                assert await seconds_to_end_while_watched(serving, f"{other}crawls/{crawl}/progress") < 2.0
            assert (await client.get(f"/crawls/{crawl}")).json()["state"] == "running"
            assert (await client.post(f"/crawls/{crawl}/cancel")).json()["state"] == "cancelled"
            assert await crawling.wait() in (0, 1)


async def only_crawl(address: str) -> str:
    """The id of the crawl of a server, when there is one."""
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client:
        await ready(client)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (crawls := (await client.get("/crawls")).json()["crawls"]):
                await asyncio.sleep(0.05)
    return str(crawls[0]["id"])


async def seconds_to_end_while_watched(process: asyncio.subprocess.Process, stream: str) -> float:
    """How long a server takes to end after SIGTERM with an event stream open; it must end well."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client, client.stream("GET", stream) as watching:
        lines = watching.aiter_lines()
        assert await anext(lines)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(httpx.HTTPError):
            async for _ in lines:
                pass
        assert await process.wait() == 0
        return time.monotonic() - began


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("serve",), "penstock up"),
        (("serve", "--host", "0.0.0.0"), "PENSTOCK_API_TOKEN"),
        (("up", "--host", "0.0.0.0"), "PENSTOCK_API_TOKEN"),
        (("up", "--spider", "nothing.py"), "no such spider file"),
        (("crawl", "http://127.0.0.1:9/", "--port", "1"), "--serve"),
    ],
)
async def test_what_cannot_be_served_is_one_clear_line(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    done = await penstock(*words, "--data", str(tmp_path / "data"))

    assert done.status == 2, done
    assert why in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "data").exists()


async def test_a_port_that_is_in_use_is_said_before_a_crawl_begins(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = await penstock(
            "crawl",
            "http://127.0.0.1:9/",
            "--serve",
            "--port",
            port,
            "--allow-private",
            "--data",
            str(tmp_path / "data"),
        )

    assert (done.status, "the port is in use" in done.err) == (2, True)
    assert not (tmp_path / "data").exists()
