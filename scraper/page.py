"""`Page`: what a spider's function gets.

Takes a stored page, gives its parts; parses the HTML when it is first asked for, and once. It owns the links that were
found on it or asked for by `follow`. Text comes back with its white space collapsed.
"""

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, cast

import ada_url
from selectolax.lexbor import LexborHTMLParser, LexborNode

from contract.pages import Wishes
from scraper import sitemaps
from scraper.characters import detector
from scraper.characters.choice import Encoding, encoding_of_body
from scraper.characters.queries import with_query_in
from scraper.element import Element, Readable
from scraper.errors import BadSelector, WithoutElements
from scraper.html.document import document_of
from scraper.html.hrefs import Hrefs, find_hrefs, select_hrefs
from scraper.html.links import Links, base_of, links_of, resolve
from scraper.html.media import essence, is_html, is_xml
from scraper.html.rendered import hidden_in, one_line, rendered
from scraper.html.survey import Survey, survey_of
from scraper.html.text import decoded
from scraper.warc import StoredPage
from scraper.wishes import speak_of_wishes, wishes_of

if TYPE_CHECKING:
    from scraper.xml.nodes import XmlDocument

__all__ = ["BadSelector", "Element", "Follow", "Page", "WithoutElements"]


class Follow:
    """What `page.follow` gives back, so that `yield page.follow(...)` reads well; it holds what was asked for."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        self.urls = urls

    def __repr__(self) -> str:
        return f"<Follow {', '.join(self.urls)}>"


class Page(Readable):
    """One page as it was fetched, and ways to read it.

    `url` is where it was fetched, `status` the answer's number, `body` its bytes (decompressed), `depth` the links
    from a seed. `headers` are the answer's by their names in lower case, the first of each name.
    """

    def __init__(
        self, stored: StoredPage, *, url: str = "", depth: int = 0, max_links: int = 10_000, detect: bool = False
    ) -> None:
        self.url: str = url or stored.url
        self.status, self.body, self.depth = stored.status, stored.body, depth
        self.content_type: str = stored.content_type
        if self.url.endswith(".gz") and (found := sitemaps.unpacked(self.url, stored.body)):
            self.body, self.content_type = found
        self._all_headers = stored.headers
        self.headers: dict[str, str] = {}
        for name, value in stored.headers:
            self.headers.setdefault(name.lower(), value)
        self.followed: dict[str, None] = {}
        self._max_links = max_links
        self._guess = partial(detector.guessed, url=self.url) if detect else None

    @classmethod
    def from_text(
        cls,
        text: str,
        *,
        url: str = "http://example.com/",
        content_type: str = "text/html; charset=utf-8",
        status: int = 200,
    ) -> Self:
        """A page made by hand, for the test of a spider: `list(spider.extract(Page.from_text("<h1>…")))`."""
        headers = [("Content-Type", content_type)]
        return cls(StoredPage(url=url, status=status, headers=headers, body=text.encode()))

    def __repr__(self) -> str:
        return f"<Page {self.url}: {self.status}, {len(self.body)} bytes of {self.content_type or 'unknown type'}>"

    @cached_property
    def _as_xml(self) -> "tuple[XmlDocument | None, tuple[str, ...]]":
        if not is_xml(self.content_type, self.body):
            return None, ()
        # Late, because hardly any page is XML.
        from scraper.xml.nodes import XmlDocument
        from scraper.xml.reader import read_xml

        encoding = encoding_of_body(self.body, self.content_type, self._guess).name
        root, flags = read_xml(decoded(self.body, encoding), self.url)
        return (None if root is None else XmlDocument(root)), flags

    @property
    def is_xml(self) -> bool:
        """Whether the body was read as XML; where that could not be done, `flags` has the reason."""
        return self._as_xml[0] is not None

    @property
    def flags(self) -> tuple[str, ...]:
        """What is to be said of how the body was read: `xml_repaired`, `xml_not_well_formed`, `xml_entities`."""
        return self._as_xml[1]

    @cached_property
    def is_html(self) -> bool:
        """Whether the body is HTML, by its Content-Type, or by its beginning where the type says nothing."""
        document = self._as_xml[0]
        return document.is_html if document else is_html(self.content_type, self.body)

    @cached_property
    def has_elements(self) -> bool:
        """Whether the body is a document, so that it may be asked for elements, links and a title."""
        return self.is_xml or bool(self.flags) or self.is_html

    @cached_property
    def html(self) -> LexborHTMLParser:
        """The document, as selectolax parses it; raises `WithoutElements` where the body was not read as HTML."""
        if self.is_xml:
            raise WithoutElements(f"{self.url} was read as XML: selectolax has not seen it; ask page.css, or page.xml")
        return self._document[0]

    @cached_property
    def xml(self) -> Any:
        """The root element, as lxml has it; raises `WithoutElements` where the body was not read as XML."""
        if document := self._as_xml[0]:
            return document.root.element
        raise WithoutElements(f"{self.url} was not read as XML: ask page.css, or page.html")

    @cached_property
    def _document(self) -> tuple[LexborHTMLParser, Encoding]:
        if not self.has_elements:
            kind = self.content_type or "of no known type"
            raise WithoutElements(f"{self.url} is {kind}: it has no elements, links or title; read page.body_text")
        return document_of(self.body, self.content_type, self._guess)

    @property
    def _tree(self) -> Any:
        return self._as_xml[0] or self._document[0]

    @property
    def encoding(self) -> str:
        """The name of the body's encoding, as the Encoding Standard writes it, in lower case."""
        return self.encoding_found.name

    @cached_property
    def encoding_found(self) -> Encoding:
        """The same, with what says so."""
        if self.has_elements and not self.is_xml:
            return self._document[1]
        return encoding_of_body(self.body, self.content_type, self._guess)

    @property
    def encoding_read(self) -> Encoding | None:
        """What its characters were read in; None where nobody has read them, as of a picture."""
        return self.encoding_found if self.has_elements or "body_text" in self.__dict__ else None

    @cached_property
    def body_text(self) -> str:
        """The body as text, by the standards' rules for encodings."""
        return decoded(self.body, self.encoding)

    def json(self) -> Any:
        """The body as JSON; raises ValueError where it is none."""
        return json.loads(self.body_text)

    # -- reading

    def _matching(self, selector: str) -> list[Any]:
        return cast(list[Any], self._tree.css(selector))

    def text(self, selector: str, default: str | None = None) -> str | None:
        """The text of the first element that matches, `default` where none does."""
        found = self.first(selector)
        return default if found is None else rendered(found.node)

    def attr(self, selector: str, name: str, default: str | None = None) -> str | None:
        """An attribute of the first element that matches and has it, `default` where none does."""
        return next(iter(self.attrs(selector, name)), default)

    @cached_property
    def title(self) -> str | None:
        """The text of the `<title>`, in one line; of a feed's or a drawing's own title."""
        if surveyed := self.__dict__.get("survey"):
            return cast(Survey, surveyed).title
        if self.is_xml and not self.is_html:
            from scraper.xml.hrefs import title_of

            node: Any = title_of(self._tree)
        else:
            node = self._tree.css_first("title")
            if node is not None and (node.tag != "title" or _drawn(node)):
                found = self._tree.css("title")
                node = next((one for one in found if one.tag == "title" and not _drawn(one)), None)
        return None if node is None else one_line(node)

    @cached_property
    def survey(self) -> Survey:
        """All that is wanted of an HTML page without a spider, found in one go."""
        return survey_of(self._tree.root, hidden_in(self._tree.root))

    def wishes(self, token: str = "penstock") -> Wishes | None:
        """What the page asks of those who read it, of whom `token` is one; None where it asks nothing."""
        hrefs = self.hrefs if self.is_html else Hrefs()
        if not (hrefs.metas or hrefs.canonical) and not speak_of_wishes(self.headers):
            return None
        return wishes_of(self._all_headers, hrefs, token=token, base=self.base if self.is_html else self.url)

    # -- links

    @cached_property
    def hrefs(self) -> Hrefs:
        """What the document says about where it leads, as it is written there."""
        if surveyed := self.__dict__.get("survey"):
            return cast(Survey, surveyed).hrefs
        if self.is_xml and not self.is_html:
            from scraper.xml.hrefs import hrefs_of

            return hrefs_of(self._tree)
        find = find_hrefs if self.is_xml else select_hrefs
        return find(self._tree.root, Hrefs())

    @cached_property
    def base(self) -> str:
        """The URL that links are resolved against: the document's `<base href>`, or the page's own."""
        if not self.has_elements:
            return self.url
        return base_of((with_query_in(href, self.encoding) for href in self.hrefs.bases), self.url)

    @cached_property
    def all_links(self) -> Links:
        """The links of the page, with their count; none where it can have none."""
        refresh = self.headers.get("refresh", "")
        limit = max(self._max_links, sitemaps.MOST_URLS) if self.is_sitemap else self._max_links
        if not self.has_elements:
            hrefs = Hrefs()
            hrefs.raw = dict.fromkeys(self._listed or ())
            return links_of(hrefs, self.url, base=self.url, limit=limit, header=refresh)
        return links_of(self.hrefs, self.url, base=self.base, limit=limit, header=refresh, encoding=self.encoding)

    @cached_property
    def is_sitemap(self) -> bool:
        """Whether the page lists URLs for crawlers: a sitemap, an index of some, a list of URLs, a robots.txt."""
        if document := self._as_xml[0]:
            return document.root.element.tag.rpartition("}")[2] in sitemaps.ROOTS
        return self._listed is not None

    @cached_property
    def _listed(self) -> list[str] | None:
        return sitemaps.listed(self.url, self.body) if essence(self.content_type) == "text/plain" else None

    def links(self) -> list[str]:
        """The http and https URLs that the page points to, absolute, each once."""
        if not self.has_elements:
            _ = self._document
        return list(self.all_links.urls)

    def urljoin(self, href: str) -> str:
        """A link of this page as an absolute URL; raises ValueError for one that cannot be resolved."""
        joined: str = ada_url.join_url(self.base, with_query_in(href, self.encoding))
        return joined

    def follow(self, *targets: str | Element | LexborNode, css: str | None = None) -> Follow:
        """Have these pages fetched too: URLs (relative ones too), `<a>` elements, or all that `css` selects.

        A target that leads nowhere (`javascript:`, a broken URL) is left out.
        """
        hrefs = [target if isinstance(target, str) else _href(target) for target in targets]
        hrefs += [_href(element) for element in (self.css(css) if css else ())]
        written = [with_query_in(href, self.encoding) for href in hrefs if href is not None]
        urls = tuple(url for href in written if (url := resolve(href, self.base)))
        self.followed.update(dict.fromkeys(urls))
        return Follow(urls)


def _href(target: Element | LexborNode) -> str | None:
    attributes = target.attributes
    # Within a drawing a link may be written the older way.
    xlink = attributes.get("xlink:href") if _drawn(target) else None
    return attributes.get("href") or xlink or attributes.get("src")


def _drawn(node: Any) -> bool:
    """Whether an element is a part of a drawing."""
    above = node.parent
    while above is not None and above.tag != "svg":
        above = above.parent
    return above is not None
