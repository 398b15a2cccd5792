"""The stages by hand, on a Redis of one's own, as containers run them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract import topology
from contract.bus import Bus
from contract.bus.janitor import tidy
from penstock.site import SiteOptions, running_site
from tests.conftest import start_redis
from tests.system.commands import environ, penstock, running, until

STAGES = ("scheduler", "worker", "parse", "record")


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Settings of a cluster whose four stage groups run as commands of their own."""
    server = tmp_path / "s"
    server.mkdir()
    with start_redis(server, "--appendonly", "yes") as url:
        settings = {"PENSTOCK_REDIS_URL": url, "PENSTOCK_DATA": str(tmp_path / "data"), "PENSTOCK_ALLOW_PRIVATE": "1"}
        async with contextlib.AsyncExitStack() as stack:
            for stage in STAGES:
                await stack.enter_async_context(running(stage, **settings))
            yield settings


async def celery(*words: str, **settings: str) -> str:
    """What `celery -A scraper.celery_app …` says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "celery", "-A", "scraper.celery_app", *words),
        env=environ(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await process.communicate()
    return out.decode()


async def test_a_crawl_on_a_redis_of_ones_own_leaves_nothing_pending_and_little_memory(cluster: dict[str, str]) -> None:
    async with running_site(SiteOptions(hosts=2, pages=80)) as site, Bus.open(cluster["PENSTOCK_REDIS_URL"]) as bus:
        words = ("crawl", site.root_url, "--scope", "any", "--delay", "0", "--per-host", "8", "--json")
        done = await penstock(*words, "--progress", "none", **cluster)
        assert done.status == 0, done
        for stage in topology.STAGES:
            for stream in stage.takes:
                groups = {g["name"].decode(): g for g in await bus.redis.xinfo_groups(bus.keys.stream(stream))}
                assert (groups[stage.name]["pending"], groups[stage.name]["lag"]) == (0, 0), (stage.name, stream)
        await tidy(bus)
        assert int(await bus.redis.get(bus.keys.body_bytes) or 0) == 0
        crawl, root = done.json["crawl"], bus.keys.root
        kept = {key.decode().removeprefix(root) for key in await bus.redis.keys(f"{root}*")}
    left = {key for key in kept if crawl in key}
    assert left <= {f"crawl:{crawl}", f"progress:{crawl}"}, left
    assert not {key for key in kept if key.startswith(("body:", "queue:", "seen:", "due:"))}


@pytest.mark.soak
async def test_a_second_worker_started_by_hand_shares_the_work_and_celery_shows_the_fetchers(
    cluster: dict[str, str],
) -> None:
    options = SiteOptions(hosts=8, pages=1200, latency_ms=50)
    async with running_site(options) as site:
        words = ("crawl", site.root_url, "--scope", "any", "--delay", "0", "--per-host", "8")
        async with running(*words, **cluster) as process, Bus.open(cluster["PENSTOCK_REDIS_URL"]) as bus:
            await until(lambda: len(site.log.records) > 50)
            stream, group = bus.keys.stream("page.fetch"), topology.FETCH.name
            before = {one["name"] for one in await bus.redis.xinfo_consumers(stream, group)}
            async with running("worker", PENSTOCK_WORKERS="1", **cluster):
                joined = False
                while not joined and process.returncode is None:
                    now = {one["name"] for one in await bus.redis.xinfo_consumers(stream, group) if one["pending"]}
                    joined = bool(now - before)
                    await asyncio.sleep(0.02)
                shown = await celery("inspect", "active", **cluster)
                assert joined
                assert "scraper.fetch" in shown, shown
                assert await process.wait() == 0


@pytest.mark.soak
async def test_a_watcher_may_come_late_and_twice(cluster: dict[str, str]) -> None:
    async with running_site(SiteOptions(hosts=4, pages=300, latency_ms=40)) as site:
        words = ("crawl", site.root_url, "--scope", "any", "--delay", "0", "--per-host", "4", "--name", "watched")
        async with running(*words, **cluster) as process:
            await until(lambda: len(site.log.records) > 60)
            first, second = await asyncio.gather(*(penstock("watch", "watched", "--json", **cluster) for _ in range(2)))
            assert await process.wait() == 0
    for done in (first, second):
        assert done.status == 0, done
    listed = (await penstock("crawls", "--json", **cluster)).json[0]
    last = [done.out.splitlines()[-1] for done in (first, second)]

    for line in last:
        state = json.loads(line)
        counts = {name: state[name] for name in ("fetched", "failed", "excluded", "parsed", "items", "bytes")}
        assert counts == {name: listed[name] for name in counts}
        assert state["state"] == "finished"
