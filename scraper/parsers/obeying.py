"""What a page asks of those who read it, done: links that are not handed on, items that are not kept. Pure.

Takes a page and the result of its reading. `nofollow` of a page (robots tag, X-Robots-Tag) is heard unless the crawl
has `follow_nofollow`; the other words only where the crawl names them in `obey`:

    nofollow-links   links with `rel` nofollow, ugc or sponsored are not handed on, unless they are there without it too
    noindex          a page with `noindex` or `none` has no items
    canonical        a page that calls another URL its own has no items, and that URL is a link of it

What a function asks for by `page.follow` is no link of the page's author, so a link's `rel` does not bind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from contract.pages import may_be_followed, robots_words
from scraper.characters.queries import with_query_in
from scraper.html.links import resolve
from scraper.page import Page
from scraper.parsers.frames import Job, Result

_UNFOLLOWED = frozenset(("nofollow", "ugc", "sponsored"))


def as_wished(page: Page, result: Result, job: Job) -> Result:
    """The result with what the page asks of us, done."""
    wishes = result.wishes = page.wishes(job.token)
    if job.obey:
        _obey(page, result, job)
    if wishes and not (job.follow_nofollow or may_be_followed(wishes.robots)):
        result.links, result.unfollowed = (), (*result.links, *result.unfollowed)
    return result


def _obey(page: Page, result: Result, job: Job) -> None:
    wishes = result.wishes
    if "nofollow-links" in job.obey and job.links and page.is_html:
        left_out = set(_marked_links(page)) - set(page.followed)
        result.unfollowed = tuple(url for url in result.links if url in left_out)
        result.links = tuple(url for url in result.links if url not in left_out)
    if wishes is None:
        return
    if "noindex" in job.obey and not robots_words(wishes.robots).isdisjoint(("noindex", "none")):
        result.items = b"[]"
    if "canonical" in job.obey and wishes.canonical and wishes.canonical != page.url:
        result.items = b"[]"
        if job.links and wishes.canonical not in result.links:
            result.links = (*result.links, wishes.canonical)
            result.links_found += 1


def _marked_links(page: Page) -> Iterator[str]:
    """Links of which every element in the page says that they are not to be followed."""
    marked, plain = dict[str, None](), set[str]()
    for element in page.css("a[href], area[href]"):
        href = element.attr("href") or ""
        words = (element.attr("rel") or "").lower().split()
        if _UNFOLLOWED.isdisjoint(words):
            plain.add(href)
        else:
            marked[href] = None
    for href in marked.keys() - plain:
        if url := resolve(with_query_in(href, page.encoding), page.base):
            yield url
