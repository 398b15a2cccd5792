"""What a mended spider asks for and its crawl never came to is counted, named and fetched."""

from __future__ import annotations

from pathlib import Path

from penstock.site import SiteOptions, running_site
from tests.system.commands import penstock

FAST = ("--delay", "0", "--per-host", "16", "--allow-private", "--progress", "none")
#: Whoever asks for all links of a page that is no seed raises, until that is mended.
SPIDER = """
from scraper import Spider
spider = Spider("titles", follow=False)

@spider.page("/**")
def title(page):
    if page.url == %r or %s:
        for href in page.attrs("a", "href"):
            page.follow(href)
    yield {"title": page.title}
"""


async def crawled(folder: Path, root: str) -> tuple[Path, str]:
    """The data folder of a crawl whose spider asks for the links of its seed alone, and the spider, mended since."""
    file, data = folder / "titles.py", folder / "data"
    file.write_text(SPIDER % (root, False))
    done = await penstock("crawl", root, "--spider", str(file), "--name", "site", *FAST, "--data", str(data), "--json")
    assert done.status == 0, done
    file.write_text(SPIDER % (root, True))
    return data, str(file)


async def test_links_that_were_never_fetched_are_counted_and_the_command_is_named(tmp_path: Path) -> None:
    async with running_site(SiteOptions(pages=60, links=4)) as site:
        data, spider = await crawled(tmp_path, site.root_url)
        asked = len(site.log.records)
        first = await penstock("reparse", "site", "--spider", spider, "--data", str(data))
        again = await penstock("reparse", "site", "--spider", spider, "--data", str(data), "--json")
        assert len(site.log.records) == asked

    [kept] = (data / "missing").iterdir()
    assert again.json["missing"] == len(set(kept.read_text().splitlines())) > 0
    assert again.json["parsed"] == 0  # what is missing is known though no page is parsed again
    [line] = [line for line in first.out.splitlines() if "never fetched" in line]
    assert line.startswith(f"{again.json['missing']:,} links")
    assert line.endswith(f"penstock reparse site --spider {spider} --data {data} --fetch-missing")


async def test_they_are_fetched_each_once_by_a_crawl_that_fetches_no_more(tmp_path: Path) -> None:
    async with running_site(SiteOptions(pages=60, links=4)) as site:
        data, spider = await crawled(tmp_path, site.root_url)
        asked = {record.path for record in site.log.records}
        words = ("reparse", "site", "--data", str(data), "--spider", spider)
        await penstock(*words)
        [kept] = (data / "missing").iterdir()
        missing = {url.removeprefix(site.root_url.rstrip("/")) for url in kept.read_text().splitlines()}
        done = await penstock(*words, "--fetch-missing", PENSTOCK_PROGRESS="none", PENSTOCK_ALLOW_PRIVATE="1")
        assert done.status == 0, done
        came = {record.path for record in site.log.records} - asked
        listed = await penstock("crawls", "--data", str(data), "--json")
        rest = await penstock("reparse", "site", "--spider", spider, "--data", str(data), "--json")

    assert missing <= came
    assert len(came) <= len(missing) + 3  # where some of them redirect to
    assert "site-missing" in listed.out
    assert not kept.exists()
    assert rest.json["missing"] == 0
