"""The middle of the picture: what waits at each stage, what hosts answered and why not, and which hosts are busiest.

Each is a column of lines where there is room, and a flow of words where there is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from rich.text import Text

from contract.topology import DISPATCH, STAGES
from penstock.view.glyphs import bar, fitted
from penstock.view.layout import Look, flowed, row_of
from penstock.view.numbers import duration
from penstock.view.state import CrawlState

#: A bar is full at this many waiting messages. It grows with the logarithm, so that one is seen, and many do not jump.
FULL_BACKLOG = 10_000
#: A stage is a bottleneck, and stands out, from this many on; of URLs that wait to be dispatched there may be more.
MANY_WAITING = 1_000
_QUEUE = DISPATCH.name.partition(".")[2]
_NAME_CELLS, _COUNT_CELLS = 10, 7
#: Most status codes and most reasons that are named.
_STATUSES, _REASONS = 6, 4
_STATUS_STYLES = {"2": "green", "3": "cyan", "4": "yellow", "5": "red"}
_REASON_CELLS = 24
#: Cells of a host's rate, its latency and its errors.
_RATE_CELLS, _LATENCY_CELLS, _ERROR_CELLS = 8, 8, 8


def heading(words: str, *, right: str = "") -> Text:
    """The first line of a panel."""
    return Text.assemble((words, "bold cyan"), (right, "dim"))


def style_of(word: str) -> str:
    """How a status code or a reason is coloured, by its first digit, or as what went wrong."""
    return _STATUS_STYLES.get(word.removeprefix("http_")[:1], "yellow")


def waiting(state: CrawlState) -> Iterator[tuple[str, int]]:
    """What waits at each stage, in the order of the map; before dispatch that is the frontier's queue."""
    for stage in STAGES:
        name = stage.name.partition(".")[2]
        if stage == DISPATCH:
            yield name, state.queued
        elif stage.takes:
            yield name, state.backlog.get(stage.name, 0)


def stages(state: CrawlState, look: Look) -> list[Text]:
    """A line for each stage, with a bar."""
    cells = max(4, look.width - _NAME_CELLS - _COUNT_CELLS)
    lines = [heading("waiting")]
    for name, count in waiting(state):
        share = math.log1p(count) / math.log1p(FULL_BACKLOG)
        is_much = count >= MANY_WAITING and name != _QUEUE
        line = Text.assemble((f"{fitted(name, _NAME_CELLS - 1, look.glyphs):<{_NAME_CELLS}}", "" if count else "dim"))
        line.append(bar(share, cells, look.glyphs), style="yellow" if is_much else "blue")
        lines.append(row_of(line, look.width, right=Text(f" {count:,}", style="bold" if count else "dim")))
    return lines


def stages_in_words(state: CrawlState, look: Look) -> list[Text]:
    """The stages at which something waits, one after another."""
    busy = [(name, count) for name, count in waiting(state) if count]
    pieces = [Text.assemble((f"{name} ", "dim"), (f"{count:,}", "bold")) for name, count in busy]
    return flowed([heading("waiting"), *(pieces or [Text("nothing", style="dim")])], look.width)


def answers(state: CrawlState, look: Look) -> list[Text]:
    """A line for each status code, with its share of all, and for each reason."""
    total = sum(state.statuses.values())
    lines = [heading("answers")]
    for code, count in _statuses(state):
        line = Text.assemble((f"{fitted(code, 5, look.glyphs):<6}", style_of(code)))
        cells = max(4, look.width - 6 - _COUNT_CELLS)
        line.append(bar(count / total, cells, look.glyphs), style=style_of(code))
        lines.append(row_of(line, look.width, right=Text(f" {count:,}", style="bold")))
    for word, count in _reasons(state):
        line = Text.assemble((fitted(word, look.width - _COUNT_CELLS, look.glyphs), style_of(word)))
        lines.append(row_of(line, look.width, right=Text(f" {count:,}", style="bold")))
    return lines


def answers_in_words(state: CrawlState, look: Look) -> list[Text]:
    """Status codes and reasons, one after another."""
    pieces = [_piece(word, count, look) for word, count in [*_statuses(state), *_reasons(state)]]
    return flowed([heading("answers"), *pieces], look.width) if pieces else []


def _piece(word: str, count: int, look: Look) -> Text:
    return Text.assemble((f"{fitted(word, _REASON_CELLS, look.glyphs)} ", style_of(word)), (f"{count:,}", "bold"))


def _statuses(state: CrawlState) -> list[tuple[str, int]]:
    """The commonest status codes, in their order."""
    return sorted(_commonest(((str(code), count) for code, count in state.statuses.items()), _STATUSES))


def _reasons(state: CrawlState) -> list[tuple[str, int]]:
    """The commonest reasons, but those that a status code says already."""
    other = ((word, count) for word, count in state.reasons.items() if word.removeprefix("http_") not in state.statuses)
    return _commonest(other, _REASONS)


def _commonest(counts: Iterable[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    return sorted(counts, key=lambda pair: (-pair[1], pair[0]))[:most]


def hosts(state: CrawlState, look: Look) -> list[Text]:
    """A line for each of the busiest hosts: rate, latency, errors."""
    if not state.hosts:
        return [heading("busiest hosts"), Text("none in the last seconds", style="dim")]
    cells = look.width - _RATE_CELLS - _LATENCY_CELLS - _ERROR_CELLS
    names = f"{'pages/s':>{_RATE_CELLS}}{'answer':>{_LATENCY_CELLS}}{'errors':>{_ERROR_CELLS}}"
    lines = [row_of(heading("busiest hosts"), look.width, right=Text(names, style="dim"))]
    for host in state.hosts:
        lines.append(row_of(Text(fitted(_bare(host["host"]), cells, look.glyphs)), look.width, right=_of_host(host)))
    return lines


def _of_host(host: dict[str, object]) -> Text:
    latency, errors = host.get("latency_ms"), host.get("errors") or 0
    answer = duration(latency) if isinstance(latency, int | float) else "-"
    return Text.assemble(
        (f"{host.get('per_second') or 0:>{_RATE_CELLS}.1f}", "bold"),
        f"{answer:>{_LATENCY_CELLS}}",
        (f"{errors:>{_ERROR_CELLS},}", "red" if errors else "dim"),
    )


def _bare(host: str) -> str:
    """The host as people say it: without the scheme of almost all of them."""
    return host.removeprefix("https://").removeprefix("http://")
