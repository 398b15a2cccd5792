"""Redis may be emptied at any moment: the crawl finishes by itself, from what is recorded, and stays polite."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from events.bus import Bus
from penstock.cluster.folder import DataFolder
from penstock.site import SiteOptions, expected, judge, running_site
from penstock.site.running import RunningSite
from tests.conftest import start_redis
from tests.system.commands import descendants, penstock, rows, running, until

DELAY_SECONDS = 0.05
#: Stamps are taken where a request is read, a little after it was sent.
TOLERANCE_SECONDS = 0.005
WORDS = ("--scope", "any", "--per-host", "1", "--allow-private", "--progress", "none", "--json")
OPTIONS = SiteOptions(hosts=4, pages=320, latency_ms=10)


async def fetched(data: Path) -> set[str]:
    """URLs that are recorded as fetched."""
    return {row["url"] for row in await rows("pages", data) if row["outcome"] == "fetched"}


async def as_the_site_has_it(site: RunningSite, data: Path) -> None:
    """Every page is stored once and read once, and there is one crawl, which is over."""
    truth = {url for url, page in expected(site.web).items() if page.allowed and page.status < 400}
    found = await rows("pages", data)
    assert Counter(row["url"] for row in found).most_common(1)[0][1] == 1
    assert {row["url"] for row in found if row["outcome"] == "fetched"} == truth
    [crawl] = (await penstock("crawls", "--json", "--data", str(data))).json
    assert (crawl["state"], crawl["fetched"], crawl["parsed"]) == ("finished", len(truth), len(truth))


def nothing_again(site: RunningSite, recorded: set[str], before: int) -> None:
    """What was recorded was not asked for once more."""
    assert not recorded & {f"http://{record.host}{record.path}" for record in site.log.records[before:]}


def politely(site: RunningSite) -> None:
    """No host saw more than one request at a time, nor two within the delay, not even across the gap."""
    for host, report in judge(site.log.records).items():
        assert report.most_in_flight == 1, host
        assert report.smallest_gap_seconds is None or report.smallest_gap_seconds >= DELAY_SECONDS - TOLERANCE_SECONDS
        assert not report.disallowed, host


async def test_a_server_that_is_emptied_in_mid_crawl_costs_nothing_that_was_recorded(tmp_path: Path) -> None:
    async with running_site(OPTIONS) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", str(DELAY_SECONDS), "--data", str(tmp_path))
        async with running(*words) as process:
            for asked in (60, 140):
                await until(lambda asked=asked: len(site.log.records) > asked)
                address = DataFolder(tmp_path).read_address()
                assert address is not None
                recorded, before = await fetched(tmp_path), len(site.log.records)
                async with Bus.open(address.redis_url) as bus:
                    await bus.redis.flushall()
            assert await process.wait() == 0
    await as_the_site_has_it(site, tmp_path)
    nothing_again(site, recorded, before)
    politely(site)


@pytest.mark.soak
async def test_a_server_that_has_lost_its_file_goes_on_from_what_is_recorded(tmp_path: Path) -> None:
    async with running_site(OPTIONS) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", str(DELAY_SECONDS), "--data", str(tmp_path))
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 100)
            cluster = dict(descendants(process.pid))
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in cluster))
        shutil.rmtree(tmp_path / "redis")
        recorded, before = await fetched(tmp_path), len(site.log.records)
        assert recorded
        done = await penstock(*words)
    assert done.status == 0, done
    await as_the_site_has_it(site, tmp_path)
    nothing_again(site, recorded, before)


@pytest.mark.soak
async def test_another_server_takes_over_and_a_paused_crawl_stays_paused_there(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    async with running_site(SiteOptions(hosts=2, pages=200, latency_ms=20)) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", "0.1", "--name", "mine", *data)
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 30)
            assert (await penstock("pause", "mine", *data)).status == 0
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
        shutil.rmtree(tmp_path / "redis")
        again = await penstock("pause", "mine", *data)
        assert (again.status, "paused" in again.err) == (2, True), again
        with start_redis(other, "--maxmemory-policy", "noeviction") as url:
            asked = len(site.log.records)
            async with (
                running("scheduler", PENSTOCK_REDIS_URL=url),
                running("record", PENSTOCK_REDIS_URL=url, PENSTOCK_DATA=str(tmp_path)),
            ):
                paused = await penstock("pause", "mine", *data, PENSTOCK_REDIS_URL=url)
                assert (paused.status, "the crawl is paused" in paused.err) == (2, True), paused
                assert (await penstock("cancel", "mine", *data, PENSTOCK_REDIS_URL=url)).status == 0
            assert len(site.log.records) == asked
