"""Pictures of the dashboard's main states, into docs/images/: the simulated web, a cluster, and Chromium, all here.

    python -m tools.screenshots

The web is the same each time; times and rates are the machine's own. Wants Chromium (on PATH, or named in CHROMIUM).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from penstock.site import SiteOptions, running_site
from tests.dashboard.serving import Served, proxied, serving

IMAGES = Path(__file__).parents[1] / "docs" / "images"
#: A README should not weigh more than the program it is about.
MOST_BYTES = 150_000
#: Long enough for lines in the charts, short enough for somebody who waits.
RUN_SECONDS = 75
#: How far the crawls get that are paused or cancelled.
OTHERS_SECONDS = 12
_DESKTOP = {"width": 1200, "height": 860}
_PHONE = {"width": 375, "height": 760}
_WEB = SiteOptions(hosts=8, pages=4_000, latency_ms=70, jitter_ms=60, error_rate=0.006, throttle_rate=0.004)
_SMALL = [SiteOptions(pages=pages, seed=7) for pages in (180, 90, 140, 200)]


async def main() -> None:
    """Make all of them."""
    chromium = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    chromium = os.environ.get("CHROMIUM") or chromium
    if chromium is None:
        sys.exit("screenshots: no Chromium; install the package chromium, or say in CHROMIUM where it is")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="penstock") as folder:
        async with (
            contextlib.AsyncExitStack() as stack,
            serving("up", "--data", folder, "--allow-private") as up,
            async_playwright() as playwright,
        ):
            flags = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = await playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu", *flags])
            sites = [await stack.enter_async_context(running_site(each)) for each in _SMALL]
            await _other_crawls(up, [site.root_url for site in sites])
            async with running_site(_WEB) as web:
                await _pictures(browser, up, web.root_url)
            await browser.close()


async def _other_crawls(up: Served, sites: list[str]) -> None:
    docs, prices, press, audit = sites
    await up.start(docs, "docs-mirror", delay=0.05)
    cancelled = await up.start(prices, "price-check", delay=0.2, per_host=1)
    await up.start(press, "press-archive", max_pages=60)
    paused = await up.start(audit, "weekly-audit", delay=0.1, per_host=1)
    await asyncio.sleep(OTHERS_SECONDS)
    await up.cancel(cancelled)
    await up.pause(paused)


async def _pictures(browser: Browser, up: Served, seed: str) -> None:
    crawl = await up.start(seed, "garden-guides", delay=0.25, per_host=1)
    async with proxied(up.url) as proxy:
        view = f"{proxy.url}#/crawls/{crawl}"
        pages = {
            "running-light": await _open(browser, view, "light", _DESKTOP),
            "running-dark": await _open(browser, view, "dark", _DESKTOP),
            "phone": await _open(browser, view, "light", _PHONE, device_scale_factor=2),
            "list": await _open(browser, proxy.url, "light", {"width": 1200, "height": 640}),
        }
        await asyncio.sleep(RUN_SECONDS)
        for name, page in pages.items():
            await _shoot(page, name)
        await pages["running-light"].evaluate("scrollTo(0, document.querySelector('.columns.three').offsetTop - 80)")
        await _shoot(pages["running-light"], "hosts")
        await pages["running-light"].evaluate("scrollTo(0, 0)")
        await proxy.cut()
        await pages["running-light"].locator("#banner:not([hidden])").wait_for()
        await _shoot(pages["running-light"], "disconnected")


async def _open(browser: Browser, url: str, scheme: Any, size: Any, **options: Any) -> Page:
    context = await browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce", **options)
    page = await context.new_page()
    await page.goto(url)
    return page


async def _shoot(page: Page, name: str) -> None:
    path = IMAGES / f"dashboard-{name}.png"
    await page.bring_to_front()
    await asyncio.sleep(0.5)
    await page.screenshot(path=path)
    size = path.stat().st_size
    print(f"{path.relative_to(IMAGES.parents[1])}  {size:,} bytes", flush=True)
    if size > MOST_BYTES:
        print(f"screenshots: {path.name} is larger than {MOST_BYTES:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())
