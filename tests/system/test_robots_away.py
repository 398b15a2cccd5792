"""A robots.txt that cannot be had for a while costs time and no page."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from contract.bus import Bus
from penstock.cluster.folder import DataFolder
from penstock.site import SiteOptions, expected, judge, running_site
from penstock.site.robots import rules
from tests.system.commands import penstock, rows, running, until

WORDS = ("--per-host", "1", "--allow-private")
PAGES = 40


async def test_a_host_that_is_away_when_the_crawl_begins_is_waited_for(tmp_path: Path) -> None:
    """503 the first three times that it is asked for its robots.txt."""
    options = SiteOptions(pages=30, robots="recovers")
    async with running_site(options) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", "0", "--data", str(tmp_path), "--progress", "plain")
        done = await penstock(*words, "--json")
        truth = {url for url, page in expected(site.web).items() if page.allowed and page.status < 400}
    assert done.status == 0, done
    assert {row["url"] for row in await rows("pages", tmp_path) if row["outcome"] == "fetched"} == truth
    assert not [row for row in await rows("failures", tmp_path) if row["reason"] == "robots_unreachable"]
    assert "waits for robots.txt" in done.err
    assert "http_503" in done.err


async def test_a_host_whose_robots_txt_stays_away_is_given_up_after_the_patience_of_the_crawl(tmp_path: Path) -> None:
    async with running_site(SiteOptions(pages=10, robots="500")) as site:
        words = ("crawl", site.root_url, *WORDS, "--robots-patience", "1", "--data", str(tmp_path), "--json")
        done = await penstock(*words, "--progress", "none")
    assert done.status == 1, done
    assert (done.json["fetched"], done.json["failed"]) == (0, 1)
    [row] = await rows("failures", tmp_path)
    assert row["reason"] == "robots_unreachable"
    assert "http_500" in row["detail"]


async def test_a_host_that_is_away_in_mid_crawl_is_waited_for(tmp_path: Path) -> None:
    with chain() as site:
        words = ("crawl", site.url, *WORDS, "--delay", "0.02", "--data", str(tmp_path), "--progress", "none", "--json")
        async with running(*words) as process:
            await until(lambda: len(site.asked) > 10)
            site.is_away = True
            address = DataFolder(tmp_path).read_address()
            assert address is not None
            async with Bus.open(address.redis_url) as bus:  # what was known of it is a day old
                await bus.redis.delete(bus.keys.robots(site.url.rstrip("/")))
                await bus.redis.hset(bus.keys.host(site.url.rstrip("/")), "robots_until", 1)
            await until(lambda: site.refused >= 2)
            site.is_away = False
            assert await process.wait() == 0
    found = await rows("pages", tmp_path)
    assert [row["outcome"] for row in found] == ["fetched"] * PAGES
    assert {row["attempts"] for row in found} == {1}


async def test_each_robots_txt_is_kept_in_the_archive_as_it_came(tmp_path: Path) -> None:
    async with running_site(SiteOptions(hosts=2, pages=4)) as site:
        words = ("crawl", site.root_url, "--scope", "any", "--allow-private", "--delay", "0", "--data", str(tmp_path))
        done = await penstock(*words, "--progress", "none")
        truth = {f"http://{host}/robots.txt": rules(site.web, host=host) for host in judge(site.log.records)}
    assert done.status == 0, done
    out = tmp_path / "all.warc.gz"
    done = await penstock("export", "warc", "--data", str(tmp_path), "--output", str(out))
    assert done.status == 0, done
    with out.open("rb") as stream:
        found = {
            record.rec_headers["WARC-Target-URI"]: record.content_stream().read()
            for record in ArchiveIterator(stream)
            if record.rec_type == "response" and record.rec_headers["WARC-Target-URI"].endswith("/robots.txt")
        }
    assert found == truth


class Chain(ThreadingHTTPServer):
    """A host without rules, each page of which leads to the next; while it is away, it has no robots.txt to give."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[str] = []
        self.is_away, self.refused = False, 0
        self.url = f"http://127.0.0.1:{self.server_port}/"


class _Answers(BaseHTTPRequestHandler):
    server: Chain

    def do_GET(self) -> None:
        number = int(self.path[1:] or 0) if self.path != "/robots.txt" else None
        if number is not None:
            self.server.asked.append(self.path)
            link = f'<a href="/{number + 1}">on</a>' if number + 1 < PAGES else ""
            return self._answer(200, f"<title>{number}</title>{link}")
        self.server.refused += self.server.is_away
        self._answer(503 if self.server.is_away else 404, "")

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *_: object) -> None:
        return None


@contextlib.contextmanager
def chain() -> Iterator[Chain]:
    """The site, for the length of a `with` block."""
    with Chain() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
