"""The top of the picture: what a crawl is called, how it stands, how far it is, and its counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from penstock.view.glyphs import fitted, shares, sparkline
from penstock.view.layout import Look, flowed, row_of
from penstock.view.numbers import clock, duration, percent, size
from penstock.view.state import CrawlState

#: Styles of what was fetched, failed, and of what is still to come.
SEGMENT_STYLES = ("green", "red", "bright_black")
_STATE_STYLES = {"running": "cyan", "paused": "yellow", "finished": "green", "cancelled": "red"}
#: Cells that a name may take at most, and those that the rest of its line wants.
_NAME_CELLS, _BESIDE_NAME = 60, 26
#: Below this width the unit of the rate is left to guess.
_WIDE = 60


def title(state: CrawlState, look: Look) -> Text:
    """Name, state and time at the left, the rate and how it went at the right."""
    name = fitted(state.name, min(_NAME_CELLS, max(8, look.width - _BESIDE_NAME)), look.glyphs)
    word = fitted(state.state or "starting", 12, look.glyphs)
    left = Text.assemble((name, "bold"), "  ", (word, f"bold {_STATE_STYLES.get(state.state, '')}".strip()))
    left.append(f"  {clock(state.seconds)}", style="dim")
    if state.complete:
        return row_of(left, look.width)
    unit = "pages/s" if look.width >= _WIDE else "/s"
    rate = Text.assemble((f"{state.pages_per_second:,.1f}", "bold"), f" {unit}")
    room = look.width - left.cell_len - rate.cell_len - 3
    points = state.spark[-room:] if room > 0 else ()
    right = Text.assemble((f"{sparkline(points, look.glyphs)} ", "cyan"), rate)
    return row_of(left, look.width, right=right)


def progress(state: CrawlState, look: Look) -> Text:
    """How much of what is to be fetched is done, and how it ended."""
    counts = _parts(state)
    done = Text(f" {percent(counts[0] + counts[1], sum(counts)):>4}", style="bold")
    cells = look.width - done.cell_len
    line = Text()
    for mark, style, share in zip(_marks(look.glyphs.segments), SEGMENT_STYLES, shares(counts, cells), strict=True):
        line.append(mark * share, style=style)
    if not line:
        line.append(look.glyphs.segments[3] * cells, style=SEGMENT_STYLES[2])
    return line.append_text(done)


def _marks(marks: Sequence[str]) -> tuple[str, str, str]:
    return marks[0], marks[1], marks[3]


def _parts(state: CrawlState) -> tuple[int, int, int]:
    """Fetched, failed, still to come: of pages, where they are bounded, else of URLs but those that were left out."""
    if state.max_pages:
        pages = sum(count for code, count in state.statuses.items() if str(code).startswith("2"))
        pages = min(pages, state.max_pages)
        return pages, 0, 0 if state.complete else state.max_pages - pages
    return state.fetched, state.failed, _to_come(state)


def _to_come(state: CrawlState) -> int:
    return max(0, state.discovered - state.fetched - state.failed - state.excluded)


def legend(state: CrawlState, look: Look) -> list[Text]:
    """The counts of the bar's segments, and of what is in none."""
    named = (("fetched", state.fetched), ("failed", state.failed), ("to come", _to_come(state)))
    marked = list(zip(named, _marks(look.glyphs.dots), SEGMENT_STYLES, strict=True))
    pieces = [
        Text.assemble((f"{dot} ", style), (f"{count:,}", "bold"), f" {word}")
        for (word, count), dot, style in marked[: 2 if state.complete else 3]
    ]
    if state.excluded:
        pieces.append(Text.assemble((f"{state.excluded:,}", "bold"), " excluded"))
    known = f"of at most {state.max_pages:,} pages" if state.max_pages else f"of {state.discovered:,} known"
    pieces.append(Text(known, style="dim"))
    return flowed(pieces, look.width, space=look.space)


def counts(state: CrawlState, look: Look) -> list[Text]:
    """What else is counted."""
    return flowed(_counts(state), look.width, space=look.space)


def _counts(state: CrawlState) -> Iterator[Text]:
    if not state.complete:
        yield Text.assemble((f"{state.in_flight:,}", "bold"), " in flight")
    if state.retried:
        yield Text.assemble((f"{state.retried:,}", "bold"), " retried")
    yield Text.assemble((f"{state.items:,}", "bold"), " items")
    yield Text.assemble((size(state.bytes), "bold"))
    if state.latency_ms and not state.complete:
        slow = f" (p95 {duration(state.latency_ms['p95'])})"
        yield Text.assemble("answers in ", (duration(state.latency_ms["p50"]), "bold"), slow)
