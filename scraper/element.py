"""`Element`: a part of a page, with the page's own ways to read.

Takes a node of the reader that has read the page, gives its texts, attributes and elements. What is not here is the
node's: `element.node`, and whatever it can do under the same names (`tag`, `attributes`, `parent`, ...).
"""

from typing import Any

from selectolax.lexbor import SelectolaxError

from scraper.errors import BadSelector
from scraper.html.rendered import rendered


class Readable:
    """What pages and elements have in common."""

    def _matching(self, selector: str) -> list[Any]:
        raise NotImplementedError

    def css(self, selector: str) -> "list[Element]":
        """All elements below that match, in order; raises `BadSelector`."""
        return [Element(node) for node in self._nodes(selector)]

    def _nodes(self, selector: str) -> list[Any]:
        try:
            return self._matching(selector)
        except SelectolaxError:
            raise BadSelector(f"not a CSS selector: {selector!r}") from None

    def first(self, selector: str) -> "Element | None":
        """The first element below that matches; raises `BadSelector`."""
        node = next(iter(self._nodes(selector)), None)
        return None if node is None else Element(node)

    def texts(self, selector: str) -> list[str]:
        """The text of each element that matches."""
        return [rendered(node) for node in self._nodes(selector)]

    def attrs(self, selector: str, name: str) -> list[str]:
        """An attribute of each element that matches and has it."""
        found = (node.attrs for node in self._nodes(selector))
        return [attributes.sget(name) for attributes in found if name in attributes]


class Element(Readable):
    """One element; two of them are equal if they are the same element of the page."""

    def __init__(self, node: Any) -> None:
        self.node = node

    def __repr__(self) -> str:
        return f"<Element {self.tag}>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)

    @property
    def tag(self) -> str:
        """Its name; in XML as it is written, with its prefix."""
        return str(getattr(self.node, "name", self.node.tag))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Element) and bool(self.node == other.node)

    def __hash__(self) -> int:
        return hash(self.node.mem_id)

    def _matching(self, selector: str) -> list[Any]:
        # Lexbor counts the element itself, if it matches, among those below it.
        me = self.node.mem_id
        return [node for node in self.node.css(selector) if node.mem_id != me]

    def text(self, selector: str | None = None, default: str | None = None) -> str | None:
        """The text of this element, or of the first below it that matches, `default` where none does."""
        if selector is None:
            return rendered(self.node)
        found = self.first(selector)
        return default if found is None else rendered(found.node)

    def attr(self, selector: str, name: str | None = None, default: str | None = None) -> str | None:
        """An attribute of the first element below that matches and has it; of this one: `element.attr("href")`."""
        if name is None:
            return self.own(selector, default)
        return next(iter(self.attrs(selector, name)), default)

    def own(self, name: str, default: str | None = None) -> str | None:
        """An attribute of this element, `default` where it has none of that name."""
        attributes = self.node.attrs
        return str(attributes.sget(name)) if name in attributes else default
