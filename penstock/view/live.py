"""Progress on a terminal: bars, rates, each stage's backlog, status codes, reasons, the latest pages.

Pages' titles and URLs are made by strangers: control characters are spelled out and nothing is read as markup.
"""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from events.logs import visible
from events.topology import STAGES
from penstock.view.state import CrawlState

REFRESHES_A_SECOND = 8
#: Below this width only the numbers are shown.
NARROW_COLUMNS = 70
_BLOCKS = "▁▂▃▄▅▆▇█"


class LiveView:
    """Redraws a few lines in place, on standard error."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._live = Live(console=self.console, refresh_per_second=REFRESHES_A_SECOND, transient=False)

    def __enter__(self) -> LiveView:
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._live.__exit__(kind, None, None)

    def show(self, state: CrawlState) -> None:
        """Draw this state."""
        self._live.update(picture(state, width=self.console.width), refresh=state.complete)


def picture(state: CrawlState, *, width: int) -> RenderableType:
    """The state as lines for a terminal of this width."""
    parts: list[RenderableType] = [_head(state), _bar(state, width), _numbers(state)]
    if width >= NARROW_COLUMNS:
        parts += [_stages(state), _codes(state), *_latest(state, width)]
    return Group(*parts)


def _head(state: CrawlState) -> Text:
    head = Text.assemble((visible(state.name), "bold"), "  ", (state.state, _colour(state.state)))
    head.append(f"  {_clock(state.seconds)}  {state.pages_per_second:.1f} pages/s  ")
    head.append(sparkline(state.spark), style="cyan")
    return head


def _bar(state: CrawlState, width: int) -> Table:
    done = state.fetched + state.failed + state.excluded
    grid = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(1, state.discovered), completed=done, width=max(10, min(50, width - 30)))
    grid.add_row(bar, Text(f"{done:,} of {state.discovered:,} known URLs"))
    return grid


def _numbers(state: CrawlState) -> Text:
    text = Text()
    for name, style in (("fetched", "green"), ("failed", "red"), ("excluded", "yellow"), ("queued", "")):
        text.append(f"{getattr(state, name):,} ", style=f"bold {style}".strip()).append(f"{name}  ")
    text.append(f"{state.in_flight:,} in flight  {state.items:,} items  {_size(state.bytes)}")
    return text


def _stages(state: CrawlState) -> Text:
    text = Text("waiting at  ", style="dim")
    for stage in STAGES:
        if stage.takes:
            waiting = state.backlog.get(stage.name, 0)
            text.append(f"{stage.name.partition('.')[2]} ", style="dim")
            text.append(f"{waiting:,}  ", style="bold" if waiting else "dim")
    return text


def _codes(state: CrawlState) -> Text:
    text = Text("answers     ", style="dim")
    for code, count in sorted(state.statuses.items()):
        text.append(f"{visible(str(code))} ", style="dim").append(f"{count:,}  ")
    for reason, count in sorted(state.reasons.items(), key=lambda pair: -pair[1])[:5]:
        text.append(f"{visible(str(reason))} ", style="yellow").append(f"{count:,}  ")
    return text


def _latest(state: CrawlState, width: int) -> list[Text]:
    lines = []
    for page in state.latest[-5:]:
        line = Text(f"{visible(str(page.get('status') or '-')):>5} ", style="dim", no_wrap=True, overflow="ellipsis")
        line.append(visible(str(page.get("url", "")))[: max(20, width - 8)], style="")
        if page.get("title"):
            line.append(f"  {visible(str(page['title']))}", style="dim")
        line.truncate(width - 1, overflow="ellipsis")
        lines.append(line)
    return lines


def sparkline(values: tuple[float, ...]) -> str:
    """Values as a row of blocks, the largest as a full one."""
    top = max(values, default=0.0)
    return "".join(_BLOCKS[round(value / top * (len(_BLOCKS) - 1))] if top else _BLOCKS[0] for value in values)


def _colour(state: str) -> str:
    return {"running": "cyan", "paused": "yellow", "finished": "green", "cancelled": "red"}.get(state, "")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
