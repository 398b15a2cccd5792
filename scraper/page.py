"""`Page`: what a spider's function gets.

Takes a stored page, gives its parts; parses the HTML when it is first asked for, and once. It owns the links that were
found on it or asked for by `follow`. Text comes back with its white space collapsed.
"""

import json
from functools import cached_property
from typing import Any, Self

import ada_url
from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from contract.errors import Refused
from scraper.characters.choice import Encoding, encoding_of_body
from scraper.characters.queries import with_query_in
from scraper.html.document import document_of
from scraper.html.links import Links, links_of, resolve
from scraper.html.media import is_html
from scraper.html.text import decoded
from scraper.warc import StoredPage


class BadSelector(Refused):
    """Raised for a CSS selector that cannot be read; names it."""


class Follow:
    """What `page.follow` gives back, so that `yield page.follow(...)` reads well; it holds what was asked for."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        self.urls = urls

    def __repr__(self) -> str:
        return f"<Follow {', '.join(self.urls)}>"


class Page:
    """One page as it was fetched, and ways to read it.

    `url` is where it was fetched, `status` the answer's number, `body` its bytes (decompressed), `depth` the links
    from a seed. `headers` are the answer's by their names in lower case, the first of each name.
    """

    def __init__(self, stored: StoredPage, *, url: str = "", depth: int = 0, max_links: int = 10_000) -> None:
        self.url: str = url or stored.url
        self.status, self.body, self.depth = stored.status, stored.body, depth
        self.content_type: str = stored.content_type
        self.headers: dict[str, str] = {}
        for name, value in stored.headers:
            self.headers.setdefault(name.lower(), value)
        self.followed: dict[str, None] = {}
        self._max_links = max_links

    @classmethod
    def from_text(
        cls, text: str, *, url: str = "http://example.com/", content_type: str = "text/html; charset=utf-8"
    ) -> Self:
        """A page made by hand, for the test of a spider: `list(spider.extract(Page.from_text("<h1>…")))`."""
        headers = [("Content-Type", content_type)]
        return cls(StoredPage(url=url, status=200, headers=headers, body=text.encode()))

    def __repr__(self) -> str:
        return f"<Page {self.url}: {self.status}, {len(self.body)} bytes of {self.content_type or 'unknown type'}>"

    @cached_property
    def is_html(self) -> bool:
        """Whether the body is HTML, by its Content-Type, or by its beginning where the type says nothing."""
        return is_html(self.content_type, self.body)

    @cached_property
    def html(self) -> LexborHTMLParser:
        """The document, as selectolax parses it; an empty one where the body is no HTML."""
        return self._document[0]

    @cached_property
    def _document(self) -> tuple[LexborHTMLParser, Encoding]:
        return document_of(self.body if self.is_html else b"", self.content_type)

    @property
    def encoding(self) -> str:
        """The name of the body's encoding, as the Encoding Standard writes it, in lower case."""
        return self.encoding_found.name

    @property
    def encoding_found(self) -> Encoding:
        """The same, with what says so."""
        return self._document[1] if self.is_html else encoding_of_body(self.body, self.content_type)

    @cached_property
    def body_text(self) -> str:
        """The body as text, by the standards' rules for encodings."""
        return decoded(self.body, self.encoding)

    def json(self) -> Any:
        """The body as JSON; raises ValueError where it is none."""
        return json.loads(self.body_text)

    # -- reading

    def css(self, selector: str) -> list[LexborNode]:
        """All elements that match, in order; raises `BadSelector`."""
        try:
            return self.html.css(selector)
        except SelectolaxError:
            raise BadSelector(f"not a CSS selector: {selector!r}") from None

    def first(self, selector: str) -> LexborNode | None:
        """The first element that matches; raises `BadSelector`."""
        try:
            return self.html.css_first(selector)
        except SelectolaxError:
            raise BadSelector(f"not a CSS selector: {selector!r}") from None

    def text(self, selector: str, default: str | None = None) -> str | None:
        """The text of the first element that matches, `default` where none does."""
        node = self.first(selector)
        return default if node is None else text_of(node)

    def texts(self, selector: str) -> list[str]:
        """The text of each element that matches."""
        return [text_of(node) for node in self.css(selector)]

    def attr(self, selector: str, name: str, default: str | None = None) -> str | None:
        """An attribute of the first element that matches and has it, `default` where none does."""
        return next(iter(self.attrs(selector, name)), default)

    def attrs(self, selector: str, name: str) -> list[str]:
        """An attribute of each element that matches and has it."""
        return [node.attrs.sget(name) for node in self.css(selector) if name in node.attrs]

    @cached_property
    def title(self) -> str | None:
        """The text of the `<title>`."""
        return self.text("title") if self.is_html else None

    # -- links

    @cached_property
    def all_links(self) -> Links:
        """The links of the page, with their count."""
        if not self.is_html:
            return Links()
        return links_of(self.html, self.url, limit=self._max_links, encoding=self.encoding)

    def links(self) -> list[str]:
        """The http and https URLs that the page points to, absolute, each once."""
        return list(self.all_links.urls)

    def urljoin(self, href: str) -> str:
        """A link of this page as an absolute URL; raises ValueError for one that cannot be resolved."""
        joined: str = ada_url.join_url(self.url, with_query_in(href, self.encoding))
        return joined

    def follow(self, *targets: str | LexborNode, css: str | None = None) -> Follow:
        """Have these pages fetched too: URLs (relative ones too), `<a>` elements, or all that `css` selects.

        A target that leads nowhere (`javascript:`, a broken URL) is left out.
        """
        hrefs = [target if isinstance(target, str) else _href(target) for target in targets]
        hrefs += [_href(node) for node in (self.css(css) if css else ())]
        written = [with_query_in(href, self.encoding) for href in hrefs if href is not None]
        urls = tuple(url for href in written if (url := resolve(href, self.url)))
        self.followed.update(dict.fromkeys(urls))
        return Follow(urls)


def _href(node: LexborNode) -> str | None:
    return node.attrs.get("href") or node.attrs.get("src")


def text_of(node: LexborNode) -> str:
    """The text of an element and all that is in it, white space collapsed."""
    return " ".join(node.text().split())
