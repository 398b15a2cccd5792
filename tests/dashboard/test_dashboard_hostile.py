"""What strangers write is shown as they wrote it, and does nothing."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Locator, Page, expect

from tests.dashboard.serving import Served
from tests.dashboard.watched import Watched

pytestmark = pytest.mark.asyncio(loop_scope="session")

_RUN = "<img src=x onerror=\"document.title='run'\"><script>alert(1)</script>"
#: Markup, a direction override that is never closed, a zero byte, a bell, a pile of marks, and more than fits.
_TITLE = f"{_RUN}\N{RIGHT-TO-LEFT OVERRIDE}evil\N{RIGHT-TO-LEFT ISOLATE}\a\0{'Z' + chr(0x0335) * 60}{'long ' * 400}"
_PATH = "/%3Cimg%20src=x%20onerror=alert(1)%3E%E2%80%AEgnp.exe?q=javascript:alert(2)&\"'><b>"
_PAGE = """<!doctype html><title>{title}</title><meta name="description" content='{run}'>
<a href="{path}">next</a> <a href="javascript:alert(3)">no</a>
<script type="application/ld+json">{{"@type": "</td><script>", "name": "{name}"}}</script>"""


@contextlib.asynccontextmanager
async def _hostile_site() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            raise web.HTTPNotFound
        if request.path == "/":
            title = _TITLE.replace("&", "&amp;").replace("<", "&lt;")
            body = _PAGE.format(
                title=title, run=_RUN, path=_PATH.replace('"', "&quot;"), name="\N{RIGHT-TO-LEFT OVERRIDE}"
            )
            return web.Response(body=body.encode(), content_type="text/html", charset="utf-8")
        return web.Response(status=404, reason="<b>gone</b>", text=_RUN, content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()


async def test_a_hostile_title_url_item_and_name_are_shown_inert(page: Watched, served: Served) -> None:
    name = f"{_RUN}\N{RIGHT-TO-LEFT OVERRIDE}name"
    async with _hostile_site() as site:
        crawl = await served.start(site, name)
        await page.crawl(crawl)
        await expect(page.page.locator(".crawl-title .badge")).to_have_text("finished")

        rows = page.page.get_by_role("region", name="Latest pages").locator("tbody tr")
        await expect(rows).to_have_count(2)
        first = rows.filter(has_text="evil")
        await expect(first).to_contain_text("<script>alert(1)</script>\\u202eevil\\u2067")
        await _stays_in_its_row(page.page, first)

        await page.page.get_by_role("tab", name="Failures").click()
        failure = page.page.get_by_role("region", name="Latest failures").locator("tbody tr")
        await expect(failure).to_contain_text("onerror")
        await page.page.get_by_role("tab", name="Items").click()
        item = page.page.get_by_role("region", name="Latest items").locator("tbody tr")
        await expect(item).to_contain_text("onerror")
        await item.get_by_role("button").click()
        await expect(page.page.get_by_role("dialog")).to_contain_text("\\u202e")
        await _is_inert(page.page)
        await page.go("#/")
        await expect(page.page.get_by_role("listitem").filter(has_text="\\u202ename")).to_be_visible()
        await _is_inert(page.page)


async def _is_inert(page: Page) -> None:
    """Nothing of theirs became an element, a script, or a link to anything but the web; nor moved the layout."""
    made = "img[src='x'], b, script:not([src^='static/']), [onerror], [style*='url']"
    assert await page.locator(made).count() == 0
    assert "Penstock" in await page.title()
    for link in await page.locator("a[href]").all():
        href = await link.get_attribute("href") or ""
        assert href.startswith(("#", "http://", "https://")), href
        if not href.startswith(("#", f"{page.url.partition('#')[0]}crawls/")):  # the server's own: files to be had
            assert (await link.get_attribute("rel") or "").split() == ["noopener", "noreferrer", "nofollow"]
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def _stays_in_its_row(page: Page, row: Locator) -> None:
    box = await row.bounding_box()
    assert box
    assert box["height"] < 60
    assert box["width"] < 1280
    last = await row.locator("td").last.text_content()
    assert last
    assert last.endswith(" ms"), "what comes after the title reads as before"
