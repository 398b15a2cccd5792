"""A made-up web, made from a seed: a few hosts whose pages link to one another, and what each answers, how, and when.

Takes requests of real fetchers in place of their HTTP client; gives real answers, whose bodies say which URL they are
of. Owns the log of requests, which is what politeness is judged by, in the story's own time: nobody can set that clock.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from scraper.errors import ConnectRefused
from scraper.http.client import Answer
from scraper.http.exchange import at_once
from scraper.parsers.frames import Job, Result

#: What a host's robots.txt allows nobody.
PRIVATE = "/private/"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a URL answers in the end; before that, `trouble` statuses one by one, with `retry_after` seconds if any."""

    status: int = 200
    links: tuple[str, ...] = ()
    to: str | None = None
    trouble: tuple[int, ...] = ()
    retry_after: int = 0
    seconds: float = 0.02


class Host(msgspec.Struct, kw_only=True):
    """A host's robots.txt, and since when and until when it answers nothing but 503, or nothing at all."""

    robots: str | None = None
    crawl_delay: float = 0.0
    away_until: float = 0.0
    robots_away_until: float = 0.0


class Request(msgspec.Struct, kw_only=True):
    """One request, by the story's time; `ended_at` is None while it is open, or was broken off."""

    url: str
    host: str
    crawl: str
    started_at: float
    ended_at: float | None = None
    is_open: bool = True
    status: int = 0
    retry_after: int = 0

    @property
    def is_robots(self) -> bool:
        """Whether it is for a robots.txt."""
        return self.url.endswith("/robots.txt")


class Web:
    """Hosts and pages by URL."""

    def __init__(self, hosts: dict[str, Host], pages: dict[str, Page]) -> None:
        self.hosts, self.pages = hosts, pages
        self.requests: list[Request] = []
        self.asked: Counter[str] = Counter()
        self.on_request: Callable[[Request], None] = lambda request: None
        self.on_answer: Callable[[Request], None] = lambda request: None

    def rules(self, host: str) -> str:
        """The text of a host's robots.txt."""
        found = self.hosts[host]
        delay = f"Crawl-delay: {found.crawl_delay}\n" if found.crawl_delay else ""
        return f"User-agent: *\n{delay}Disallow: {PRIVATE}\n"

    async def ask(self, url: str, crawl: str) -> tuple[int, str | None, int, bytes, Request]:
        """Status, Location, Retry-After and body; raises `ConnectRefused` where the host is away."""
        host = host_of(url)
        request = Request(url=url, host=host, crawl=crawl, started_at=_now())
        self.requests.append(request)
        self.asked[url] += 1
        self.on_request(request)
        try:
            return await self._answer(url, self.hosts[host], request)
        finally:
            request.is_open = False

    async def _answer(self, url: str, host: Host, request: Request) -> tuple[int, str | None, int, bytes, Request]:
        page = self.pages.get(url, Page(status=404))
        is_robots = request.is_robots
        await asyncio.sleep(0.02 if is_robots else page.seconds)
        request.ended_at = _now()
        if _now() < host.away_until:
            raise ConnectRefused("nobody listens")
        status, to, wait = page.status, page.to, 0
        if is_robots:
            status = 503 if _now() < host.robots_away_until else 404 if host.robots is None else 200
            to = None
        elif self.asked[url] <= len(page.trouble):
            status, to, wait = page.trouble[self.asked[url] - 1], None, page.retry_after
        request.status, request.retry_after = status, wait
        self.on_answer(request)
        body = self.rules(request.host).encode() if is_robots else body_of(url)
        return status, to, wait, body if status < 400 else b"", request


class Client:
    """Stands where a fetcher's HTTP client stands."""

    def __init__(self, web: Web) -> None:
        self.web = web

    async def get(
        self,
        url: str,
        *,
        user_agent: str,
        before_send: Callable[[], Awaitable[None]] = at_once,
        **_: Any,
    ) -> Answer:
        """A GET on the made-up web."""
        await before_send()
        started_at, began = int(time.time() * 1000), _now()
        try:
            status, to, wait, body, _request = await self.web.ask(url, user_agent)
        except ConnectRefused as error:
            raise error.at(started_at, 20, asked=True) from None
        headers = [("Content-Type", "text/html")]
        headers += [("Location", to)] if to else []
        headers += [("Retry-After", str(wait))] if wait else []
        return Answer(
            url=url, status=status, reason="", http_version="1.1", headers=headers, body=body, wire=len(body),
            flags=(), started_at=started_at, elapsed_ms=round((_now() - began) * 1000), address="203.0.113.1",
        )  # fmt: skip


class Readers:
    """Stands where a parser's children stand: says which links a page has."""

    size = 2

    def __init__(self, web: Web) -> None:
        self.web = web

    def submit(self, job: Job) -> asyncio.Future[Result]:
        """The links of a page, at once; raises for a body that is another page's."""
        future = asyncio.get_running_loop().create_future()
        page = self.web.pages[job.url]
        future.set_result(Result(links=page.links, links_found=len(page.links)))
        return future


def body_of(url: str) -> bytes:
    """A body that no other URL has."""
    return f"<title>{url}</title>".encode()


def host_of(url: str) -> str:
    """The host key of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _now() -> float:
    return asyncio.get_running_loop().time()


# -- made from a seed


def make_web(chance: random.Random, *, hosts: int, pages: int) -> Web:
    """Hosts `http://h0.test`, … each with about so many pages that can be reached from `/`, and some islands."""
    found = Web({}, {})
    for number in range(hosts):
        name = f"http://h{number}.test"
        found.hosts[name] = Host(
            robots=chance.choice([None, "rules", "rules"]), crawl_delay=chance.choice([0.0, 0.0, 0.5, 2.0])
        )
        _add_pages(found, name, chance, pages)
    return found


def _add_pages(web: Web, host: str, chance: random.Random, count: int) -> None:
    urls = [f"{host}/", *(f"{host}{_folder(chance)}{n}" for n in range(1, count))]
    links: dict[str, list[str]] = {url: [] for url in urls}
    for at, url in enumerate(urls[1:], 1):
        links[urls[chance.randrange(at)]].append(url)  # so that each can be reached
    for _ in range(count):
        links[chance.choice(urls)].append(chance.choice(urls))
    for at, url in enumerate(urls):
        web.pages[url] = _page(chance, url, tuple(links[url]), is_root=at == 0)
    for name in ("/island1", "/island2", "/island3"):
        web.pages[f"{host}{name}"] = Page(links=(f"{host}/",))
    for name in ("/alone1", "/alone2"):
        web.pages[f"{host}{name}"] = Page()


def _folder(chance: random.Random) -> str:
    return PRIVATE if chance.random() < 0.1 else "/p"


def _page(chance: random.Random, url: str, links: tuple[str, ...], *, is_root: bool) -> Page:
    kind = 1.0 if is_root else chance.random()
    if kind < 0.05:
        return Page(status=404)
    if kind < 0.12 and links and links[0] != url:
        return Page(status=301, to=links[0], links=links[:1])
    if kind < 0.2:
        return Page(links=links, trouble=(503,) * chance.randrange(1, 3))
    if kind < 0.27:
        return Page(links=links, trouble=(429,), retry_after=chance.choice([3, 20]))
    return Page(links=links, seconds=chance.choice([0.02, 0.02, 0.3, 3.0]))
