"""A spider is heard: what it prints and logs."""

from pathlib import Path

from tests.scraper.raw_server import answer, raw_server
from tests.system.commands import penstock

FAST = ("--allow-private",)
HTML = answer(b"<h1>A book</h1>", "Content-Type: text/html")
TALKS = """
import logging
from penstock import Page, Spider
spider = Spider("talks")

@spider.page("/**")
def book(page: Page):
    print("seen", page.text("h1"))
    logging.getLogger("mine").info("price is missing")
    yield {"title": page.text("h1")}
"""


async def test_what_a_spider_prints_and_logs_is_shown_by_inspect_and_at_the_end_of_a_crawl(tmp_path: Path) -> None:
    (tmp_path / "talks.py").write_text(TALKS)
    words = ("--spider", str(tmp_path / "talks.py"), *FAST)
    async with raw_server(HTML) as server:
        looked = await penstock("inspect", f"{server.url}/1", *words)
        data = ("--delay", "0", "--progress", "none", "--data", str(tmp_path / "data"))
        done = await penstock("crawl", f"{server.url}/1", *words, *data)

    assert (looked.status, done.status) == (0, 0)
    assert "seen A book" in looked.err
    assert "INFO mine: price is missing" in looked.err
    assert done.err.splitlines() == [
        "spider: seen A book",
        "spider: INFO mine: price is missing",
        f"spider: what the spider wrote: {tmp_path / 'data' / 'logs' / 'parse.log'}",
    ]
