"""What people do with crawls in the browser: start, watch, pause, resume, cancel."""

import re

import pytest
from playwright.async_api import expect

from penstock.site import SiteOptions, running_site
from tests.dashboard.serving import Served
from tests.dashboard.watched import Watched

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_crawl_started_from_the_form_is_watched_to_its_end(page: Watched, served: Served, site: str) -> None:
    await page.go("#/start")
    await page.page.get_by_label("Seeds").fill(site)
    await page.page.get_by_label("Name").fill("from the form")
    await page.page.get_by_label("Delay").fill("0")
    await page.page.get_by_label("Per host").fill("8")
    await page.button("Start the crawl").click()

    await expect(page.page.get_by_role("heading", level=1)).to_contain_text("from the form")
    await expect(page.page.locator(".crawl-title .badge")).to_have_text("finished")
    await expect(page.page.get_by_role("progressbar")).to_have_attribute("aria-valuetext", re.compile(r"(\d+) of \1 "))
    counts = await served.counts(page.page.url.rpartition("/")[2])
    for name in ("fetched", "failed", "excluded", "items"):
        await expect(page.page.locator(f".t-{name} dd")).to_have_text(str(counts[name]))
    await expect(page.page.get_by_role("region", name="Latest pages").locator("tbody tr").first).to_contain_text(site)
    await expect(page.page.locator(".chart-words").first).to_contain_text("on average")
    await expect(page.page.locator(".speed")).to_contain_text("pages/s")
    await expect(page.page.get_by_role("progressbar")).to_have_attribute(
        "aria-valuenow", str(counts["fetched"] + counts["failed"])
    )


async def test_a_bound_on_pages_is_the_end_of_the_bar(page: Watched, served: Served, site: str) -> None:
    short = await served.start(site, "bounded", max_pages=5)
    await served.ended(short)
    await page.crawl(short)
    bar = page.page.get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuetext", "5 of at most 5 pages")
    await expect(bar).to_have_attribute("aria-valuemax", "5")
    await expect(page.page.locator(".bar-percent")).to_have_text("100%")


async def test_a_finished_crawl_shows_hosts_codes_items_and_the_life_of_a_url(
    page: Watched, served: Served, site: str
) -> None:
    await page.crawl(await served.start(site, "looked at"))
    await expect(page.page.locator(".crawl-title .badge")).to_have_text("finished")
    host = page.page.get_by_role("region", name="Hosts").locator("tbody tr").first
    await expect(host).to_contain_text(site.rstrip("/"))
    await expect(host.locator(".gaps rect.kept").first).to_be_visible()

    await page.page.get_by_role("tab", name="Items").click()
    await expect(page.page.get_by_role("region", name="Latest items").locator("tbody tr")).to_have_count(20)

    await page.page.locator(".bar-row", has_text="200").click()
    await expect(page.button("status: 200 ×")).to_be_focused()
    await page.page.get_by_role("region", name="Latest pages").get_by_role("link", name=site, exact=True).click()
    life = page.page.get_by_role("dialog", name="The life of a URL")
    await expect(life.get_by_role("listitem").first).to_contain_text("given as a seed")
    await page.page.keyboard.press("Escape")
    await expect(life).to_have_count(0)
    await expect(page.page).not_to_have_url(re.compile("explain"))


async def test_pages_and_items_are_filtered_and_had_as_files(page: Watched, served: Served, site: str) -> None:
    crawl = await served.start(site, "filtered")
    counts = await served.ended(crawl)
    await page.crawl(crawl)
    rows = page.page.get_by_role("region", name="Latest pages").locator("tbody tr")
    form = page.page.get_by_role("form", name="Filter pages")

    await form.get_by_label("Outcome").select_option("failed")
    await expect(rows).to_have_count(counts["failed"])
    await expect(page.button("outcome: failed ×")).to_be_visible()
    await form.get_by_label("Text").fill("nothing has this in it")
    await expect(page.page.get_by_text("None fits.").first).to_be_visible()
    await page.button("outcome: failed, text: nothing has this in it ×").click()
    await expect(form.get_by_label("Outcome")).to_have_value("")
    await expect(rows).to_have_count(min(50, counts["fetched"] + counts["failed"] + counts["excluded"]))

    async with page.page.expect_download() as coming:
        await page.page.get_by_role("link", name="Download all pages as CSV").click()
    file = await (await coming.value).path()
    assert len(file.read_text().splitlines()) == 1 + counts["fetched"] + counts["failed"] + counts["excluded"]

    await page.page.get_by_role("tab", name="Items").click()
    items = page.page.get_by_role("region", name="Latest items").locator("tbody tr")
    await expect(items).to_have_count(20)
    await page.page.get_by_role("form", name="Filter items").get_by_label("Type").fill("none such")
    await expect(items).to_have_count(0)


async def test_a_host_that_asks_for_time_is_named_with_the_moment_until_which_nothing_is_asked(
    page: Watched, served: Served
) -> None:
    async with running_site(SiteOptions(pages=3, throttle_rate=1, retry_after_seconds=600)) as slow:
        crawl = await served.start(slow.root_url, "rate limited", ignore_robots=True, per_host=1)
        await page.crawl(crawl)
        line = page.page.get_by_role("list", name="Hosts of which nothing is asked for now").get_by_role("listitem")
        await expect(line).to_contain_text(re.compile(r"is rate limited \(http 429\) until \d\d:\d\d:\d\d, in \d+ min"))
        host = page.page.get_by_role("region", name="Hosts").locator("tbody tr").first
        await expect(host).to_contain_text("rate limited (http 429), asked again in")
        await served.cancel(crawl)


async def test_one_button_pauses_a_crawl_and_resumes_it(page: Watched, served: Served, site: str) -> None:
    crawl = await served.start(site, "paused", delay=0.3, per_host=1)
    await page.crawl(crawl)
    badge = page.page.locator(".crawl-title .badge")
    await page.button("Pause").click()
    await expect(badge).to_have_text("paused")
    await expect(page.button("Resume")).to_be_focused()
    await page.page.keyboard.press("Enter")
    await expect(badge).to_have_text("running")
    await served.cancel(crawl)


async def test_cancelling_asks_first_and_then_ends_the_crawl(page: Watched, served: Served, site: str) -> None:
    await page.crawl(await served.start(site, "cancelled", delay=0.5, per_host=1))
    badge = page.page.locator(".crawl-title .badge")
    question = page.page.get_by_role("dialog", name="Cancel cancelled?")

    await page.button("Cancel").click()
    await expect(page.button("Keep crawling")).to_be_focused()
    await page.page.keyboard.press("Enter")
    await expect(question).to_have_count(0)
    await expect(badge).to_have_text("running")

    await page.button("Cancel").click()
    await page.button("Cancel the crawl").click()
    await expect(badge).to_have_text("cancelled")
    await expect(page.button("Pause")).to_have_count(0)
    await expect(page.page.locator(".t-queued dd")).to_have_text("0")


async def test_the_list_shows_a_crawl_as_soon_as_it_begins_and_its_end(
    page: Watched, served: Served, site: str
) -> None:
    await page.go()
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Crawls")
    await served.start(site, "seen on the list", delay=0.01)
    row = page.page.get_by_role("listitem").filter(has_text="seen on the list")
    await expect(row.get_by_role("progressbar")).to_be_visible()
    await expect(row.locator(".badge")).to_have_text("finished")
    await row.get_by_role("link").click()
    await expect(page.page.get_by_role("heading", level=1)).to_contain_text("seen on the list")


async def test_seeds_are_added_to_a_running_crawl(page: Watched, served: Served, site: str) -> None:
    page.expected.append("422")
    crawl = await served.start(site, "with more seeds", delay=0.5, per_host=1)
    await page.crawl(crawl)
    await page.button("Add seeds").click()
    field = page.page.get_by_role("dialog").get_by_label("Seeds")
    await field.fill(f"{site}\nftp://no.where/")
    await page.button("Add them").click()
    await expect(page.page.locator("#add-seeds-wrong")).to_contain_text("Line 2")
    await field.fill(f"{site}a-seed-that-is-added")
    await page.button("Add them").click()
    await expect(page.page.get_by_role("dialog")).to_have_count(0)
    await served.cancel(crawl)


async def test_failures_say_what_went_wrong_and_are_looked_at_by_reason(
    page: Watched, served: Served, site: str
) -> None:
    page.expected.append("net::ERR_FAILED")
    # What is recorded is not to be had at first, so the row is the stream's.
    await page.page.route("**/failures?*", lambda route: route.abort())
    await page.crawl(await served.start(f"{site}nowhere", "failing"))
    await page.page.get_by_role("tab", name="Failures").click()
    failure = page.page.get_by_role("region", name="Latest failures").locator("tbody tr")
    await expect(failure).to_contain_text("404 Not Found")
    await page.page.unroute("**/failures?*")
    await page.page.locator(".bar-row", has_text="http 404").click()
    await expect(page.button("reason: http 404 ×")).to_be_focused()
    await expect(failure).to_contain_text("404 Not Found")
    await expect(page.page.get_by_role("tab", name="Failures")).to_have_attribute("aria-selected", "true")
