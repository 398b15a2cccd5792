"""A cluster with the API, a simulated web and a browser, once for all tests here; a page of its own for each test."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from penstock.site import SiteOptions, running_site
from tests.dashboard.serving import Proxy, Served, proxied, serving
from tests.dashboard.watched import Watched, watched

#: Chromium as Debian has it, without what would talk to others or wait for a screen.
_FLAGS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


def _chromium() -> str:
    """Where the browser is; skips where there is none, and fails there where tests are meant to be complete."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        tell = pytest.fail if os.environ.get("CI") else pytest.skip
        tell("no Chromium: install the package chromium, or say in CHROMIUM where it is")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One headless browser."""
    path = _chromium()
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, headless=True, args=flags)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A cluster with the API; not started where there is no browser."""
    folder: Path = tmp_path_factory.mktemp("up")
    async with serving("up", "--data", str(folder), "--allow-private") as up:
        yield up


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site() -> AsyncIterator[str]:
    """The first page of a web of 40 pages that answers at once."""
    async with running_site(SiteOptions(pages=40)) as running:
        yield running.root_url


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, served: Served) -> AsyncIterator[Watched]:
    """A browser page at the dashboard; at its end nothing may have gone wrong in it."""
    async with watched(browser, served.url) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(served: Served) -> AsyncIterator[Proxy]:
    """A way to the server that can be cut and mended."""
    async with proxied(served.url) as opened:
        yield opened
