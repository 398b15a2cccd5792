"""What a terminal can show: marks for bars and lines in Unicode or ASCII, and strangers' text made fit for a line.

Pages' titles, URLs and hosts' sentences are made by strangers. `fitted` spells out control characters, takes out what
has no width of its own, and cuts at a number of cells, not of characters. Nothing is ever read as markup.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

import msgspec
from rich.cells import cell_len, set_cell_size

from contract.logs import visible

#: Characters of a text that are looked at for each cell that it may fill: the rest cannot be seen.
_CHARACTERS_A_CELL = 4
#: Marks that may sit on one letter; more would climb over the lines above.
_MOST_MARKS = 3


class Glyphs(msgspec.Struct, frozen=True, kw_only=True):
    """Characters of one cell each."""

    #: From nearly nothing to a full cell: of a bar's last cell, and of a sparkline's points.
    bar: str = "╸━"
    levels: str = "▁▂▃▄▅▆▇█"
    #: The progress bar's segments, told apart by colour, or by shape where there is none.
    segments: Sequence[str] = ("━", "━", "━", "━")
    #: What stands before the count of each.
    dots: Sequence[str] = ("●", "●", "●", "●")
    ellipsis: str = "…"
    is_ascii: bool = False


COLOURFUL = Glyphs()
COLOURLESS = Glyphs(segments=("█", "▓", "▒", "░"), dots=("█", "▓", "▒", "░"))
ASCII = Glyphs(
    bar="#",
    levels="_.-=+*%#",
    segments=("#", "x", "-", "."),
    dots=("#", "x", "-", "."),
    ellipsis="~",
    is_ascii=True,
)


def glyphs_for(*, encoding: str, environ: Mapping[str, str], has_colour: bool) -> Glyphs:
    """The marks for a stream of this encoding, in the locale that the environment asks for."""
    if not _encodes_blocks(encoding) or _is_plain(environ):
        return ASCII
    return COLOURFUL if has_colour else COLOURLESS


def _encodes_blocks(encoding: str) -> bool:
    try:
        (COLOURFUL.bar + COLOURFUL.levels + "●…").encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _is_plain(environ: Mapping[str, str]) -> bool:
    """Whether somebody asked for the C locale. Python itself may then have set LC_CTYPE to C.UTF-8 (PEP 538)."""
    asked = environ.get("LC_ALL") or environ.get("LANG") or ""
    coerced = environ.get("LC_CTYPE", "C.UTF-8") in ("", "C", "POSIX", "C.UTF-8", "C.utf8", "UTF-8")
    return asked in ("C", "POSIX") and (bool(environ.get("LC_ALL")) or coerced)


def fitted(text: object, cells: int, glyphs: Glyphs) -> str:
    """A stranger's text on one line, in at most this many cells."""
    if cells <= 0:
        return ""
    known = str(text)[: cells * _CHARACTERS_A_CELL + 1]
    line = _steady(visible(known))
    if glyphs.is_ascii:
        line = line.encode("ascii", "replace").decode()
    if cell_len(line) <= cells and len(known) == len(str(text)):
        return line
    return set_cell_size(line, min(cell_len(line), cells - 1)).rstrip() + glyphs.ellipsis


def _steady(line: str) -> str:
    """The line without what terminals disagree about: joiners, selectors, direction marks, towers of accents."""
    if line.isascii():
        return line
    kept, marks = [], 0
    for character in line:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category != "Cf" and marks <= _MOST_MARKS and not "\ufe00" <= character <= "\ufe0f":
            kept.append(character)
    return "".join(kept)


def bar(share: float, cells: int, glyphs: Glyphs) -> str:
    """A bar that fills this share (0 to 1) of the cells, to half a cell; more than nothing is always seen."""
    steps = len(glyphs.bar)
    filled = max(round(min(share, 1.0) * cells * steps), 1 if share > 0 else 0)
    whole, rest = divmod(filled, steps)
    return glyphs.bar[-1] * whole + (glyphs.bar[rest - 1] if rest else "")


def sparkline(values: Sequence[float], glyphs: Glyphs) -> str:
    """Values as a row of levels, the largest as a full one."""
    top, last = max(values, default=0.0), len(glyphs.levels) - 1
    return "".join(glyphs.levels[round(max(value, 0.0) / top * last) if top > 0 else 0] for value in values)


def shares(counts: Sequence[int], cells: int) -> list[int]:
    """Cells for each count, `cells` in all if there is anything; what is not nothing gets a cell where there is one."""
    total = sum(counts)
    if not total or cells <= 0:
        return [0] * len(counts)
    exact = [count * cells / total for count in counts]
    given = [max(int(part), 1 if count else 0) for part, count in zip(exact, counts, strict=True)]
    while sum(given) != cells:
        step = 1 if sum(given) < cells else -1
        place = max(range(len(given)), key=lambda at: (step > 0 or given[at] > 1, step * (exact[at] - given[at])))
        given[place] += step
    return given
