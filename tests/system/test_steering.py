"""`penstock pause|resume|cancel|add`: they act at once, survive a restart, and refuse what does not fit."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from contract.bus import Bus
from contract.settings import Settings
from penstock.cluster.folder import DataFolder
from penstock.site import SiteOptions, expected, running_site
from storage.sql.database import open_database
from tests import builders
from tests.storage.helpers import write
from tests.system.commands import penstock, rows, running, until

CRAWL = ("--scope", "any", "--delay", "0", "--per-host", "2", "--allow-private", "--progress", "none")


@pytest.mark.soak
async def test_a_paused_crawl_asks_for_nothing_until_it_is_resumed_also_after_a_restart(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    async with running_site(SiteOptions(hosts=2, pages=200, latency_ms=40)) as site:
        words = ("crawl", site.root_url, "--name", "mine", *CRAWL, *data)
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 30)
            paused = await penstock("pause", "mine", *data)
            assert paused.status == 0, paused
            asked = len(site.log.records)
            assert (await penstock("crawls", "--json", *data)).json[0]["state"] == "paused"
            assert len(site.log.records) == asked
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
        again = await penstock("pause", "mine", *data)
        assert (again.status, "paused" in again.err) == (2, True), again
        assert (await penstock("resume", "mine", *data)).status == 0
        done = await penstock(*words, "--json")
        truth = expected(site.web)
    assert done.status == 0, done
    assert done.json["fetched"] == sum(page.allowed and page.status < 400 for page in truth.values())
    over = await penstock("resume", "mine", *data)
    assert (over.status, "finished" in over.err) == (2, True), over


@pytest.mark.soak
async def test_a_cancelled_crawl_ends_frees_its_memory_and_keeps_what_it_has(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    async with running_site(SiteOptions(hosts=2, pages=300, latency_ms=60)) as site:
        words = ("crawl", site.root_url, "--name", "mine", *CRAWL, "--delay", "0.05", *data)
        second = ("crawl", site.root_url, "--name", "other", *CRAWL, "--delay", "0.05", *data)
        async with running(*words) as process, running(*second) as other:
            await until(lambda: len(site.log.records) > 60)
            assert (await penstock("cancel", "mine", *data)).status == 0
            listed = {row["name"]: row for row in (await penstock("crawls", "--json", *data)).json}
            assert listed["mine"]["state"] == "cancelled"
            address = DataFolder(tmp_path).read_address()
            assert address is not None
            async with Bus.open(address.redis_url) as bus:
                crawl, left = listed["mine"]["id"], None
                while left != {bus.keys.crawl(crawl), bus.keys.progress(crawl)}:
                    left = {key.decode() for key in await bus.redis.keys(f"*{crawl}*") if b":body:" not in key}
                    await asyncio.sleep(0.02)
            assert await other.wait() == 0
            assert await process.wait() in (0, 1)
    assert len([row for row in await rows("pages", tmp_path) if row["crawl"] == crawl]) > 0


async def test_seeds_can_be_added_to_a_crawl_that_runs(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    async with running_site(SiteOptions(hosts=2, pages=64, latency_ms=80)) as site:
        first, second = site.root_url, f"http://{site.hosts[1]}/"
        words = ("crawl", first, "--name", "mine", "--delay", "0.1", "--allow-private", "--progress", "none", *data)
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 3)
            added = await penstock("add", "mine", second, *data)
            assert added.status == 0, added
            assert await process.wait() == 0
        assert any(record.host == site.hosts[1] and record.path == "/" for record in site.log.records)


async def test_a_crawl_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = await penstock("cancel", "none", "--data", str(tmp_path))
    assert (done.status, "none" in done.err) == (2, True), done


async def test_resume_says_what_goes_on_with_a_crawl_whose_cluster_has_ended(tmp_path: Path) -> None:
    engine = open_database(Settings(data=str(tmp_path)))
    write(engine, tmp_path / "archive", builders.crawl_started())
    engine.dispose()

    done = await penstock("resume", builders.CRAWL, "--data", str(tmp_path))

    assert done.status == 2, done
    assert "it is not paused, its cluster has ended; go on with it: penstock crawl --name" in done.err


async def test_who_begins_a_crawl_where_nobody_is_at_work_is_told_so(redis_url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = ("crawl", "http://127.0.0.1:1/", "--data", str(tmp_path))
    async with running(*words, log=log, PENSTOCK_REDIS_URL=redis_url) as process:
        await until(lambda: "no answer yet; do `penstock scheduler`" in log.read_text())
        process.send_signal(signal.SIGINT)
        await process.wait()
