"""The top of the picture: what a crawl is called, how it stands, how far it is, and its counts."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from penstock.view.glyphs import fitted, shares, sparkline
from penstock.view.layout import Look, flowed, row_of
from penstock.view.numbers import clock, duration, percent, size
from penstock.view.state import CrawlState

#: Styles of what was fetched, failed, excluded, and of what is still to come.
SEGMENT_STYLES = ("green", "red", "yellow", "bright_black")
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
    """How much of what is known is done, and how it ended."""
    counts = _outcomes(state)
    done = Text(f" {percent(sum(counts[:3]), sum(counts)):>4}", style="bold")
    cells = look.width - done.cell_len
    line = Text()
    for mark, style, share in zip(look.glyphs.segments, SEGMENT_STYLES, shares(counts, cells), strict=True):
        line.append(mark * share, style=style)
    if not line:
        line.append(look.glyphs.segments[3] * cells, style=SEGMENT_STYLES[3])
    return line.append_text(done)


def _outcomes(state: CrawlState) -> tuple[int, int, int, int]:
    """Fetched, failed, excluded, still to come."""
    done = (state.fetched, state.failed, state.excluded)
    return (*done, max(0, state.discovered - sum(done)))


def legend(state: CrawlState, look: Look) -> list[Text]:
    """The counts of the bar's segments."""
    words = ("fetched", "failed", "excluded", "to come")
    marked = list(zip(words, _outcomes(state), look.glyphs.dots, SEGMENT_STYLES, strict=True))
    pieces = [
        Text.assemble((f"{dot} ", style), (f"{count:,}", "bold"), f" {word}")
        for word, count, dot, style in marked[: 3 if state.complete else 4]
    ]
    pieces.append(Text(f"of {state.discovered:,} known", style="dim"))
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
