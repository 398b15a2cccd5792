"""`penstock crawl`, from seed to rows, on the simulated web: what it finds is what is there."""

import os
import signal
from pathlib import Path

import pytest

from penstock.site import SiteOptions, expected, judge, running_site
from tests.system.commands import descendants, penstock, rows, running, until
from tests.system.walker import walk

FAST = ("--delay", "0", "--per-host", "16", "--allow-private", "--progress", "none")


async def test_a_crawl_stores_exactly_what_the_site_has_each_page_once(tmp_path: Path) -> None:
    async with running_site(SiteOptions(hosts=3, pages=120)) as site:
        done = await penstock("crawl", site.root_url, "--scope", "any", *FAST, "--data", str(tmp_path), "--json")
        truth = expected(site.web)
    assert done.status == 0, done
    found = await rows("pages", tmp_path)
    assert len({row["url"] for row in found}) == len(found)
    fetched = {row["url"]: row["status"] for row in found if row["outcome"] == "fetched"}
    assert fetched == {url: page.status for url, page in truth.items() if page.allowed and page.status < 400}
    assert {row["url"] for row in found if row["reason"] == "robots"} == {u for u, p in truth.items() if not p.allowed}
    summary = done.json
    assert summary["fetched"] == len(fetched) == summary["parsed"]
    assert summary["discovered"] == len(found)
    assert summary["items"] == len(await rows("items", tmp_path))
    assert all(report.refetched == {} for report in judge(site.log.records).values())


@pytest.mark.soak
async def test_a_second_program_that_walks_the_site_finds_the_same_pages(tmp_path: Path) -> None:
    async with running_site(SiteOptions(pages=60, robots="404")) as site:
        import asyncio

        pages = await asyncio.to_thread(walk, site.root_url)
        await penstock("crawl", site.root_url, *FAST, "--data", str(tmp_path), "--json")
    found = await rows("pages", tmp_path)
    html = {r["url"]: r["bytes"] for r in found if r["status"] == 200 and r["content_type"].startswith("text/html")}
    assert html == pages


@pytest.mark.soak
async def test_a_finished_crawl_of_that_name_starts_anew_under_a_new_id(tmp_path: Path) -> None:
    async with running_site(SiteOptions(pages=5)) as site:
        words = ("crawl", site.root_url, *FAST, "--data", str(tmp_path), "--json")
        first, second = await penstock(*words), await penstock(*words)
    assert first.json["crawl"] != second.json["crawl"]
    assert first.json["fetched"] == second.json["fetched"]
    listed = (await penstock("crawls", "--data", str(tmp_path), "--json")).json
    assert [row["state"] for row in listed] == ["finished", "finished"]
    assert listed[0]["id"] == second.json["crawl"]


async def test_the_whole_group_killed_in_mid_crawl_goes_on_and_fetches_nothing_recorded_again(tmp_path: Path) -> None:
    options = SiteOptions(pages=300, latency_ms=30)
    async with running_site(options) as site:
        words = ("crawl", site.root_url, *FAST, "--data", str(tmp_path), "--json")
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 120)
            cluster = dict(descendants(process.pid))
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in cluster))
        recorded = {row["url"] for row in await rows("pages", tmp_path) if row["outcome"] == "fetched"}
        asked_before = len(site.log.records)
        done = await penstock(*words)
        again = {f"http://{record.host}{record.path}" for record in site.log.records[asked_before:]}
        truth = expected(site.web)
    assert done.status == 0, done
    assert not recorded & again
    found = await rows("pages", tmp_path)
    fetched = [row["url"] for row in found if row["outcome"] == "fetched"]
    assert sorted(fetched) == sorted(url for url, page in truth.items() if page.allowed and page.status < 400)
    assert len((await penstock("crawls", "--data", str(tmp_path), "--json")).json) == 1


async def test_ctrl_c_drains_and_says_how_to_go_on(tmp_path: Path) -> None:
    async with running_site(SiteOptions(pages=400, latency_ms=40)) as site:
        words = ("crawl", site.root_url, *FAST, "--data", str(tmp_path))
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 50)
            cluster = dict(descendants(process.pid))
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
        assert not any(Path(f"/proc/{pid}").exists() for pid in cluster)
        done = await penstock(
            "crawl", "--data", str(tmp_path), "--progress", "none", "--json", PENSTOCK_ALLOW_PRIVATE="1"
        )
        truth = expected(site.web)
    assert done.status == 0, done
    assert done.json["fetched"] == sum(page.allowed and page.status < 400 for page in truth.values())


@pytest.mark.soak
async def test_other_seeds_under_the_name_of_an_unfinished_crawl_are_refused_and_other_options_are_named(
    tmp_path: Path,
) -> None:
    data = ("--data", str(tmp_path), "--allow-private")
    async with running_site(SiteOptions(pages=60, latency_ms=40)) as site:
        async with running("crawl", site.root_url, "--delay", "0.1", *data) as process:
            await until(lambda: len(site.log.records) > 5)
            other = await penstock("crawl", f"{site.root_url}other", *data)
            same = await penstock("pause", site.hosts[0], "--data", str(tmp_path))
            assert same.status == 0, same
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
        assert (other.status, "other seeds" in other.err) == (2, True), other
        done = await penstock("crawl", site.root_url, "--delay", "0", *data, "--progress", "none", "--json")
    assert done.status == 0, done
    assert "delay_seconds stays 0.1" in done.err, done


async def test_a_spider_that_breaks_is_seen_in_the_summary_and_in_the_export(tmp_path: Path) -> None:
    spider = tmp_path / "broken.py"
    spider.write_text(
        "from scraper import Page, Spider\n\nspider = Spider('broken')\n\n\n"
        "@spider.page('/**')\ndef page(page: Page):\n    raise RuntimeError('on purpose')\n"
    )
    async with running_site(SiteOptions(pages=5)) as site:
        words = ("crawl", site.root_url, "--spider", str(spider), *FAST, "--data", str(tmp_path / "data"), "--json")
        done = await penstock(*words)
    assert done.status == 0, done
    assert done.json["parse_errors"] == {"extractor_failed": 5}
    assert "on purpose" in done.err
    errors = [row["error"] for row in await rows("pages", tmp_path / "data") if row["status"] == 200]
    assert all("on purpose" in error for error in errors), errors
