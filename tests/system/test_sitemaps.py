"""A crawl that begins at sitemaps fetches what no link leads to."""

import asyncio
import contextlib
import gzip
import json
import re
from pathlib import Path

import pytest

from contract.errors import Refused
from contract.settings import Settings
from penstock.plan import make_plan
from scraper.spider import Spider
from tests.system.commands import penstock

FAST = ("--delay", "0", "--per-host", "4", "--allow-private", "--progress", "none", "--json")
SEEDS = ["http://a.test/start", "http://a.test/other", "https://b.test/"]


def resource(path: str, host: str) -> tuple[bytes, bytes, bytes]:
    """Status, type and body: robots.txt names an index elsewhere, which names a gzip file; there is no /sitemap.xml."""
    pages = "".join(f"<url><loc>http://{host}/only/{n}</loc></url>" for n in range(5))
    index = b"<sitemapindex><sitemap><loc>1.xml.gz</loc></sitemap></sitemapindex>"
    found = {
        "/robots.txt": (b"text/plain", f"User-agent: *\nSitemap: http://{host}/maps/index.xml\n".encode()),
        "/maps/index.xml": (b"text/xml", index),
        "/maps/1.xml.gz": (b"application/gzip", gzip.compress(f"<urlset>{pages}</urlset>".encode())),
        "/": (b"text/html", b"<p>No link here.</p>"),
        **{f"/only/{n}": (b"text/html", b"<p>Only in the sitemap.</p>") for n in range(5)},
    }
    return (b"200 OK", *found[path]) if path in found else (b"404 Not Found", b"text/plain", b"none")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            host = re.search(rb"(?im)^host: *(\S+)", head)[1].decode()
            status, kind, body = resource(head.split(b" ")[1].decode(), host)
            lines = (b"HTTP/1.1 " + status, b"Content-Type: " + kind, b"Content-Length: %d" % len(body), b"", body)
            writer.write(b"\r\n".join(lines))
            await writer.drain()
    writer.close()


async def test_pages_that_only_a_sitemap_names_are_fetched(tmp_path: Path) -> None:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        root = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        words = (f"{root}/", *FAST, "--data", str(tmp_path))
        without = await penstock("crawl", *words, "--name", "without")
        done = await penstock("crawl", *words, "--name", "with", "--sitemaps")
        rows = await penstock("export", "pages", "--crawl", "with", "--data", str(tmp_path), "--format", "jsonl")

    assert without.json["fetched"] == 1
    found = [json.loads(line) for line in rows.out.splitlines()]
    fetched = {row["url"].removeprefix(root) for row in found if row["outcome"] == "fetched"}
    assert fetched == {"/", "/robots.txt", "/maps/index.xml", "/maps/1.xml.gz", *(f"/only/{n}" for n in range(5))}
    assert (done.json["failed"], done.json["items"]) == (1, 6)


def test_sitemaps_of_the_seeds_hosts_are_seeds_too():
    found = make_plan(Settings(sitemaps=True), SEEDS).seeds

    assert found[3:] == tuple(
        f"{host}{path}" for host in ("http://a.test", "https://b.test") for path in ("/robots.txt", "/sitemap.xml")
    )


def test_a_spider_begins_at_sitemaps_that_it_names_and_needs_no_other_seed():
    spider = Spider("books", sitemaps=["http://a.test/books.xml"])

    assert make_plan(Settings(), [], spider=spider).seeds == ("http://a.test/books.xml",)
    with pytest.raises(Refused, match="has a sitemap that is not a URL"):
        make_plan(Settings(), [], spider=Spider("books", sitemaps=["books.xml"]))
