"""`penstock inspect`: one page as a person would like to read it, and nothing stored."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from penstock.site import PageTruth, RunningSite, SiteOptions, expected, running_site
from penstock.view.inspected import MOST_LINKS
from tests.system.commands import Done, penstock

SPIDER = """
from scraper import Spider
spider = Spider("titles")

@spider.page("/**")
def any_page(page):
    yield {"title": page.title, "words": ["one", "two"], "nothing": "", "long": "weir " * 1000}
"""


@pytest_asyncio.fixture
async def site() -> AsyncIterator[RunningSite]:
    async with running_site(SiteOptions(pages=30)) as running:
        yield running


async def inspect(*words: str) -> Done:
    return await penstock("inspect", *words, "--allow-private", PENSTOCK_DEADLINE_SECONDS="1")


def shown(done: Done) -> dict[str, str]:
    """The lines that begin with a name, by that name."""
    return dict(re.findall(r"^([a-z][a-z. ]{0,11}?)  +(\S.*)$", done.out, re.MULTILINE))


async def test_a_page_is_shown_with_its_answer_its_items_and_its_links(site: RunningSite) -> None:
    truth = expected(site.web)[site.root_url]
    done = await inspect(site.root_url)
    lines = shown(done)

    assert (done.status, done.err) == (0, "")
    assert (lines["url"], lines["robots.txt"], lines["answer"]) == (site.root_url, "allows this page", "200 OK")
    assert lines["size"].startswith(f"{truth.size:,} bytes, ")
    assert (lines["title"], lines["items"]) == (truth.title, "1")
    links = dict.fromkeys(link for link in truth.links if link != site.root_url)
    assert lines["links"] == str(len(links))
    assert re.findall(r"^  (http\S+)$", done.out, re.MULTILINE) == list(links)[:MOST_LINKS]


async def test_nothing_is_stored(site: RunningSite, tmp_path: Path) -> None:
    await penstock("inspect", site.root_url, PENSTOCK_ALLOW_PRIVATE="1", PENSTOCK_DATA=str(tmp_path / "data"))

    assert list(tmp_path.iterdir()) == []


async def test_a_spider_shows_what_it_would_extract(site: RunningSite, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SPIDER)
    done = await inspect(site.root_url, "--spider", str(tmp_path / "mine.py"))

    assert shown(done)["parsed by"].startswith("titles ")
    assert "\n    words: one · two\n" in done.out
    assert "… (4,999 characters)\n" in done.out
    assert "\n    nothing in nothing\n" in done.out


async def test_a_spider_of_which_no_function_is_for_the_page_says_so_with_its_patterns(
    site: RunningSite, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(SPIDER.replace("/**", "/bok/*"))
    data = ("--data", str(tmp_path / "data"), "--delay", "0", "--progress", "none", "--max-pages", "2")
    for words in (("inspect",), ("crawl", *data, "--json")):
        for pattern, misses in (("/bok/*", True), ("/**", False)):
            (tmp_path / "mine.py").write_text(SPIDER.replace("/**", pattern))
            done = await penstock(
                *(words[0], site.root_url, *words[1:], "--spider", str(tmp_path / "mine.py"), "--allow-private"),
                **({} if words[0] == "crawl" else {"PENSTOCK_DEADLINE_SECONDS": "1"}),
            )
            told = f"{done.out} {done.err}"
            assert done.status == 0, done
            assert ("no function of the spider is for " in told, f"its patterns are {pattern}" in told) == (misses,) * 2
            if words[0] == "crawl":
                assert done.json["missed"] == ([pattern] if misses else [])


async def test_an_extractor_that_fails_is_said_with_its_line_and_status_1(site: RunningSite, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SPIDER + "    raise RuntimeError('no price')\n")
    done = await inspect(site.root_url, "--spider", str(tmp_path / "mine.py"))

    assert (done.status, shown(done)["items"]) == (1, "0")
    assert shown(done)["error"] == "extractor_failed: RuntimeError: no price (mine.py:8)"
    assert "those that came before are dropped" in done.out


async def test_a_page_that_cannot_be_had_is_said_with_its_reason_and_status_1(site: RunningSite) -> None:
    truth = expected(site.web)
    missing, private = _first(truth, status=404), _first(truth, allowed=False)
    gone, forbidden, closed = await asyncio.gather(
        inspect(missing), inspect(private), inspect(f"{site.root_url}hostile/closed_at_once")
    )

    assert (gone.status, shown(gone)["failed"]) == (1, "http_404: 404 Not Found")
    assert (forbidden.status, shown(forbidden)["robots.txt"]) == (1, "disallows this page")
    assert shown(forbidden)["excluded"].startswith("robots: ")
    assert shown(closed)["failed"].startswith("protocol_error: ")
    assert "a crawl would try again later" in closed.out
    assert "a crawl would try again later" not in gone.out
    assert private not in {f"http://{record.host}{record.path}" for record in site.log.records}


def _first(truth: dict[str, PageTruth], *, status: int = 200, allowed: bool = True) -> str:
    return next(url for url, page in truth.items() if page.status == status and page.allowed == allowed)


async def test_a_redirect_is_shown_and_not_followed(site: RunningSite) -> None:
    url, page = next((url, page) for url, page in expected(site.web).items() if page.location and page.allowed)
    done = await inspect(url)

    assert (done.status, shown(done)["leads to"]) == (0, page.location)
    assert "title" not in shown(done)
    assert [record.path for record in site.log.records] == ["/robots.txt", f"/{url.removeprefix(site.root_url)}"]


async def test_what_a_page_says_cannot_take_the_terminal_over(site: RunningSite) -> None:
    escapes, markup = await asyncio.gather(
        inspect(f"{site.root_url}hostile/title_escape"), inspect(f"{site.root_url}hostile/title_markup")
    )

    assert shown(escapes)["title"] == r"\x1b]0;taken over\x07\x1b[31mred\x1b[2J"
    assert "\x1b" not in escapes.out
    assert shown(markup)["title"] == "[red]not red[/red] [link=file:///etc/passwd]x[/link]"


async def test_a_page_without_text_and_a_host_that_is_down_are_no_traceback(site: RunningSite) -> None:
    image, down = await asyncio.gather(inspect(f"{site.root_url}hostile/image"), inspect("http://127.0.0.1:1/"))

    assert (image.status, shown(image)["type"], shown(image)["items"]) == (0, "image/png", "0")
    assert (down.status, down.err) == (1, "")
    assert (
        shown(down)["failed"] == "robots_unreachable: robots.txt could not be had: connect_refused: Connection refused"
    )
