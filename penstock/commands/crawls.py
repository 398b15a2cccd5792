"""`penstock crawls`: what was crawled into a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contract.logs import visible
from contract.settings import Settings, load
from penstock.cluster import running_in
from penstock.commands.recorded import place, recorded
from storage.read_models import queries
from storage.sql.database import NothingRecorded

#: A terminal that is too narrow shows the first of them; the ids are there to be copied, so none is ever cut.
COLUMNS = ("id", "state", "name", "started_at", "fetched", "failed", "items", "excluded", "discovered")
_ALWAYS = 2
_NUMBERS = ("fetched", "failed", "items", "excluded", "discovered")
#: Between two columns, in characters.
_GAP = 2
#: No terminal: as wide as it comes.
_ENDLESS = 100_000


def crawls(given: dict[str, Any], *, json: bool) -> None:
    """Print the list, the newest first."""
    settings = load(given)
    rows = _rows(settings)
    if json:
        print(msgspec.json.encode(rows).decode())
        return
    if not rows:
        print(f"no crawls in {place(settings)} yet; begin one with: penstock crawl https://example.com/")
        return
    worked_on = running_in(settings) is not None
    console = Console()
    width = console.width if console.is_terminal else _ENDLESS
    table = table_of([_cells(row, worked_on=worked_on) for row in rows], width=width)
    Console(width=_ENDLESS).print(table)


def _rows(settings: Settings) -> list[queries.CrawlRow]:
    try:
        with recorded(settings) as engine:
            return queries.crawls(engine)
    except NothingRecorded:
        return []


def _cells(row: queries.CrawlRow, *, worked_on: bool) -> dict[str, str]:
    cells = {name: visible(str(getattr(row, name) or 0)) for name in COLUMNS}
    if row.state == "running" and not worked_on:
        cells["state"] = "stopped"
    return cells | {"started_at": _seconds_of(row.started_at)}


def _seconds_of(time: str | None) -> str:
    """A time to the second, in RFC 3339."""
    return time.partition(".")[0].removesuffix("Z") + "Z" if time else ""


def table_of(rows: list[dict[str, str]], *, width: int) -> Table:
    """As many columns as there is room for in so many characters, whole ones."""
    names = list(_that_fit(rows, width))
    table = Table(box=None, header_style="bold", padding=(0, _GAP, 0, 0), pad_edge=False)
    for name in names:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(row[name]) for name in names))
    return table


def _that_fit(rows: list[dict[str, str]], width: int) -> Iterator[str]:
    used = 0
    for number, name in enumerate(COLUMNS):
        used += max(cell_len(text) for text in (name, *(row[name] for row in rows))) + (_GAP if number else 0)
        if number >= _ALWAYS and used > width:
            return
        yield name
