"""Lines on a terminal of a known size: sections that give way to one another, columns, and flowing pieces.

Pure. Whatever comes out has at most the height's lines, each of at most the width's cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from rich.text import Text

from penstock.view.glyphs import Glyphs

#: Cells between two columns.
GUTTER = 3


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to draw on: columns, lines, and marks."""

    width: int
    height: int
    glyphs: Glyphs

    @property
    def space(self) -> int:
        """Cells between two pieces of a flow."""
        return 3 if self.width >= 100 else 2


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that belong together: of no use with fewer than `least`; those of the lowest rank get their place first."""

    lines: Sequence[Text]
    rank: int
    least: int = 1
    #: Whether an empty line should set it off from what is above it.
    apart: bool = False


def stacked(sections: Sequence[Section], height: int) -> list[Text]:
    """As much of the sections as this height holds, in their order."""
    ranked = sorted((each for each in sections if each.lines), key=lambda each: each.rank)
    given: dict[int, int] = {}
    room = height
    for section in ranked:
        least = min(section.least, len(section.lines))
        if least <= room:
            given[id(section)] = least
            room -= least
    chosen = [section for section in sections if id(section) in given]
    gaps = {id(section) for section in [each for each in chosen[1:] if each.apart][:room]}
    room -= len(gaps)
    _grow(given, [section for section in ranked if id(section) in given], room)
    lines: list[Text] = []
    for section in chosen:
        lines += [Text()] if id(section) in gaps else []
        lines += section.lines[: given[id(section)]]
    return lines


def _grow(given: dict[int, int], sections: Sequence[Section], room: int) -> None:
    """Hand out what is left a line at a time, in turn, so that none takes it all."""
    while room > 0:
        growing = [each for each in sections if given[id(each)] < len(each.lines)][:room]
        if not growing:
            return
        for section in growing:
            given[id(section)] += 1
        room -= len(growing)


def beside(columns: Sequence[Sequence[Text]], widths: Sequence[int]) -> list[Text]:
    """Columns of these widths side by side."""
    lines = []
    for row in range(max(map(len, columns), default=0)):
        line = Text()
        for place, (column, width) in enumerate(zip(columns, widths, strict=True)):
            line.append(" " * (GUTTER if place else 0))
            line.append_text(row_of(column[row] if row < len(column) else Text(), width))
        lines.append(line)
    return lines


def row_of(text: Text, width: int, *, right: Text | None = None) -> Text:
    """The text in exactly this many cells, with another one at the right end if there is room for both."""
    line = text.copy()
    if right is not None and line.cell_len + right.cell_len < width:
        return line.append(" " * (width - line.cell_len - right.cell_len)).append_text(right)
    line.truncate(width, pad=True)
    return line


def flowed(pieces: Iterable[Text], width: int, *, space: int = 2) -> list[Text]:
    """Pieces after one another, as many to a line as fit."""
    lines: list[Text] = []
    for piece in pieces:
        if lines and lines[-1].cell_len + space + piece.cell_len <= width:
            lines[-1].append(" " * space).append_text(piece)
        else:
            line = piece.copy()
            line.truncate(width)
            lines.append(line)
    return lines
