"""`penstock crawls`: what was crawled into a data folder."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from events.logs import visible
from events.settings import Settings, load
from penstock.commands.recorded import recorded
from storage import queries
from storage.database import NothingRecorded

_COLUMNS = ("id", "name", "state", "started_at", "discovered", "fetched", "failed", "excluded", "items")


def crawls(given: dict[str, Any], *, json: bool) -> None:
    """Print the list, the newest first."""
    rows = _rows(load(given))
    if json:
        print(msgspec.json.encode(rows).decode())
        return
    if not rows:
        print("no crawls yet; begin one with: penstock crawl https://example.com/")
        return
    table = Table(*_COLUMNS, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(Text(visible(str(getattr(row, name) or 0))) for name in _COLUMNS))
    Console().print(table)


def _rows(settings: Settings) -> list[queries.CrawlRow]:
    try:
        with recorded(settings) as engine:
            return queries.crawls(engine)
    except NothingRecorded:
        return []
