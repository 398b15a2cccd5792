"""`penstock reparse`: another extractor over what a crawl has fetched, while the site is left in peace."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from contract.settings import Settings
from penstock.site import SiteOptions, expected, judge, running_site
from storage import batch
from storage.archive.segments.files import FileArchive
from storage.read_models import queries
from storage.sql.database import open_database
from tests import builders
from tests.storage.helpers import arrival, contents
from tests.system.commands import penstock, running, until

FAST = ("--delay", "0", "--per-host", "16", "--allow-private", "--progress", "none")
URLS = [f"http://site.test/{number}" for number in range(12)]
#: A spider; each change of its text is another version.
SPIDER = """
import os, time
from scraper import Spider
spider = Spider("titles")

@spider.page("/**")
def title(page):
    %s
    yield {"title": page.title}
"""


def spider(folder: Path, does: str = "pass") -> str:
    """The path of a spider whose function does this before it gives an item."""
    file = folder / "titles.py"
    file.write_text(SPIDER % does)
    return str(file)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a finished crawl named `site`: a seed, its pages, and a redirect, parsed by version 1."""
    messages = [builders.crawl_started(URLS[0])]
    messages += [builders.page_fetched(url, id=f"{url}.out") for url in URLS]
    messages += [builders.page_parsed(url) for url in URLS]
    redirect = builders.page_fetched("http://site.test/old", status=301, location=URLS[0])
    messages += [redirect, builders.crawl_finished(fetched=len(URLS) + 1)]
    record(tmp_path / "data", messages)
    return tmp_path / "data"


def record(data: Path, messages: list[Any], *, lost: str = "") -> None:
    """Record messages as a recorder does; the body of the URL `lost` was gone before."""
    engine = open_database(Settings(data=str(data)))
    arrivals = []
    for message in messages:
        is_lost = message.payload.TYPE == "page.fetched" and message.payload.url == lost
        arrivals.append(arrival(message, b"" if is_lost else None))
    with FileArchive(data / "archive", engine) as archive:
        batch.write(engine, archive, arrivals)
    engine.dispose()


async def reparse(data: Path, *words: str) -> dict[str, Any]:
    """What the command says of itself; it must have gone well."""
    done = await penstock("reparse", "site", "--data", str(data), "--json", *words)
    assert done.status == 0, done
    return done.json


def items(data: Path, *, all_versions: bool = False) -> list[dict[str, Any]]:
    """What `penstock export items` has rows of."""
    return _rows(data, lambda engine: queries.items(engine, all_versions=all_versions))


def pages(data: Path) -> list[dict[str, Any]]:
    """What `penstock export pages` has rows of."""
    return _rows(data, queries.pages)


def _rows(data: Path, ask: Callable[[Engine], Iterable[dict[str, Any]]]) -> list[dict[str, Any]]:
    engine = open_database(Settings(data=str(data)))
    try:
        return list(ask(engine))
    finally:
        engine.dispose()


async def test_every_page_has_items_of_the_other_spider_and_the_site_was_not_asked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running_site(SiteOptions(pages=20)) as site:
        crawled = await penstock("crawl", site.root_url, "--name", "site", *FAST, "--data", str(data), "--json")
        assert crawled.status == 0, crawled
        asked = len(site.log.records)
        by_crawl, before = items(data), pages(data)

        came = await reparse(data, "--spider", spider(tmp_path))

        assert len(site.log.records) == asked
    found = items(data)
    assert {(item["spider"], item["spider_version"]) for item in found} == {("titles", came["spider_version"])}
    titles = {page["url"]: page["title"] for page in before}
    assert {item["url"]: item["data"] for item in found} == {
        item["url"]: {"title": titles[item["url"]]} for item in found
    }
    assert len(found) == came["items"] == came["parsed"] >= len(by_crawl)
    assert came["pages"] == crawled.json["fetched"] == came["parsed"] + came["redirects"]
    every = items(data, all_versions=True)
    assert [item for item in every if item["spider"] == "generic"] == by_crawl
    assert pages(data) == before


async def test_a_changed_spider_parses_all_anew_and_the_same_again_adds_nothing(data: Path, tmp_path: Path) -> None:
    first = await reparse(data, "--spider", spider(tmp_path))
    changed = await reparse(data, "--spider", spider(tmp_path, "'changed'"))
    back = await reparse(data, "--spider", spider(tmp_path))

    assert (first["parsed"], first["redirects"]) == (len(URLS), 1)
    assert (changed["parsed"], changed["already_parsed"]) == (len(URLS), 0)
    assert (back["parsed"], back["already_parsed"], back["superseded"]) == (0, len(URLS), len(URLS))
    assert len(items(data, all_versions=True)) == 3 * len(URLS)  # one of them by the crawl itself
    assert {item["spider_version"] for item in items(data)} == {changed["spider_version"]}


async def test_the_links_of_a_crawl_stay_counted_and_are_counted_where_they_were_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    body = b"<a href=/1>1</a><a href=/2>2</a>"
    engine = open_database(Settings(data=str(data)))
    with FileArchive(data / "archive", engine) as archive:
        fetched = [arrival(builders.page_fetched(url), builders.warc_member(url, body)) for url in URLS[3:5]]
        others = [builders.crawl_started(URLS[0]), builders.page_parsed(URLS[3], links_found=80, links_left_out=7)]
        batch.write(engine, archive, [*fetched, *map(arrival, [*others, builders.crawl_finished(fetched=2)])])
    engine.dispose()

    await reparse(data, "--spider", spider(tmp_path, "page.follow('/asked-for')"))

    rows = _rows(data, lambda engine: contents(engine)["pages"])
    counts = {row["url"]: (row["links_found"], row["links_left_out"]) for row in rows}
    assert counts == {URLS[3]: (80, 7), URLS[4]: (3, 0)}


async def test_a_lost_body_and_a_page_that_kills_its_parser_are_named_and_keep_their_items(tmp_path: Path) -> None:
    data, other = tmp_path / "data", "http://site.test/lost"
    messages = [builders.crawl_started(URLS[0]), *map(builders.page_fetched, [*URLS, other])]
    messages += [builders.page_parsed(url) for url in [*URLS, other]]
    record(data, [*messages, builders.crawl_finished(fetched=len(URLS) + 1)], lost=other)
    file = spider(tmp_path, "page.url.endswith('/3') and os._exit(3); page.url.endswith('/4') and 1 / 0")

    done = await penstock("reparse", "site", "--data", str(data), "--spider", file)

    assert done.status == 0, done
    assert f"site: {len(URLS) - 2} pages parsed by titles" in done.out
    assert "1 whose body is lost" in done.out
    assert f"  {other}: body_lost it was gone before it could be recorded" in done.out
    assert f"  {URLS[3]}: parser_crashed" in done.out
    assert f"  {URLS[4]}: extractor_failed ZeroDivisionError" in done.out
    versions = {item["url"]: item["spider"] for item in items(data)}
    assert (versions[other], versions[URLS[3]], versions[URLS[5]]) == ("generic", "generic", "titles")
    assert versions[URLS[4]] == "generic"


async def test_what_is_parsed_at_ctrl_c_stays_and_the_next_run_does_the_rest(data: Path, tmp_path: Path) -> None:
    gate, reached = tmp_path / "gate", tmp_path / "reached"
    wait = f"os.path.exists({str(gate)!r}) or (time.sleep(.3), open({str(reached)!r}, 'w'), time.sleep(9))"
    file = spider(tmp_path, f"page.url.endswith('/6') and ({wait})")
    async with running("reparse", "site", "--data", str(data), "--spider", file, "--parsers", "1") as process:
        await until(reached.exists)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
    gate.touch()

    rest = await reparse(data, "--spider", file)

    assert (rest["already_parsed"], rest["parsed"]) == (6, len(URLS) - 6)
    assert len(items(data)) == len(URLS)


@pytest.mark.soak
async def test_a_crawl_that_goes_on_is_not_disturbed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running_site(SiteOptions(pages=100, latency_ms=30)) as site:
        words = ("crawl", site.root_url, "--name", "site", *FAST, "--data", str(data), "--json")
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 40)
            some = await reparse(data, "--spider", spider(tmp_path))
            assert await process.wait() == 0
        rest = await reparse(data, "--spider", spider(tmp_path))
        truth = expected(site.web)
        assert all(report.refetched == {} for report in judge(site.log.records).values())
    fetched = [row for row in pages(data) if row["outcome"] == "fetched"]
    assert {row["url"] for row in fetched} == {url for url, p in truth.items() if p.allowed and p.status < 400}
    assert some["parsed"] > 0
    assert some["parsed"] + rest["parsed"] + rest["redirects"] == len(fetched)


async def test_pages_that_a_running_crawl_has_yet_to_parse_are_left_to_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    record(data, [builders.crawl_started(URLS[0]), *map(builders.page_fetched, URLS), builders.page_parsed(URLS[0])])

    came = await reparse(data, "--spider", spider(tmp_path))

    assert (came["parsed"], came["waiting"]) == (1, len(URLS) - 1)


async def test_without_a_spider_it_is_the_one_of_the_crawl(tmp_path: Path) -> None:
    data, file = tmp_path / "data", spider(tmp_path)
    record(data, [builders.crawl_started(URLS[0], spider=file), builders.page_fetched(URLS[0]),
                  builders.crawl_finished(fetched=1)])  # fmt: skip

    assert (await reparse(data))["spider"] == "titles"
    Path(file).unlink()
    gone = await penstock("reparse", "site", "--data", str(data))

    assert (gone.status, gone.err.count("\n")) == (2, 1), gone
    assert f"no such spider file: {file}; the crawl was made with it, name another with --spider" in gone.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["site", "--spider", "none.py"], "no such spider file: none.py"),
        (["none"], "no crawl 'none' in"),
    ],
)
async def test_what_is_not_there_is_one_line(data: Path, words: list[str], says: str) -> None:
    done = await penstock("reparse", *words, "--data", str(data))

    assert (done.status, done.out, done.err.count("\n"), says in done.err) == (2, "", 1, True), done
