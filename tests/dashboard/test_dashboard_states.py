"""What the page shows when there is nothing, when something is wrong, and when the server is not there."""

import pytest
from playwright.async_api import Browser, Route, expect

from tests.dashboard.serving import Proxy, Served, guarded
from tests.dashboard.watched import Watched, watched

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_lost_server_is_said_and_comes_back_by_itself(
    browser: Browser, served: Served, proxy: Proxy, site: str
) -> None:
    crawl = await served.start(site, "goes on meanwhile", delay=0.3, per_host=1)
    async with watched(browser, proxy.url) as page:
        page.expected.append("net::ERR_")
        await page.crawl(crawl)
        await expect(page.page.locator("#link-state")).to_have_text("Connected")
        await proxy.cut()
        await expect(page.page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
        await expect(page.button("Pause")).to_be_disabled()
        await proxy.mend()
        await expect(page.page.locator("#link-state")).to_have_text("Connected")
        await expect(page.page.locator("#banner")).to_be_hidden()
        await expect(page.button("Pause")).to_be_enabled()
        fetched = page.page.locator(".t-fetched dd")
        before = await fetched.text_content()
        await expect(fetched).not_to_have_text(before or "")
    await served.cancel(crawl)


async def test_a_page_opened_while_the_server_is_away_fills_when_it_comes(
    browser: Browser, served: Served, proxy: Proxy
) -> None:
    async with watched(browser, proxy.url) as page:
        page.expected.append("net::ERR_")
        await page.page.route("**/session", lambda route: route.abort())
        await page.page.route("**/healthz", lambda route: route.abort())
        await page.go()
        await expect(page.page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
        await page.page.unroute("**/session")
        await page.page.unroute("**/healthz")
        await expect(page.page.get_by_role("heading", level=1)).to_have_text("Crawls")


async def test_what_the_server_finds_wrong_is_said_at_its_field(page: Watched, site: str) -> None:
    page.expected.append("422")
    await page.go("#/start")
    seeds, wrong = page.page.get_by_label("Seeds"), page.page.locator("#f-seeds-wrong")
    await page.button("Start the crawl").click()
    await expect(wrong).to_contain_text("at least one address")
    await seeds.fill(f"{site}\nmailto:nobody")
    await page.button("Start the crawl").click()
    await expect(wrong).to_contain_text("Line 2: ")
    await expect(seeds).to_be_focused()
    await expect(seeds).to_have_attribute("aria-invalid", "true")
    await seeds.fill(site)
    await page.page.get_by_label("Delay").fill("soon")
    await page.button("Start the crawl").click()
    await expect(page.page.locator("#f-delay-wrong")).not_to_be_empty()
    await expect(wrong).to_be_empty()


async def test_a_name_in_use_leads_to_the_crawl_that_has_it(page: Watched, served: Served, site: str) -> None:
    page.expected.append("409")
    crawl = await served.start(site, "taken", delay=1, per_host=1)
    await page.go("#/start")
    await page.page.get_by_label("Seeds").fill(site)
    await page.page.get_by_label("Name").fill("taken")
    await page.button("Start the crawl").click()
    await page.page.get_by_role("link", name="Open it").click()
    await expect(page.page.get_by_role("heading", level=1)).to_contain_text("taken")
    await served.cancel(crawl)


async def test_a_crawl_that_is_not_there_is_said_with_a_way_back(page: Watched) -> None:
    page.expected.append("404")
    await page.go("#/crawls/nobody")
    await expect(page.page.get_by_role("alert").filter(has_text="There is no such crawl")).to_be_visible()
    await page.page.get_by_role("link", name="All crawls").click()
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Crawls")


async def test_a_server_without_a_crawl_says_how_to_begin(page: Watched) -> None:
    page.expected.append("net::ERR_FAILED")

    async def nothing(route: Route) -> None:
        await route.fulfill(json={"crawls": [], "next": None})

    await page.page.route("**/crawls?*", nothing)
    await page.page.route("**/progress", lambda route: route.abort())
    await page.go()
    await expect(page.page.get_by_role("heading", name="No crawl yet")).to_be_visible()
    await page.page.get_by_role("link", name="Start the first crawl").click()
    await expect(page.page.get_by_label("Seeds")).to_be_visible()


async def test_a_server_with_a_token_asks_for_it_once(browser: Browser, served: Served) -> None:
    async with guarded(served.data, token="the-token-of-this-test") as url, watched(browser, url) as page:
        page.expected.append("401")
        await page.go()
        token = page.page.get_by_label("Token")
        await expect(token).to_be_focused()
        await token.fill("another")
        await page.button("Open").click()
        await expect(page.page.get_by_role("alert").filter(has_text="not the token")).to_be_visible()
        await token.fill("the-token-of-this-test")
        await page.button("Open").click()
        await expect(page.page.get_by_role("heading", level=1)).to_have_text("Crawls")
        await page.page.reload()
        await expect(page.page.get_by_role("heading", level=1)).to_have_text("Crawls")
        await page.button("Log out").click()
        await expect(token).to_be_visible()
