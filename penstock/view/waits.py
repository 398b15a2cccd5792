"""What a crawl waits for: hosts of which nothing is asked for now, for the sake of something that is theirs as a whole.

Pure: takes the part of the progress that tells of them (`scheduler.report.waited_for`) and the time, gives words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from contract.logs import visible
from penstock.view.glyphs import fitted
from penstock.view.layout import Look
from penstock.view.numbers import duration

#: What hosts are waited for, by the frontier's word.
_FOR = {"robots": "robots.txt"}


def words(waits: Mapping[str, Any], *, now_ms: int) -> str:
    """One line, the first host as an example; empty where no host is waited for."""
    first = next(iter(waits.get("first") or ()), None)
    if not first:
        return ""
    number = int(waits.get("hosts") or 1)
    what = _FOR.get(first["for"], first["for"])
    left = int(first.get("until") or 0) - now_ms
    again = f"asked again in {duration(left)}" if left > 0 else "asked again now"
    hosts = "1 host waits" if number == 1 else f"{number:,} hosts wait"
    return visible(f"{hosts} for {what}: {first['host']} ({first['why']}, {again})")


def lines(waits: Mapping[str, Any], look: Look, *, now_ms: int) -> list[Text]:
    """The same for a terminal."""
    said = words(waits, now_ms=now_ms)
    return [Text(fitted(said, look.width, look.glyphs), style="yellow")] if said else []
