"""The generic extractor, for crawls without a spider.

Takes a page, gives one item of type `page`: title, description, canonical, language, headings, text, opengraph, jsonld,
and flags where something was left out. What a page says about itself is a claim: the canonical URL is a hint only.
"""

from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from scraper.html.jsonld import read_jsonld
from scraper.html.links import resolve
from scraper.html.text import collapsed
from scraper.page import Page, text_of
from scraper.spider import source_version

#: What is kept of a page at most; more is cut off, and said in `flags`.
MAX_TEXT_CHARS = 100_000
MAX_HEADINGS, MAX_HEADING_CHARS = 100, 500
MAX_PROPERTIES, MAX_PROPERTY_CHARS = 100, 2_000

_HEAD = "meta[content],link[rel],script[type]"
_HEADINGS = "h1,h2,h3"
#: Elements whose text nobody reads, or that stand on every page of a site.
_UNREAD = "script,style,noscript,template,nav,svg,iframe,select,footer"
_BLOCKS = "p,div,li,dt,dd,td,th,h1,h2,h3,h4,br,pre,section"
#: Stands before each block while text is taken. Where a page has this control character itself, a line ends.
_BREAK = "\x01"


class Generic:
    """The extractor that needs no spider."""

    name = "generic"
    version = source_version(__file__)
    follow = True

    def extract(self, page: Page) -> Iterator[tuple[str, dict[str, Any]]]:
        """One item of type `page` for HTML, none for anything else."""
        if page.is_html:
            yield "page", describe(page)


def describe(page: Page) -> dict[str, Any]:
    """What any page says about itself, as a JSON object. Cuts up the document: nothing can be read from it after."""
    names, properties, canonical, scripts = _from_head(page)
    jsonld, flags = read_jsonld(scripts)
    html = page.html.root
    found: dict[str, Any] = {
        "title": page.title,
        "description": names.get("description") or properties.get("og:description"),
        "canonical": canonical,
        "language": (html.attrs.get("lang") or None) if html else None,
        "headings": _headings(page.html),
        "opengraph": properties,
        "jsonld": jsonld,
    }
    text = main_text(page.html)
    if len(text) > MAX_TEXT_CHARS:
        flags.append("text_cut")
    return {**found, "text": text[:MAX_TEXT_CHARS], "flags": flags}


def _from_head(page: Page) -> tuple[dict[str, str], dict[str, str], str | None, list[str]]:
    names: dict[str, str] = {}
    properties: dict[str, str] = {}
    canonical = None
    scripts = []
    for node in page.html.css(_HEAD):
        attributes = node.attrs
        if node.tag == "script":
            if attributes.sget("type").strip().lower() == "application/ld+json":
                scripts.append(node.text())
        elif node.tag == "link":
            if canonical is None and "canonical" in attributes.sget("rel").lower().split():
                canonical = resolve(attributes.sget("href"), page.url)
        elif name := attributes.get("name"):
            _set(names, name.lower(), attributes.sget("content"))
        elif (name := attributes.get("property")) and name.startswith("og:"):
            _set(properties, name, attributes.sget("content"))
    return names, properties, canonical, scripts


def _set(values: dict[str, str], name: str, value: str) -> None:
    if len(values) < MAX_PROPERTIES and len(name) <= MAX_PROPERTY_CHARS:
        values.setdefault(name, " ".join(value.split())[:MAX_PROPERTY_CHARS])


def _headings(html: LexborHTMLParser) -> dict[str, list[str]]:
    headings: dict[str, list[str]] = {}
    for node in html.css(_HEADINGS)[:MAX_HEADINGS]:
        if text := text_of(node)[:MAX_HEADING_CHARS]:
            headings.setdefault(str(node.tag), []).append(text)
    return headings


def main_text(html: LexborHTMLParser) -> str:
    """The text that a reader came for, a line for each block; menus, scripts and footers are left out."""
    root = _only(html.tags("main")) or _only(html.tags("article")) or html.body
    if root is None:
        return ""
    for node in root.css(_UNREAD):
        node.decompose()
    for block in root.css(_BLOCKS):
        block.insert_before(_BREAK)
    blocks = filter(None, map(str.strip, root.text().split(_BREAK)))
    return collapsed(_BREAK.join(blocks)).replace(_BREAK, "\n")


def _only(nodes: list[LexborNode]) -> LexborNode | None:
    return nodes[0] if len(nodes) == 1 else None
