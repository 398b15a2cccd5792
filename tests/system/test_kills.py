"""Any process may be killed at any moment: the crawl finishes by itself, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
from pathlib import Path

import pytest

from penstock.site import SiteOptions, expected, running_site
from penstock.site.running import RunningSite
from tests.system.commands import descendants, rows, running, until

#: Kind of process → a word of its command line, and whether it is a child of one with that word.
KINDS = {
    "scheduler": "penstock scheduler",
    "worker": "penstock worker",
    "worker child": "penstock worker",
    "parse": "penstock parse",
    "parser child": "scraper.parsers.process",
    "record": "penstock record",
    "server": "-server",
}
#: Work must go on this long after a kill, at the latest: a lease, the reclaim after it, and a restart.
RESUMES_SECONDS = 20.0
WORDS = ("--scope", "any", "--delay", "0", "--per-host", "2", "--allow-private", "--progress", "none", "--json")


def victims(pid: int, kind: str) -> list[int]:
    """The processes of this kind below a `penstock crawl`."""
    found = [child for child, command in descendants(pid) if KINDS[kind] in command]
    if kind.startswith("worker"):
        first, rest = found[:1], found[1:]
        return rest if kind == "worker child" else first
    return found


async def killed_one_after_another(site: RunningSite, data: Path, kinds: list[str], *, pause_seconds: float) -> None:
    """Crawl the site, killing one process of each kind in turn, and hold what was stored against the truth."""
    async with running("crawl", site.root_url, *WORDS, "--data", str(data)) as process:
        await until(lambda: len(site.log.records) > 30)
        for kind in kinds:
            await until(lambda kind=kind: process.returncode is not None or bool(victims(process.pid, kind)))
            assert process.returncode is None, "the crawl was over before all were killed"
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(victims(process.pid, kind)), signal.SIGKILL)
            await asyncio.sleep(pause_seconds)  # a kill every so often is the scenario itself
        assert await asyncio.wait_for(process.wait(), 150) == 0
    await nothing_lost_and_nothing_twice(site, data)


async def nothing_lost_and_nothing_twice(site: RunningSite, data: Path) -> None:
    """Every page that the site has is stored once, with the right body; items and pages agree."""
    truth = {url: page for url, page in expected(site.web).items() if page.allowed and page.status < 400}
    found = await rows("pages", data)
    fetched = {row["url"]: row for row in found if row["outcome"] == "fetched"}
    assert len(found) == len({row["url"] for row in found})
    assert set(fetched) == set(truth)
    assert all(fetched[url]["bytes"] == page.size for url, page in truth.items() if page.status == 200)
    items = [row["url"] for row in await rows("items", data)]
    assert sorted(items) == sorted(url for url, page in truth.items() if page.status == 200)


def longest_pause(site: RunningSite) -> float:
    """Seconds between two requests, at the most."""
    starts = sorted(record.start_ns for record in site.log.records)
    return max(after - before for before, after in itertools.pairwise(starts)) / 1e9


@pytest.mark.timeout(240)
async def test_each_kind_of_process_is_killed_in_one_crawl_and_nothing_is_lost(tmp_path: Path) -> None:
    async with running_site(SiteOptions(hosts=4, pages=900, latency_ms=60)) as site:
        await killed_one_after_another(site, tmp_path, list(KINDS), pause_seconds=0.7)
        assert longest_pause(site) < RESUMES_SECONDS


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(3))
async def test_twenty_random_processes_are_killed_in_a_row(tmp_path: Path, seed: int) -> None:
    random.seed(seed)
    async with running_site(SiteOptions(seed=seed, hosts=8, pages=3000, latency_ms=120)) as site:
        kinds = [random.choice(list(KINDS)) for _ in range(20)]
        await killed_one_after_another(site, tmp_path, kinds, pause_seconds=2.0)
        assert longest_pause(site) < RESUMES_SECONDS


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
async def test_one_process_is_killed_and_work_goes_on_in_time(tmp_path: Path, kind: str) -> None:
    async with running_site(SiteOptions(hosts=4, pages=900, latency_ms=60)) as site:
        await killed_one_after_another(site, tmp_path, [kind], pause_seconds=0.1)
        assert longest_pause(site) < RESUMES_SECONDS
