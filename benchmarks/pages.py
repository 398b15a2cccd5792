"""What the benchmarks of sizes measure with: pages, and the messages that fetcher and parser make of them.

Bodies are the HTML files of a folder, or made up by the simulated web. All that is published or kept is made by the
product's own functions, so that its size is that of a crawl.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from contract.bus.delivery import Delivery
from contract.commands import PageFetch
from contract.crawls import CrawlSpec
from contract.envelope import Envelope, Message, new_message
from contract.pages import Link, PageParsed
from contract.robots import RobotsRecord
from penstock.site import SiteOptions
from penstock.site.graph import Web
from penstock.site.pages import page_body
from scheduler.urls import CanonicalURL, as_hex, canonical, fingerprint
from scraper.fetchers.outcomes import message_of, of_answer, of_robots, outcome_id
from scraper.http.client import Answer
from scraper.parsers import parsed as parsing
from scraper.parsers.frames import Job
from scraper.parsers.reading import Reader
from scraper.robots.verdict import Robots

SPEC = CrawlSpec(name="sizes", scope="any", delay_seconds=0.0, per_host=1_000, obey_robots=False)
LINKS, PAGE_KB, MADE_UP = 80, 37, 200
#: Files taken from a folder: about as large as the pages that the other benchmarks make up, 37 KB on average.
SMALLEST, LARGEST = 25_000, 50_000
STARTED_AT = 1_795_000_000_000
HEADERS = (
    ("Date", "Mon, 23 Nov 2026 12:00:00 GMT"),
    ("Server", "nginx"),
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Encoding", "gzip"),
    ("Last-Modified", "Sun, 22 Nov 2026 08:15:30 GMT"),
    ("ETag", 'W/"6741f2c2-9105"'),
    ("Cache-Control", "max-age=3600, public"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("Set-Cookie", "session=0c1f6e2ab94d4a6f8f0d; Path=/; HttpOnly; Secure; SameSite=Lax"),
)
_REQUEST = "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: text/html,*/*;q=0.8\r\n"
_REQUEST += "Accept-Encoding: gzip, deflate, br, zstd\r\n\r\n"
_reader = Reader()


def add_option(parser: argparse.ArgumentParser) -> None:
    """The option that names a folder of pages."""
    parser.add_argument("--pages", type=Path, help="a folder of HTML files, instead of pages that are made up")


def load(folder: Path | None) -> list[bytes]:
    """Bodies: all HTML files of a fitting size below the folder, or made up if there is none."""
    if folder is None:
        web = Web(SiteOptions(pages=1_000, links=LINKS, page_kb=PAGE_KB, port=80), port=80)
        return [page_body(web, number) for number in range(MADE_UP)]
    files = [path for path in sorted(folder.rglob("*.htm*")) if SMALLEST <= path.stat().st_size <= LARGEST]
    if not files:
        raise SystemExit(f"no HTML file of {SMALLEST} to {LARGEST} bytes below {folder}")
    return [path.read_bytes() for path in files]


def url_of(number: int, hosts: int) -> str:
    """A URL of 72 characters, on one of so many hosts; its own host for each if there are as many."""
    return f"https://www.host-{number % hosts:06}.example/documents/section-{number % 97:02}/page-{number:09}.html"


def job_of(url: str, *, crawl: str) -> Message:
    """The `page.fetch` for a URL, as dispatch words it."""
    place = place_of(url)
    mark = as_hex(fingerprint(place.href))
    payload = PageFetch(url=place.href, host=place.host, fingerprint=mark, depth=1, via=url_of(0, 1))
    return new_message(payload, id=f"{crawl}.{mark}.1", source="scheduler.dispatch", crawl=crawl, subject=url)


def place_of(url: str) -> CanonicalURL:
    """Such a URL taken apart."""
    place = canonical(url)
    assert place is not None, url
    return place


def fetched(cause: Envelope, job: PageFetch, body: bytes) -> tuple[Message, bytes]:
    """What a fetcher says of a page that was answered with this body, and what it keeps of it."""
    place = place_of(job.url)
    request = _REQUEST.format(path=place.path, host=place.hostname, agent=SPEC.user_agent).encode()
    answer = Answer(
        url=job.url, status=200, reason="OK", http_version="1.1", headers=list(HEADERS), body=body, flags=(),
        wire=len(body) // 4, started_at=STARTED_AT, elapsed_ms=123, address="192.0.2.1", request=request,
    )  # fmt: skip
    outcome = of_answer(job, answer, SPEC, event_id=outcome_id(cause), issued_ms=STARTED_AT - 1_000)
    return message_of(cause, outcome.payload, subject=job.url), outcome.body


def parsed(page: Message, kept: bytes, *, links: Sequence[str]) -> Message:
    """What the parser says of that page, by the generic extractor, as if these links were its new ones."""
    result = _reader.read(Job(page.payload.url, kept))
    assert result.error is None, result
    return parsing.message(Delivery("page.fetched", "0-0", b"", 1, page), parsing.read(result, links))


def found(crawl: str, links: Sequence[str]) -> Message:
    """A page that was read before, so that its links are all that counts."""
    url = url_of(0, 1)
    payload = PageParsed(
        url=url, host=place_of(url).host, fingerprint="", depth=0, hops=0, links=tuple(map(Link, links)), again=True
    )
    return new_message(payload, id=f"{crawl}.{links[0]}.found", source="benchmark", crawl=crawl)


def nothing(page: Message) -> Message:
    """What the parser says of a page without links and without items."""
    facts = {name: getattr(page.payload, name) for name in ("url", "host", "fingerprint", "depth", "hops")}
    cause = page.envelope
    return new_message(
        PageParsed(**facts), id=f"{cause.id}.nothing", source="scraper.parse", crawl=cause.crawl, cause=cause
    )


def robots(cause: Envelope, job: PageFetch, text: str) -> tuple[Message, Robots]:
    """What a fetcher says of a host with this robots.txt, and what it shares with the others."""
    said = Robots(record=RobotsRecord(verdict="rules", text=text), status=200, started_at=STARTED_AT)
    return message_of(cause, of_robots(job, said).payload, subject=job.host), said
