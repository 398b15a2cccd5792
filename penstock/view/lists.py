"""The foot of the picture: the latest pages and the latest failed attempts, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from penstock.view.glyphs import fitted
from penstock.view.layout import Look, row_of
from penstock.view.panels import heading, style_of
from penstock.view.state import CrawlState

#: Below this width a URL is shown without its scheme.
_WIDE = 100
#: Of the width, what a URL may take beside a title or a sentence.
_URL_SHARE = 0.55
_STATUS_CELLS, _REASON_CELLS = 4, 16


def pages(state: CrawlState, look: Look) -> list[Text]:
    """A line for each page: status, URL, title."""
    rows = [(_word(page.get("status")), page.get("url"), page.get("title")) for page in reversed(state.latest)]
    return _listed("latest pages", rows, look, cells=_STATUS_CELLS)


def failures(state: CrawlState, look: Look) -> list[Text]:
    """A line for each failure: reason, URL, what exactly went wrong."""
    rows = [(_word(each.get("reason")), each.get("url"), each.get("detail")) for each in reversed(state.failures)]
    longest = max((len(reason) for reason, _, _ in rows), default=0) + 1
    return _listed("latest failed attempts", rows, look, cells=min(longest, _REASON_CELLS))


def _word(value: Any) -> str:
    return str(value or "-")


def _listed(name: str, rows: Sequence[tuple[str, Any, Any]], look: Look, *, cells: int) -> list[Text]:
    if not rows:
        return []
    urls = [fitted(_url(url, look), look.width - cells, look.glyphs) for _, url, _ in rows]
    longest = min(max(map(cell_len, urls)), int(look.width * _URL_SHARE))
    lines = [heading(name)]
    for (word, _, more), url in zip(rows, urls, strict=True):
        line = row_of(Text.assemble((fitted(word, cells - 1, look.glyphs), style_of(word))), cells)
        if more and look.width - cells - longest > _STATUS_CELLS:
            url = fitted(url, longest, look.glyphs)
            line.append(url + " " * (longest - cell_len(url)))
            line.append(f"  {fitted(more, look.width - cells - longest - 2, look.glyphs)}", style="dim")
        else:
            line.append(url)
        lines.append(line)
    return lines


def _url(url: Any, look: Look) -> str:
    text = str(url or "-")
    return text if look.width >= _WIDE else text.removeprefix("https://").removeprefix("http://")
