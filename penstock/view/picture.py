"""A state as lines for a terminal of this size: what matters most first, and more of everything where there is room.

    title, state, time                       how fast it went, pages a second
    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 42%
    counts
    hosts that are left alone for now
    what waits at each stage  │  status codes and reasons  │  busiest hosts
    latest pages
    latest failed attempts

Pure: takes a state and the size, gives lines that never exceed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

from penstock.view import heads, limited, lists, panels
from penstock.view.glyphs import fitted
from penstock.view.layout import GUTTER, Look, Section, beside, stacked
from penstock.view.state import CrawlState

#: From these widths on, two and three panels stand side by side, if there are this many lines.
TWO_COLUMNS, THREE_COLUMNS, PANEL_LINES = 72, 108, 20
#: Wider than this, the eye loses the line; wider than that, there is an empty column at either side.
MOST_WIDTH, MARGIN_WIDTH = 160, 60
#: What remains of the live view has at most this many lines.
REMAINS_LINES = 12


def picture(state: CrawlState, look: Look, *, notes: Sequence[str] = ()) -> list[Text]:
    """The state, and the latest of what this process said meanwhile."""
    margin, look = _margin(look)
    said = [Text(fitted(note, look.width, look.glyphs), style="yellow") for note in notes[-2:]]
    sections = [
        *_top(state, look),
        *_middle(state, look),
        Section(lines=lists.pages(state, look), rank=5, least=3, apart=True),
        Section(lines=lists.failures(state, look), rank=6, least=3, apart=True),
        Section(lines=said, rank=1, apart=True),
    ]
    return _within(stacked(sections, look.height), look, margin=margin)


def remains(state: CrawlState, look: Look) -> list[Text]:
    """What stays on the terminal when nobody watches any more: how it went as a whole."""
    look = msgspec.structs.replace(look, width=min(look.width, MOST_WIDTH), height=min(look.height, REMAINS_LINES))
    answers = Section(lines=panels.answers_in_words(state, look), rank=4)
    failed = Section(lines=lists.failures(state, look) if state.failed else [], rank=6, least=2)
    return _within(stacked([*_top(state, look), answers, failed], look.height), look)


def _top(state: CrawlState, look: Look) -> Iterator[Section]:
    yield Section(lines=[heads.title(state, look)], rank=0)
    yield Section(lines=[heads.progress(state, look)], rank=0)
    yield Section(lines=heads.legend(state, look), rank=2)
    yield Section(lines=heads.counts(state, look), rank=3)
    yield Section(lines=limited.lines(state.limited, look, number=state.limited_hosts, now_ms=state.now_ms), rank=1)


def _middle(state: CrawlState, look: Look) -> Iterator[Section]:
    if look.width < TWO_COLUMNS or look.height < PANEL_LINES:
        yield Section(lines=panels.stages_in_words(state, look), rank=4)
        yield Section(lines=panels.answers_in_words(state, look), rank=4)
        yield Section(lines=panels.hosts(state, look), rank=7, least=3, apart=True)
        return
    drawn = [panels.stages, panels.answers, panels.hosts]
    if look.width < THREE_COLUMNS:
        drawn.remove(panels.answers)
        yield Section(lines=panels.answers_in_words(state, look), rank=4)
    widths = _widths(look.width, len(drawn))
    columns = [
        draw(state, msgspec.structs.replace(look, width=width)) for draw, width in zip(drawn, widths, strict=True)
    ]
    lines = beside(columns, widths)
    yield Section(lines=lines, rank=4, least=len(lines), apart=True)


def _widths(width: int, columns: int) -> list[int]:
    """Cells of each column; the last one, which has most to say, gets what is over."""
    room = width - GUTTER * (columns - 1)
    narrow = room * 3 // 10 if columns == 3 else room * 2 // 5
    return [*[narrow] * (columns - 1), room - narrow * (columns - 1)]


def _margin(look: Look) -> tuple[int, Look]:
    margin = 1 if look.width >= MARGIN_WIDTH else 0
    return margin, msgspec.structs.replace(look, width=min(look.width - margin, MOST_WIDTH))


def _within(lines: list[Text], look: Look, *, margin: int = 0) -> list[Text]:
    """The law of the house, whatever a section made of it."""
    kept = []
    for line in lines[: look.height]:
        line.truncate(look.width)
        kept.append(Text(" " * margin, no_wrap=True).append_text(line))
    return kept
