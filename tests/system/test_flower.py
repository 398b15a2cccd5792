"""The real Flower sees the fetch workers, and what they have done (the extra `monitor`)."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys

import httpx
import pytest

from tests.system.commands import environ

pytest.importorskip("flower", reason="no Flower: pip install 'penstock-crawler[monitor]'")

PATIENCE_SECONDS = 20.0


@contextlib.asynccontextmanager
async def celery(*words, **settings):
    """A celery command of our app, ended with the block."""
    command = (sys.executable, "-m", "celery", "-A", "scraper.celery_app", *words)
    process = await asyncio.create_subprocess_exec(
        *command, env=environ(**settings), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def answer_of(client, path, wanted):
    """What Flower says, once it says something that is wanted; it starts while we ask."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await client.get(path)
                if answer.status_code == 200 and wanted(found := answer.json()):
                    return found
            await asyncio.sleep(0.1)


async def test_flower_shows_the_fetch_workers(bus, redis_url):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"PENSTOCK_REDIS_URL": redis_url, "PENSTOCK_WORKERS": "1"}
    worker = celery("worker", "--hostname", "fetch@here", **settings)
    open_api = {"FLOWER_UNAUTHENTICATED_API": "true", "HOME": os.environ.get("HOME", "/")}
    flower = celery("flower", "--address=127.0.0.1", f"--port={port}", **settings, **open_api)
    async with worker, flower, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        found = await answer_of(client, "/api/workers?refresh=1", lambda said: "fetch@here" in said)

    shown = found["fetch@here"]
    assert shown["registered"] == ["scraper.fetch"]
    assert [queue["name"] for queue in shown["active_queues"]] == ["scraper.fetch"]
    assert shown["stats"]["pool"]["max-concurrency"] == 1
