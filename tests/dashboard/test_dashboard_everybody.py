"""The page for everybody: on a phone, with the keyboard, for a screen reader, in the dark, and without motion."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.dashboard.serving import Served
from tests.dashboard.watched import Watched, watched

pytestmark = pytest.mark.asyncio(loop_scope="session")

_AUDIT = (Path(__file__).parent / "audit.js").read_text().partition("\n")[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_names_headings_tables_and_contrast_are_in_order_in_each_view(
    browser: Browser, served: Served, site: str, scheme: Literal["light", "dark"]
) -> None:
    crawl = await served.start(site, f"audited in the {scheme}")
    async with watched(browser, served.url, color_scheme=scheme, reduced_motion="reduce") as page:
        await page.go()
        await expect(page.page.get_by_role("progressbar").first).to_be_visible()
        assert await page.page.evaluate(_AUDIT) == []
        await page.go("#/start")
        await page.page.locator("summary").click()
        assert await page.page.evaluate(_AUDIT) == []
        await page.crawl(crawl)
        await expect(page.page.locator(".crawl-title .badge")).to_have_text("finished")
        await expect(page.page.locator(".hosts tbody tr")).not_to_have_count(0)
        await expect(page.page.locator(".pages tbody tr").first).to_be_visible()
        assert await page.page.evaluate(_AUDIT) == []
        await page.page.get_by_role("tab", name="Items").click()
        await expect(page.page.get_by_role("region", name="Latest items")).to_be_visible()
        assert await page.page.evaluate(_AUDIT) == []


@pytest.mark.parametrize("width", [375, 390, 768, 1280])
async def test_a_page_of_any_width_is_whole(browser: Browser, served: Served, site: str, width: int) -> None:
    crawl = await served.start(site, "on a phone with a name that is rather longer than a phone is wide, and goes on")
    async with watched(browser, served.url) as page:
        await page.page.set_viewport_size({"width": width, "height": 720})
        await page.go()
        await expect(page.page.get_by_role("progressbar").first).to_be_visible()
        await _fits(page.page, width)
        await page.go("#/start")
        await page.page.get_by_label("Spider").wait_for()
        await _fits(page.page, width)
        await page.crawl(crawl)
        await expect(page.page.locator(".hosts tbody tr")).not_to_have_count(0)
        await expect(page.page.locator(".pages tbody tr").first).to_be_visible()
        await _fits(page.page, width)
        assert await page.page.evaluate(_WIDER, ".findings .scroll, .hosts") == []
        await page.page.get_by_role("tab", name="Items").click()
        await page.page.get_by_role("region", name="Latest items").get_by_role("button").first.click()
        await expect(page.page.get_by_role("dialog").get_by_role("rowheader").first).to_be_visible()
        await _fits(page.page, width)


#: Boxes of a selector that have more in them than they show.
_WIDER = """(selector) => [...document.querySelectorAll(selector)].filter((node) => node.checkVisibility())
    .map((node) => node.closest(".scroll")).filter((node) => node.scrollWidth > node.clientWidth)
    .map((node) => `${node.ariaLabel}: ${node.scrollWidth} of ${node.clientWidth}`)"""
#: Selects whose longest text is cut off: a copy that may be as wide as it likes is wider.
_CUT = """() => [...document.querySelectorAll("select")].filter((node) => node.checkVisibility()).filter((node) => {
    const copy = node.cloneNode(true);
    copy.removeAttribute("id");
    copy.style.cssText = "position: absolute; width: max-content; max-width: none";
    node.parentNode.append(copy);
    const isCut = copy.offsetWidth > node.offsetWidth;
    copy.remove();
    return isCut;
}).map((node) => node.name)"""


async def _fits(page: Page, width: int) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.evaluate(_CUT) == []


async def test_the_keyboard_alone_reaches_everything(page: Watched, served: Served, site: str) -> None:
    crawl = await served.start(site, "by keyboard", delay=0.5, per_host=1)
    await page.crawl(crawl)
    keys = page.page.keyboard
    await keys.press("Tab")
    await expect(page.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await keys.press("Enter")
    await expect(page.page.locator("main")).to_be_focused()
    reached: list[str] = []
    while "Pages" not in reached:
        reached.append(await _next(page.page))
    for name in (
        "Crawls",
        "Pause",
        "Add seeds",
        "Cancel",
        "Last 5 minutes",
        "Whole crawl",
        "Busiest",
        "Slowest",
        "Pages",
    ):
        assert name in reached, reached
    await page.page.get_by_role("tab", name="Pages").focus()
    await keys.press("ArrowRight")
    await expect(page.page.get_by_role("tab", name="Failures")).to_be_focused()
    await expect(page.page.get_by_role("tabpanel", name="Failures")).to_be_visible()
    await served.cancel(crawl)


async def _next(page: Page) -> str:
    """Go on by one, and say where that is; it must be seen that it is there."""
    await page.keyboard.press("Tab")
    name, outline = await page.evaluate(
        "[document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]"
    )
    assert await page.evaluate("document.activeElement !== document.body"), "the page ended before it"
    assert outline != "none", name
    return str(name)


async def test_rows_stay_where_they_are_while_somebody_reads_them(page: Watched, served: Served, site: str) -> None:
    crawl = await served.start(site, "read", delay=0.1, per_host=1)
    await page.crawl(crawl)
    rows = page.page.get_by_role("region", name="Latest pages").locator("tbody tr")
    # The tables above have grown to what they will be, so that nothing moves below the pointer.
    await expect(page.page.locator(".hosts tbody tr")).to_have_count(1)
    await expect(rows.nth(2)).to_be_visible()
    await rows.first.hover()
    first = await rows.first.text_content()
    await expect(page.page.locator(".above-table .note").first).to_contain_text("held while you read")
    assert await rows.first.text_content() == first
    await page.page.get_by_role("heading", level=1).hover()
    await expect(rows.first).not_to_have_text(first or "")
    await served.cancel(crawl)
