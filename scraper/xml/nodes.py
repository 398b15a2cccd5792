"""`XmlNode`: an element of an XML document, with what selectolax's nodes have, so that one reader of text serves both.

Takes lxml's elements. `tag` is what text is made by: HTML's names for elements in its namespace; for any other
`-block` or `-inline`, since XML says nothing of lines: an element beside text is a part of it, others are apart.
"""

from collections.abc import Iterator
from typing import Any

from cssselect import SelectorError
from lxml import etree

from scraper.errors import BadSelector
from scraper.html.walk import TEXT
from scraper.xml.reader import SVG, XHTML
from scraper.xml.selectors import xpath_of

_MATHML = "http://www.w3.org/1998/Math/MathML"
_PREFIXES = {"http://www.w3.org/1999/xlink": "xlink", "http://www.w3.org/XML/1998/namespace": "xml"}


class Attributes(dict[str, str]):
    """An element's attributes; those of a namespace by the document's prefix."""

    def sget(self, name: str) -> str:
        """The value, empty where there is none."""
        return self.get(name, "")


class XmlText:
    """Text between two tags."""

    tag = TEXT

    def __init__(self, text: str) -> None:
        self.text_content = text
        self.next: XmlNode | XmlText | None = None


class XmlNode:
    """An element."""

    def __init__(self, element: Any, *, inline: bool = False) -> None:
        self.element = element
        self.next: XmlNode | XmlText | None = None
        self._inline = inline

    def __repr__(self) -> str:
        return f"<XmlNode {self.name}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, XmlNode) and self.element is other.element

    def __hash__(self) -> int:
        return hash(self.element)

    @property
    def mem_id(self) -> Any:
        """The element itself, which is one and the same as long as somebody holds it."""
        return self.element

    @property
    def name(self) -> str:
        """The name as it is written, with its prefix."""
        local = etree.QName(self.element).localname
        return f"{self.element.prefix}:{local}" if self.element.prefix else str(local)

    @property
    def tag(self) -> str:
        """What text is made by."""
        name = etree.QName(self.element)
        if name.namespace == XHTML or name.namespace == _MATHML or (name.namespace == SVG and name.localname == "svg"):
            return str(name.localname)
        return "-inline" if self._inline or name.namespace == SVG else "-block"

    @property
    def attrs(self) -> Attributes:
        """The attributes."""
        return Attributes((self._named(key), value) for key, value in self.element.attrib.items())

    attributes = attrs

    def _named(self, key: str) -> str:
        name = etree.QName(key)
        if not name.namespace:
            return str(key)
        prefix = _PREFIXES.get(name.namespace) or next(
            (prefix for prefix, uri in self.element.nsmap.items() if prefix and uri == name.namespace), ""
        )
        return f"{prefix}:{name.localname}"

    @property
    def parent(self) -> "XmlNode | None":
        """The element around this one."""
        above = self.element.getparent()
        return None if above is None else XmlNode(above)

    @property
    def first_child(self) -> "XmlNode | XmlText | None":
        """The first of what is in it, with all that follow."""
        element = self.element
        texts = [element.text or "", *(child.tail or "" for child in element)]
        inline = any(text.strip() for text in texts)
        first = last = None
        for one in _children(element, texts, inline):
            if last is None:
                first = one
            else:
                last.next = one
            last = one
        return first

    def text(self) -> str:
        """All text in it, as it is written."""
        return "".join(self.element.itertext())

    @property
    def html(self) -> str:
        """The element as XML."""
        return str(etree.tostring(self.element, encoding="unicode", with_tail=False))

    def template_fragments(self) -> list[Any]:
        """None: only the HTML reader attaches shadow trees."""
        return []

    def hidden(self) -> set[Any]:
        """Elements below this one that say that they are not to be shown."""
        return set(self.element.xpath(f"descendant::*[@hidden][namespace-uri()='{XHTML}'][@hidden!='until-found']"))

    def css(self, selector: str, *, prefix: str = "descendant::") -> "list[XmlNode]":
        """All elements below that match, in order; raises `BadSelector`."""
        try:
            found = self.element.xpath(xpath_of(selector, prefix), namespaces=self._prefixes(selector))
        except (SelectorError, etree.XPathError) as error:
            raise BadSelector(f"not a CSS selector for XML: {selector!r} ({error})") from None
        return [XmlNode(element) for element in found]

    def _prefixes(self, selector: str) -> dict[str, str]:
        root = self.element.getroottree().getroot()
        found = dict(root.nsmap)
        if "|" in selector:
            for element in root.iter():
                for prefix, uri in element.nsmap.items():
                    found.setdefault(prefix, uri)
        return {prefix: uri for prefix, uri in found.items() if prefix}


def _children(element: Any, texts: list[str], inline: bool) -> Iterator[XmlNode | XmlText]:
    if texts[0]:
        yield XmlText(texts[0])
    for child, text in zip(element, texts[1:], strict=True):
        yield XmlNode(child, inline=inline)
        if text:
            yield XmlText(text)


class XmlDocument:
    """A document: what pages ask selectolax's parser."""

    def __init__(self, root: Any) -> None:
        self.root = XmlNode(root)

    @property
    def is_html(self) -> bool:
        """Whether it is HTML, written as XML."""
        return bool(etree.QName(self.root.element).namespace == XHTML)

    def css(self, selector: str) -> list[XmlNode]:
        """All elements that match, in order; raises `BadSelector`."""
        return self.root.css(selector, prefix="descendant-or-self::")

    def css_first(self, selector: str) -> XmlNode | None:
        """The first element that matches; raises `BadSelector`."""
        return next(iter(self.css(selector)), None)
