"""Every answer is kept: what came with 4xx and 5xx lies in the archive, and a spider that asks for it reads it."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

from tests.scraper.raw_server import RawServer, answer, raw_server
from tests.system.commands import penstock, rows

FAST = ("--delay", "0", "--allow-private", "--progress", "none", "--ignore-robots")
SPIDER = """
from penstock import Page, Spider
spider = Spider("kept")

@spider.page("/**", status="404")
def missing(page: Page):
    yield {"status": page.status, "says": page.text("h1")}

@spider.page("/**", status="5xx")
def broken(page: Page):
    yield page.follow(css="a")
"""
ANSWERS = {
    "/": answer(b"<a href=/gone>1</a><a href=/out>2</a>"),
    "/gone": answer(b"<h1>No such book</h1><a href=/never>x</a>", status="404 Not Found"),
    "/out": answer(b"<h1>Broken</h1><a href=/status>x</a>", status="501 Not Implemented"),
    "/status": answer(b"<h1>Back soon</h1>"),
}


@contextlib.asynccontextmanager
async def site() -> AsyncIterator[RawServer]:
    """A server of these pages."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(ANSWERS[server.requests[-1].split()[1].decode()])
            await writer.drain()
            server.requests.append(await reader.readuntil(b"\r\n\r\n"))

    async with raw_server(script) as server:
        yield server


async def test_what_came_with_an_error_is_archived_and_read_by_who_asks_for_it_later(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text(SPIDER)
    data = ("--data", str(tmp_path / "data"))
    async with site() as server:
        done = await penstock("crawl", f"{server.url}/", "--name", "site", *FAST, *data)
    assert done.status == 0, done
    failed = await rows("failures", tmp_path / "data")
    assert sorted(row["reason"] for row in failed) == ["http_404", "http_501"]

    exported = await penstock("export", "warc", *data, "-o", str(tmp_path / "all.warc.gz"))
    assert exported.status == 0, exported
    archive = gzip.decompress((tmp_path / "all.warc.gz").read_bytes())
    assert b"<h1>No such book</h1>" in archive
    assert b"<h1>Broken</h1>" in archive

    again = await penstock("reparse", "site", "--spider", str(tmp_path / "kept.py"), *data, "--json")
    assert again.status == 0, again
    assert await items(tmp_path / "data") == [{"status": 404, "says": "No such book"}]


async def test_a_spider_gets_the_answers_that_it_asks_for_and_their_links_only_if_it_wants_them(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text(SPIDER)
    async with site() as server:
        done = await penstock(
            "crawl", f"{server.url}/", *FAST, "--data", str(tmp_path / "data"), "--spider", str(tmp_path / "kept.py")
        )
        pages = await rows("pages", tmp_path / "data")
    assert done.status == 0, done
    assert {row["url"].removeprefix(server.url): (row["outcome"], row["status"]) for row in pages} == {
        "/": ("fetched", 200),
        "/gone": ("fetched", 404),
        "/out": ("fetched", 501),
        "/status": ("fetched", 200),
    }
    assert await items(tmp_path / "data") == [{"status": 404, "says": "No such book"}]


async def items(data: Path) -> list[object]:
    """The data of all items that stand."""
    return [row["data"] for row in await rows("items", data)]
