"""Redis may be emptied at any moment: the crawl finishes by itself, from what is recorded, and stays polite."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from contract.bus import Bus
from contract.bus.groups import ensure_groups
from contract.settings import Settings
from penstock.cluster.folder import DataFolder
from penstock.cluster.supervisor import STAGE_COMMANDS
from penstock.site import SiteOptions, expected, judge, running_site
from penstock.site.running import RunningSite
from storage.read_models import queries
from storage.sql.database import make_engine
from tests.conftest import start_redis
from tests.system.commands import descendants, penstock, running, until

DELAY_SECONDS = 0.05
WORDS = ("--scope", "any", "--per-host", "1", "--allow-private", "--progress", "none", "--json")
OPTIONS = SiteOptions(hosts=4, pages=160, latency_ms=10)
#: Their robots.txt asks for more than the crawl does: what a server has learnt, the next one has to know.
SLOW_OPTIONS = SiteOptions(hosts=6, pages=40, latency_ms=10, crawl_delay_seconds=0.1)
#: … and for more than it takes until the next server is asked.
SLOWER_OPTIONS = SiteOptions(hosts=10, pages=10, latency_ms=10, crawl_delay_seconds=0.8)
#: Makes another server for a data folder, and the settings by which a crawl finds it.
Another = Callable[[Path], AbstractAsyncContextManager[dict[str, str]]]


def recorded_in(data: Path) -> tuple[list[dict[str, Any]], list[queries.CrawlRow]]:
    """The pages and crawls in SQL."""
    engine = make_engine(Settings(data=str(data)).sql_url)
    try:
        return list(queries.pages(engine)), queries.crawls(engine)
    finally:
        engine.dispose()


def fetched(data: Path) -> set[str]:
    """URLs that are recorded as fetched."""
    return {row["url"] for row in recorded_in(data)[0] if row["outcome"] == "fetched"}


def crawl_delays(data: Path) -> dict[str, float]:
    """The hosts that are recorded as asking for a delay, and that delay in seconds."""
    engine = make_engine(Settings(data=str(data)).sql_url)
    try:
        [crawl] = queries.crawls(engine)
        found = {host["host"]: host["crawl_delay_ms"] or 0 for host in queries.hosts(engine, crawl.id)}
    finally:
        engine.dispose()
    return {host.removeprefix("http://"): delay_ms / 1000 for host, delay_ms in found.items() if delay_ms}


def as_the_site_has_it(site: RunningSite, data: Path) -> None:
    """Every page is stored once and read once, and there is one crawl, which is over."""
    truth = {url for url, page in expected(site.web).items() if page.allowed and page.status < 400}
    found, [crawl] = recorded_in(data)
    assert Counter(row["url"] for row in found).most_common(1)[0][1] == 1
    assert {row["url"] for row in found if row["outcome"] == "fetched"} == truth
    assert (crawl.state, crawl.fetched, crawl.parsed) == ("finished", len(truth), len(truth))


def nothing_again(site: RunningSite, recorded: set[str], before: int) -> None:
    """What was recorded was not asked for once more."""
    assert not recorded & {f"http://{record.host}{record.path}" for record in site.log.records[before:]}


def politely(site: RunningSite, delays: Mapping[str, float] | None = None) -> None:
    """No host saw more than one request at a time, nor two within its delay, not even across the gap."""
    for host, report in judge(site.log.records).items():
        least_seconds = (delays or {}).get(host, DELAY_SECONDS)
        assert report.most_in_flight == 1, host
        assert report.smallest_gap_seconds is None or report.smallest_gap_seconds >= least_seconds, host
        assert not report.disallowed, host


async def test_a_server_that_is_emptied_in_mid_crawl_costs_nothing_that_was_recorded(tmp_path: Path) -> None:
    async with running_site(OPTIONS) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", str(DELAY_SECONDS), "--data", str(tmp_path))
        async with running(*words) as process:
            for asked in (40, 80):
                await until(lambda asked=asked: len(site.log.records) > asked)
                address = DataFolder(tmp_path).read_address()
                assert address is not None
                recorded, before = fetched(tmp_path), len(site.log.records)
                async with Bus.open(address.redis_url) as bus:
                    await bus.redis.flushall()
            assert await process.wait() == 0
    as_the_site_has_it(site, tmp_path)
    nothing_again(site, recorded, before)
    politely(site)


async def test_no_host_sees_more_than_its_limit_though_requests_outlive_the_server(tmp_path: Path) -> None:
    """A page takes longer than a server takes to be rebuilt: what is in flight then is known to the fetchers alone."""
    async with running_site(SiteOptions(hosts=1, pages=1, latency_ms=3_000)) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", "0", "--data", str(tmp_path))
        async with running(*words) as process:
            await until(lambda: len(site.log.records) >= 2)
            address = DataFolder(tmp_path).read_address()
            assert address is not None
            async with Bus.open(address.redis_url) as bus:
                await bus.redis.flushall()
            assert await process.wait() == 0
    as_the_site_has_it(site, tmp_path)
    assert {report.most_in_flight for report in judge(site.log.records).values()} == {1}


@contextlib.asynccontextmanager
async def without_its_file(data: Path) -> AsyncIterator[dict[str, str]]:
    """The settings of a crawl at the folder's own server, which begins with nothing."""
    shutil.rmtree(data / "redis")
    yield {}


@contextlib.asynccontextmanager
async def of_ones_own(data: Path) -> AsyncIterator[dict[str, str]]:
    """The settings of a crawl at a server of one's own with all stages, which have the same database and archive.

    Fetchers come last: a crawl that is over before the command has come is not the one that it goes on with.
    """
    server = data / "other"
    server.mkdir()
    with start_redis(server, "--appendonly", "yes") as url:
        settings = {"PENSTOCK_REDIS_URL": url, "PENSTOCK_DATA": str(data), "PENSTOCK_ALLOW_PRIVATE": "1"}
        async with contextlib.AsyncExitStack() as stack:
            for stage in STAGE_COMMANDS:
                if stage != "worker":
                    await stack.enter_async_context(running(stage, **settings))
            coming = asyncio.create_task(_fetchers(stack, settings))
            yield settings
            await coming


async def _fetchers(stack: contextlib.AsyncExitStack, settings: dict[str, str]) -> None:
    async with Bus.open(settings["PENSTOCK_REDIS_URL"]) as bus:
        await ensure_groups(bus)
        while not (await bus.redis.xinfo_stream(bus.keys.stream("crawl.start")))["entries-added"]:
            await asyncio.sleep(0.02)
    await stack.enter_async_context(running("worker", **settings))


@pytest.mark.parametrize("another_server", [pytest.param(without_its_file, marks=pytest.mark.soak), of_ones_own])
async def test_a_crawl_that_was_stopped_goes_on_at_another_server(tmp_path: Path, another_server: Another) -> None:
    async with running_site(SLOW_OPTIONS) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", str(DELAY_SECONDS), "--data", str(tmp_path))
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 20)
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
        recorded, before = fetched(tmp_path), len(site.log.records)
        delays = crawl_delays(tmp_path)
        assert recorded
        assert delays
        async with another_server(tmp_path) as settings:
            done = await penstock(*words, **settings)
    assert done.status == 0, done
    as_the_site_has_it(site, tmp_path)
    nothing_again(site, recorded, before)
    politely(site, delays)


@pytest.mark.soak
async def test_a_server_that_is_replaced_by_an_empty_one_under_running_stages_costs_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running_site(SLOWER_OPTIONS) as site, contextlib.AsyncExitStack() as stack:
        with start_redis(tmp_path) as url:
            settings = {"PENSTOCK_REDIS_URL": url, "PENSTOCK_DATA": str(data), "PENSTOCK_ALLOW_PRIVATE": "1"}
            words = ("crawl", site.root_url, *WORDS, "--delay", str(DELAY_SECONDS))
            for stage in STAGE_COMMANDS:
                await stack.enter_async_context(running(stage, **settings))
            process = await stack.enter_async_context(running(*words, **settings))
            await until(lambda: len(site.log.records) > 13)
        recorded, before, delays = fetched(data), len(site.log.records), crawl_delays(data)
        assert recorded
        assert delays
        with start_redis(tmp_path):
            assert await process.wait() == 0
    as_the_site_has_it(site, data)
    nothing_again(site, recorded, before)
    politely(site, delays)


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
        recorded, before = fetched(tmp_path), len(site.log.records)
        assert recorded
        done = await penstock(*words)
    assert done.status == 0, done
    as_the_site_has_it(site, tmp_path)
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
