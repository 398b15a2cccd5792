"""The links and the title of XML that is no HTML: RSS, Atom, sitemaps, drawings.

Takes a document, gives `Hrefs` as they are written (joined with `xml:base` where that is used), and the title. Names
are told from others by their parents: a sitemap's `loc` is a link, its `image:loc` is none.
"""

from typing import Any

import ada_url
from lxml import etree

from scraper.html.hrefs import Hrefs
from scraper.xml.nodes import XmlDocument, XmlNode
from scraper.xml.reader import SVG, XHTML

_XLINK = "{http://www.w3.org/1999/xlink}href"
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_ATOM = "http://www.w3.org/2005/Atom"
_ATTRIBUTES = {"link": "href", "content": "src"}
#: Elements whose text is a link, and in which.
_TEXTS = {
    "link": ("channel", "item"),
    "comments": ("item",),
    "guid": ("item",),
    "loc": ("url", "sitemap"),
}


def hrefs_of(document: XmlDocument) -> Hrefs:
    """The links of a document."""
    hrefs = Hrefs()
    root = document.root.element
    based = root.find(f".//*[@{_BASE}]") is not None or root.get(_BASE) is not None
    for element in root.iter(etree.Element):
        if href := _href(element):
            hrefs.raw[_joined(element, href.strip()) if based else href.strip()] = None
    return hrefs


def _href(element: Any) -> str | None:
    name = etree.QName(element)
    if name.namespace == SVG or name.namespace == XHTML:
        return str(element.get("href") or element.get(_XLINK, "")) if name.localname == "a" else None
    if name.namespace == _ATOM:
        attribute = _ATTRIBUTES.get(name.localname)
        return str(element.get(attribute, "")) if attribute else None
    parents = _TEXTS.get(name.localname)
    above = element.getparent()
    if not parents or above is None or above.tag not in [_beside(name, parent) for parent in parents]:
        return None
    if name.localname == "guid" and element.get("isPermaLink") == "false":
        return None
    return "".join(element.itertext())


def _beside(name: Any, other: str) -> str:
    """Another name in the same namespace."""
    return f"{{{name.namespace}}}{other}" if name.namespace else other


def _joined(element: Any, href: str) -> str:
    try:
        return str(ada_url.join_url(element.base, href))
    except (TypeError, ValueError):
        return href


def title_of(document: XmlDocument) -> XmlNode | None:
    """The document's own title: that of a feed, of its channel, of a drawing."""
    root = document.root.element
    for holder in (root, *(child for child in root if etree.QName(child).localname == "channel")):
        found = holder.find(_beside(etree.QName(holder), "title"))
        if found is not None:
            return XmlNode(found)
    return None
