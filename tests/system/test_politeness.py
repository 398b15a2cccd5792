"""Politeness, as the site's own log has it: the only witness that counts."""

from pathlib import Path

import pytest

from penstock.site import SiteOptions, judge, running_site
from tests.system.commands import penstock, rows


async def test_no_host_ever_sees_more_than_its_limit_or_less_than_its_delay(tmp_path: Path) -> None:
    options = SiteOptions(hosts=20, pages=160, latency_ms=40, jitter_ms=30)
    async with running_site(options) as site:
        words = ("--delay", "0.2", "--per-host", "1", "--scope", "any", "--allow-private", "--workers", "2")
        done = await penstock("crawl", site.root_url, *words, "--data", str(tmp_path), "--progress", "none", "--json")
    assert done.status == 0, done
    reports = judge(site.log.records)
    assert len(reports) == 20
    for host, report in reports.items():
        assert report.most_in_flight == 1, host
        assert report.smallest_gap_seconds is None or report.smallest_gap_seconds >= 0.2, host
        assert report.robots_first, host
        assert not report.disallowed, host
        assert not report.refetched, host


@pytest.mark.soak
async def test_a_host_that_says_429_is_left_alone_for_as_long_as_it_asks(tmp_path: Path) -> None:
    options = SiteOptions(hosts=4, pages=60, throttle_rate=0.1, retry_after_form="mixed", most_faults=1)
    async with running_site(options) as site:
        # One at a time: what is on its way already when a 429 comes cannot be called back.
        words = ("--delay", "0.02", "--per-host", "1", "--scope", "any", "--allow-private")
        done = await penstock("crawl", site.root_url, *words, "--data", str(tmp_path), "--progress", "none", "--json")
    assert done.status == 0, done
    assert any(record.status == 429 for record in site.log.records)
    assert all(not report.too_early for report in judge(site.log.records).values())
    assert not [row for row in await rows("pages", tmp_path) if row["reason"] == "http_429"]
