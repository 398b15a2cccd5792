"""A browser page under watch: whatever goes wrong in it fails its test, and screen readers are told little enough."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Dialog, Locator, Page, expect

#: No step of a test takes longer, on a machine that does other things too.
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)
#: Sentences for a screen reader are at least that far apart.
APART_MS = 5_000

#: Notes when the live region speaks, for its sentences must not flood.
_LISTEN = """
window.said = [];
addEventListener("DOMContentLoaded", () => {
  const node = document.getElementById("says");
  const note = () => said.push([Date.now(), node.textContent]);
  new MutationObserver(note).observe(node, {childList: true, characterData: true, subtree: true});
});
"""


class Watched:
    """A page of the dashboard."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        #: What the console said in anger, pages' errors, and dialogs that opened.
        self.wrong: list[str] = []
        #: Parts of console errors that belong to the test: browsers log each answer of 400 and above as an error.
        self.expected: list[str] = []

    async def go(self, hash: str = "") -> None:
        """Open a view of the dashboard."""
        await self.page.goto(f"{self.url}{hash}")

    async def crawl(self, id: str) -> None:
        """Open a crawl's page, and wait until it is there."""
        await self.go(f"#/crawls/{id}")
        await self.page.locator(".crawl-title").wait_for()

    def button(self, name: str) -> Locator:
        """A button by its whole name."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def check(self) -> None:
        """Nothing went wrong that the test did not expect, and the live region was not flooded."""
        bad = [line for line in self.wrong if not any(part in line for part in self.expected)]
        assert bad == []
        said: list[list[Any]] = await self.page.evaluate("window.said")
        times = [at for at, _ in said]
        assert all(after - before >= APART_MS for before, after in pairwise(times)), said


@contextlib.asynccontextmanager
async def watched(browser: Browser, url: str, **context: Any) -> AsyncIterator[Watched]:
    """A fresh page (own cookies) under watch."""
    opened = await browser.new_context(viewport={"width": 1280, "height": 900}, **context)
    opened.set_default_timeout(PATIENCE_MS)
    await opened.add_init_script(_LISTEN)
    page = await opened.new_page()
    watch = Watched(page, url)
    page.on("console", lambda message: _note(watch, message))
    page.on("pageerror", lambda error: watch.wrong.append(f"error: {error}"))
    page.on("dialog", lambda dialog: _refuse(watch, dialog))
    try:
        yield watch
        await watch.check()
    finally:
        await opened.close()


def _note(watch: Watched, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        watch.wrong.append(f"console: {message.text} {message.location.get('url', '')}")


async def _refuse(watch: Watched, dialog: Dialog) -> None:
    watch.wrong.append(f"dialog: {dialog.message}")
    await dialog.dismiss()
