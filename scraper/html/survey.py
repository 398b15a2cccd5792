"""One way through a page for all that is wanted of it without a spider.

Takes a parsed document, gives a `Survey`: title, language, headings, `scripts` with JSON-LD, links as they are written
and what else the head claims (`hrefs`), and the text as lines in parts, of which `main_text` chooses.
"""

from collections.abc import Collection
from functools import partial
from typing import Any

from scraper.html.hrefs import FINDERS, Hrefs, select_hrefs
from scraper.html.parts import ASIDE_ALWAYS, Part
from scraper.html.rendered import ENTER, LEAVE, Lines, one_line
from scraper.html.walk import Enter, Leave, walk

#: What is kept of a page's headings at most.
MAX_HEADINGS, MAX_HEADING_CHARS = 100, 500
_HEADINGS, _OTHERS = ("h1", "h2", "h3"), ("h4", "h5", "h6")
#: Blocks that are large enough to say what they are; a cell's are those of pages that are laid out as tables.
_PART_NAMES = """
    article aside blockquote body center details dialog div dl fieldset figcaption figure footer form header hgroup
    main menu nav ol search section table ul
"""
_PARTS = frozenset(_PART_NAMES.split())
_JSONLD = "application/ld+json"


#: What is wanted of a menu, and about as many characters as a link of it is long.
_BESIDE, _LINK_CHARS = "a,h1,h2,h3,script", 30


class Survey(Lines):
    """What was met. `lines[i]` has `linked[i]` characters in links, `joins[i]` before it; `titles` are headings'."""

    def __init__(self, hidden: Collection[int] = ()) -> None:
        super().__init__()
        self.hidden = hidden
        self.hrefs = Hrefs()
        self.title: str | None = None
        self.language: str | None = None
        self.scripts: list[str] = []
        self.headings: dict[str, list[str]] = {}
        self.lines: list[str] = []
        self.joins: list[str] = []
        self.linked: list[int] = []
        self.titles: set[int] = set()
        self.parts: list[Part] = []
        self._part: Part | None = None
        self._link: int | None = None
        self._chars = self._headings = self._heading = 0
        self._join, self._cells, self._row = "\n", False, 0

    # -- text

    def wall(self, gap: int = 1) -> None:
        if self.run:
            self._flush()
        self._join = "\n"

    line_break = wall

    def enter_block(self, node: Any) -> Any:
        if self.run:
            self._flush()
        self._join = "\n"
        return node.first_child

    def leave_block(self) -> None:
        if self.run:
            self._flush()
        self._join = "\n"

    enter_paragraph, leave_paragraph = enter_block, leave_block

    def _flush(self) -> None:
        if self._link is not None:
            self._chars += sum(map(len, self.run[self._link :]))
            self._link = 0
        run = self.run
        if self.pre:
            text = self.taken()
        else:
            text = " ".join((run[0] if len(run) == 1 else "".join(run)).split())
            run.clear()
        self._put(text)

    def _put(self, text: str) -> None:
        """Add a line, with `_chars` of it in links, unless it is empty."""
        if text:
            self.lines.append(text)
            self.joins.append(self._join)
            self.linked.append(self._chars)
        self._chars = 0

    def enter_part(self, node: Any) -> Any:
        """A block that may hold the main text, or says that it does not."""
        if self.run:
            self._flush()
        self._join = "\n"
        tag = node.tag
        part = self._part = Part(node, tag, self._part, len(self.lines))
        if part.beside and tag in ASIDE_ALWAYS:
            return self._beside(node)
        return node.first_child

    def _beside(self, node: Any) -> None:
        """What never holds main text: its links and headings are all that is wanted of it."""
        found = node.css(_BESIDE)
        for one in found:
            if one.tag == "script":
                self.enter_script(one)
            elif one.tag != "a" and one.mem_id not in self.hidden:
                self._keep_heading(one.tag, one_line(one))
        select_hrefs(node, self.hrefs)
        # A line for all of its lines, of which nearly each is a link.
        self._chars = len(found) * _LINK_CHARS
        self._put(" ")

    def leave_part(self) -> None:
        if self.run:
            self._flush()
        self._join = "\n"
        if part := self._part:
            self._part, part.end = part.parent, len(self.lines)
            self.parts.append(part)

    def enter_row(self, node: Any) -> Any:
        self.wall()
        self._cells, self._row = False, len(self.lines)
        return node.first_child

    def enter_cell(self, node: Any) -> Any:
        child = self.enter_part(node)
        if self._cells and len(self.lines) > self._row:
            self._join = "\t"
        self._cells = True
        return child

    def enter_heading(self, node: Any) -> Any:
        """One of `h1` to `h6`; the first three are kept."""
        if self.run:
            self._flush()
        self._join = "\n"
        self._heading = len(self.lines)
        return node.first_child

    def leave_heading(self, tag: str = "") -> None:
        if self.run:
            self._flush()
        self._join = "\n"
        start, end = self._heading, len(self.lines)
        if start < end:
            self.titles.update(range(start, end))
            if tag:
                self._keep_heading(tag, " ".join(self.lines[start:end]))

    def _keep_heading(self, tag: str, text: str) -> None:
        if text and self._headings < MAX_HEADINGS:
            self._headings += 1
            self.headings.setdefault(tag, []).append(text[:MAX_HEADING_CHARS])

    # -- links

    def enter_a(self, node: Any) -> Any:
        self._link = len(self.run)
        return self.hrefs.link(node)

    def leave_a(self) -> None:
        if self._link is not None:
            self._chars += sum(map(len, self.run[self._link :]))
            self._link = None

    def enter_iframe(self, node: Any) -> Any:
        return self.hrefs.frame(node)

    def enter_unshown(self, node: Any) -> None:
        """Its links are links, but its text is none."""
        select_hrefs(node, self.hrefs)

    pass_hidden = enter_unshown

    def enter_other(self, node: Any) -> Any:
        """An element that only says where something leads."""
        return FINDERS[node.tag](self.hrefs, node)

    # -- the head

    def enter_html(self, node: Any) -> Any:
        self.language = node.attrs.get("lang") or None
        return node.first_child

    def enter_head(self, node: Any) -> Any:
        return node.first_child

    def enter_title(self, node: Any) -> None:
        if self.title is None:
            self.title = one_line(node)

    def enter_meta(self, node: Any) -> None:
        self.hrefs.meta(node)

    def enter_link(self, node: Any) -> None:
        self.hrefs.rel(node)

    def enter_script(self, node: Any) -> None:
        kind = node.attrs.sget("type")
        if kind and kind.partition(";")[0].strip().lower() == _JSONLD:
            self.scripts.append(node.text())


_UNSHOWN_WITH_LINKS = ("noscript", "object", "audio", "video", "canvas", "annotation-xml")


def _ours(table: dict[str, Any]) -> dict[str, Any]:
    # The same elements as in every text, each done by what this class does instead.
    return {tag: getattr(Survey, handle.__name__) for tag, handle in table.items()}


_ENTER: Enter = {
    **_ours(ENTER),
    **dict.fromkeys(("area", "frame", "base", "svg"), Survey.enter_other),
    **dict.fromkeys(_UNSHOWN_WITH_LINKS, Survey.enter_unshown),
    **dict.fromkeys(_PARTS, Survey.enter_part),
    **dict.fromkeys((*_HEADINGS, *_OTHERS), Survey.enter_heading),
    "a": Survey.enter_a,
    "html": Survey.enter_html,
    "head": Survey.enter_head,
    "title": Survey.enter_title,
    "meta": Survey.enter_meta,
    "link": Survey.enter_link,
    "script": Survey.enter_script,
}
_LEAVE: Leave = {
    **_ours(LEAVE),
    **dict.fromkeys((*_PARTS, "td", "th"), Survey.leave_part),
    **{tag: partial(Survey.leave_heading, tag=tag) for tag in _HEADINGS},
    **dict.fromkeys(_OTHERS, Survey.leave_heading),
    "a": Survey.leave_a,
}
_LEAVE = {tag: handle for tag, handle in _LEAVE.items() if tag != "html"}


def survey_of(root: Any, hidden: Collection[int] = ()) -> Survey:
    """What is in a document with this root; elements in `hidden` are passed by."""
    survey = Survey(hidden)
    walk(root, survey, _ENTER, _LEAVE, hidden)
    survey.wall()
    return survey
