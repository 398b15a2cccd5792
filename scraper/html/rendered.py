"""The text of an element as a reader sees it: the HTML standard's `innerText`, as far as it goes without a style sheet.

Takes an element of either reader (selectolax's, or `XmlNode`), gives its text. A block begins and ends a line, `<br>`
ends one, an empty line stands around a paragraph, a tab between the cells of a row; script, style, template and
drawing are no text. White space is collapsed but in `<pre>`. Unlike in a browser's, a no-break space is a space, a
block in a cell ends no line of its row, and nothing empty is left at either end.
"""

from collections.abc import Collection
from typing import Any, cast

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from scraper.html import elements
from scraper.html.walk import TEXT, walk

_GAPS = ("", "\n", "\n\n")


class Lines:
    """Text on its way to lines; who derives from it says what a line's end, a wall and a cell come to."""

    def __init__(self) -> None:
        #: Pieces of the line that is being read.
        self.run: list[str] = []
        #: How many preformatted elements are open.
        self.pre = 0

    def taken(self) -> str:
        """The line that was read, and a new one is begun."""
        run = self.run
        text = run[0] if len(run) == 1 else "".join(run)
        run.clear()
        return text.strip("\n") if self.pre and text.strip() else " ".join(text.split())

    def wall(self, gap: int = 1) -> None:
        """A block begins or ends: the line too, with `gap` line breaks to what follows."""

    def line_break(self) -> None:
        """The line ends."""

    def cell(self) -> None:
        """A cell of a table begins."""

    def row(self) -> None:
        """A row of a table begins."""

    # -- what elements do; all give the first child to go on with

    def enter_block(self, node: Any) -> Any:
        """A block begins."""
        self.wall()
        return node.first_child

    def leave_block(self) -> None:
        """A block ends."""
        self.wall()

    def enter_paragraph(self, node: Any) -> Any:
        """A paragraph begins."""
        self.wall(2)
        return node.first_child

    def leave_paragraph(self) -> None:
        """A paragraph ends."""
        self.wall(2)

    def enter_pre(self, node: Any) -> Any:
        """Text begins whose white space is meant."""
        self.wall()
        self.pre += 1
        return node.first_child

    def leave_pre(self) -> None:
        """It ends."""
        self.wall()
        self.pre -= 1

    def enter_row(self, node: Any) -> Any:
        """A row begins."""
        self.row()
        return node.first_child

    def enter_cell(self, node: Any) -> Any:
        """A cell begins."""
        self.cell()
        return node.first_child

    def enter_br(self, node: Any) -> None:
        """A line ends."""
        self.line_break()

    def enter_iframe(self, node: Any) -> Any:
        """The document in it goes on, if it holds one."""
        return inner_document(node)

    def enter_template(self, node: Any) -> Any:
        """The shadow tree that it declares goes on, if it does."""
        return shadow_tree(node)

    def pass_hidden(self, node: Any) -> None:
        """An element that says that it is not to be shown."""

    def pass_by(self, node: Any) -> None:
        """Nothing in it is text."""


class Rendering(Lines):
    """The lines of one element."""

    def __init__(self) -> None:
        super().__init__()
        self._out: list[str] = []
        self._gap = 0
        self._cells = self._said = False

    def text(self) -> str:
        """What was read."""
        self._flush()
        out = self._out
        while out and out[-1] in "\n\t":
            out.pop()
        start = next((i for i, piece in enumerate(out) if piece not in ("\n", "\t")), 0)
        return "".join(out[start:])

    def wall(self, gap: int = 1) -> None:
        self._flush()
        if not self._out or self._out[-1] == "\t":
            return
        if self._out[-1] == "\n":
            # A break at a block's end makes no line of its own.
            self._out.pop()
        self._gap = max(self._gap, gap)

    def line_break(self) -> None:
        self._flush()
        self._out.extend((_GAPS[self._gap], "\n") if self._gap else ("\n",))
        self._gap = 0

    def row(self) -> None:
        self.wall()
        self._cells = self._said = False

    def cell(self) -> None:
        self._flush()
        if self._cells:
            if self._gap and not self._said:
                self._out.append("\n")
            self._gap = 0
            self._out.append("\t")
        self._cells, self._said = True, False

    def _flush(self) -> None:
        if self.run and (text := self.taken()):
            if self._gap and self._out:
                self._out.append(_GAPS[self._gap])
            self._gap, self._said = 0, True
            self._out.append(text)


#: What elements do to text; whoever reads more of a document than its text begins with these.
ENTER: dict[str, Any] = {
    **dict.fromkeys(elements.BLOCKS, Lines.enter_block),
    **dict.fromkeys(elements.PARAGRAPHS, Lines.enter_paragraph),
    **dict.fromkeys(elements.ROWS, Lines.enter_row),
    **dict.fromkeys(elements.CELLS, Lines.enter_cell),
    **dict.fromkeys(elements.UNSHOWN, Lines.pass_by),
    **dict.fromkeys(elements.PREFORMATTED - elements.UNSHOWN, Lines.enter_pre),
    # An element of XML that stands apart (`XmlNode`).
    "-block": Lines.enter_block,
    "br": Lines.enter_br,
    "iframe": Lines.enter_iframe,
    "template": Lines.enter_template,
}
LEAVE: dict[str, Any] = {
    **dict.fromkeys(elements.BLOCKS | elements.ROWS, Lines.leave_block),
    "-block": Lines.leave_block,
    **dict.fromkeys(elements.PARAGRAPHS, Lines.leave_paragraph),
    **dict.fromkeys(elements.PREFORMATTED - elements.UNSHOWN, Lines.leave_pre),
}


def rendered(node: Any) -> str:
    """The text of an element; of a script or a style what stands in it, letter for letter."""
    tag, child = node.tag, node.first_child
    if child is not None and child.tag == TEXT and child.next is None and tag not in elements.PREFORMATTED:
        text: str = child.text_content
        return text.strip() if tag in elements.SOURCE else " ".join(text.split())
    if tag == "template":
        child = shadow_tree(node)
    rendering = Rendering()
    rendering.pre = tag in elements.PREFORMATTED
    walk(child, rendering, ENTER, LEAVE, hidden_in(node))
    return rendering.text()


def one_line(node: Any) -> str:
    """The text of an element in one line: a title's, a heading's."""
    return " ".join(rendered(node).split())


def hidden_in(node: Any) -> Collection[int]:
    """Elements below this one that say that they are not to be shown, or only when somebody asks for them."""
    if hidden := getattr(node, "hidden", None):
        return cast(Collection[int], hidden())
    return {one.mem_id for one in node.css(_HIDDEN)}


#: `[popover]` is left out: to look for it would take as long as all of this.
_HIDDEN = "[hidden]:not([hidden=until-found i]),dialog:not([open])"


def shadow_tree(template: Any) -> Any:
    """The first node of what a `<template>` declares to be its parent's shadow tree; None for any other template."""
    if template.attrs.sget("shadowrootmode").lower() not in ("open", "closed"):
        return None
    fragments = template.template_fragments()
    return fragments[0].first_child if fragments else None


def inner_document(iframe: Any) -> Any:
    """The body of the document that an `<iframe srcdoc>` holds; None for any other."""
    source = iframe.attrs.get("srcdoc")
    return LexborHTMLParser(source, options=LexborDocumentOptions.WO_EVENTS).body if source else None
