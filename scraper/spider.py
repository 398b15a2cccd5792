"""`Spider`: how a user says what to extract.

A spider has a name, seeds, how its crawl behaves (whatever is None is left to the command line), and functions for
pages whose URL fits a pattern. A function is pure: it takes a `Page` and yields (or returns) objects, each an item
whose type is the function's name, and `page.follow(...)`.

Patterns: `*` stands for anything but `/`, `**` for anything at all, every other character for itself. A pattern that
begins with `/` is held against the URL's path, and against path and query if it has a `?` in it; one that begins with
`http` against the whole URL. It must fit from beginning to end. All functions that fit are called, in their order,
each once.
"""

import contextlib
import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from contract.crawls import FIELDS
from scraper.items import Given, checked
from scraper.page import Page
from scraper.page_patterns import PAGE, compiled_pattern, compiled_status, has_status, path_and_query
from scraper.spider_functions import given_by

Function = TypeVar("Function", bound=Callable[[Page], Any])
#: How many hex digits of a source's SHA-256 are its version.
VERSION_DIGITS = 12

_ARGS: ContextVar[Mapping[str, str]] = ContextVar("args", default=MappingProxyType({}))


@contextlib.contextmanager
def given_args(args: Mapping[str, str]) -> Iterator[None]:
    """Inside the block, a spider that is made has these `args`, so that its file can make its seeds of them."""
    token = _ARGS.set(args)
    try:
        yield
    finally:
        _ARGS.reset(token)


class Spider:
    """What to extract from which pages; the options mean what they mean on the command line, which goes before them.

    `name` is the crawl's too, `seeds` are the URLs to start from. `follow` False: only what functions ask for by
    `page.follow` is fetched, and what sitemaps list. `sitemaps` True: those of the seeds' hosts; or their URLs.
    `version` names the extractor in each item's row; left out, it is a hash of the file that makes the spider.
    `delay` is in seconds, between requests to a host, of which `per_host` may be in flight at once.
    `max_pages`, `max_depth` and `max_pages_per_host` bound the crawl (0: no bound), `max_links_per_page` and
    `max_url_length` what is taken of a page, `same_body` of how many pages with one body; `max_hops` redirects in a
    row, `max_attempts` requests for one URL. `scope` is `host`, `domain` or `any`; `allow` and `deny` are regular
    expressions for URLs, `deny_preset` names ready ones to deny. `obey_robots` False: robots.txt is not asked for.
    `user_agent` says who we are.
    A host that asks for more than `max_crawl_delay` seconds is left out; a robots.txt that cannot be had is waited for
    as long as `robots_patience`, and a host that refuses every request as long as `give_up_host`.
    `detect_encoding`: the encoding of a page that declares none is guessed.
    `follow_nofollow`: pages that ask not to follow their links are not heard. `obey` says what else they may ask:
    `nofollow-links`, `noindex`, `canonical`.
    """

    #: Its functions ask for what they want.
    surveys = False
    #: Patterns for pages, as they were written.
    patterns: tuple[str, ...] = ()

    def __init__(
        self,
        name: str,
        seeds: Iterable[str] = (),
        *,
        version: str | None = None,
        follow: bool = True,
        sitemaps: bool | Iterable[str] = False,
        delay: float | None = None,
        per_host: int | None = None,
        max_pages: int | None = None,
        max_depth: int | None = None,
        max_pages_per_host: int | None = None,
        max_links_per_page: int | None = None,
        same_body: int | None = None,
        max_url_length: int | None = None,
        max_hops: int | None = None,
        max_attempts: int | None = None,
        scope: str | None = None,
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        deny_preset: Iterable[str] = (),
        obey_robots: bool | None = None,
        max_crawl_delay: float | None = None,
        robots_patience: float | None = None,
        give_up_host: float | None = None,
        detect_encoding: bool | None = None,
        follow_nofollow: bool | None = None,
        obey: Iterable[str] = (),
        user_agent: str | None = None,
    ) -> None:
        said = locals()
        self.name, self.follow, self._pages = name, follow, list[_Route]()
        #: What a person gave with `-a NAME=VALUE`, as text; recorded with the crawl.
        self.args: dict[str, str] = dict(_ARGS.get())
        self.sitemaps = sitemaps if isinstance(sitemaps, bool) else tuple(sitemaps)
        self.seeds = (seeds,) if isinstance(seeds, str) else tuple(seeds)
        self.version = version or source_version(sys._getframe(1).f_code.co_filename)
        #: Fields of `CrawlSpec` that this spider sets.
        self.options = _options(said)

    def __repr__(self) -> str:
        return f"<Spider {self.name} {self.version}: {len(self._pages)} patterns>"

    @property
    def error_pages(self) -> tuple[str, ...]:
        """Statuses of 4xx and 5xx that its functions take for pages."""
        return tuple(dict.fromkeys(each.status for each in self._pages if each.status != PAGE))

    def page(self, pattern: str, *, content: str = "html", status: str = "2xx") -> Callable[[Function], Function]:
        """Have the decorated function called for pages whose URL fits; raises `Refused` for what is no pattern.

        In a pattern `*` stands for anything but `/`, `**` for anything at all, every other character for itself. One
        that begins with `/` is held against the URL's path (and query, if it has a `?` in it), one that begins with
        `http` against the whole URL; it must fit from beginning to end: `/book/*` fits `/book/7`, not `/book/7/cover`.

        `content` is `html`, or a part of a Content-Type (`json`), or `*` for pages of any kind. `status` is `404`, or
        `4xx`, `5xx` for all of a hundred: what came with it, the first 256 KB, is a page to this function when no
        further attempt is due, and its links are not followed. 429 and 503 speak of our rate, and are never pages.
        """
        compiled, subject = compiled_pattern(pattern)
        answers = compiled_status(status)
        self.patterns = (*self.patterns, pattern)

        def register(function: Function) -> Function:
            self._pages.append(_Route(compiled, subject, content, answers, function))
            if self.error_pages:
                self.options["error_pages"] = self.error_pages
            return function

        return register

    def extract(self, page: Page) -> Iterator[tuple[str, dict[str, Any]]]:
        """The items of a page: type and data of each, looked at as in a crawl.

        Raises what the user's functions raise, and TypeError or `NotJson` for what is no item.
        """
        return ((kind, data) for kind, data, _ in checked(self.given(page)))

    def given(self, page: Page) -> Given:
        """What the functions give for a page, not yet looked at. The first error is raised when all had their turn."""
        first: Exception | None = None
        for function in self.functions_for(page):
            try:
                yield from given_by(function, page)
            except MemoryError:
                raise
            except Exception as error:
                first = first or error
        if first is not None:
            raise first

    def functions_for(self, page: Page) -> list[Callable[[Page], Any]]:
        """The functions of which a pattern fits this page, each once."""
        path, query = path_and_query(page.url)
        subjects = {"url": page.url, "path": path, "query": path + query}
        fitting = (
            each.function
            for each in self._pages
            if each.pattern.fullmatch(subjects[each.subject])
            and _is_of(page, each.content)
            and has_status(page.status, each.status)
        )
        return list({id(function): function for function in fitting}.values())


def _options(said: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `CrawlSpec` of what a spider says; nothing for what it leaves out."""
    fields = {**FIELDS, "obey_robots": "obey_robots"}
    given = {field: said[word] for word, field in fields.items()}
    for word in ("allow", "deny", "deny_preset", "obey"):
        given[word] = tuple(given[word]) or None
    return {field: value for field, value in given.items() if value is not None}


class _Route(NamedTuple):
    """A function, and the pages that are for it."""

    pattern: re.Pattern[str]
    subject: str
    content: str
    status: str
    function: Callable[[Page], Any]


def _is_of(page: Page, content: str) -> bool:
    return content == "*" or (page.is_html if content == "html" else content in page.content_type.lower())


def source_version(file: str) -> str:
    """The first hex digits of a source file's SHA-256; empty where there is no such file (an interactive session)."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:VERSION_DIGITS]
    except OSError:
        return ""
