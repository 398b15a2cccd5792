"""Hosts of which nothing is asked for now: by their own word (429, Retry-After), or until their robots.txt can be had.

Pure: takes what progress tells of them (`scheduler.report.limited`) and the time, gives words.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from contract.logs import visible
from penstock.view.glyphs import fitted
from penstock.view.layout import Look
from penstock.view.numbers import duration

#: From here on minutes are near enough.
_LONG_MS = 100_000
#: What one host does, and several do, by the reason.
_DO = {
    "robots": ("waits for robots.txt", "wait for robots.txt"),
    "rate_limit": ("is rate limited", "are rate limited"),
}


def words(hosts: Sequence[Mapping[str, Any]], *, number: int, now_ms: int) -> str:
    """One line, the first host as an example; empty where there is none."""
    if not hosts:
        return ""
    reason = hosts[0]["reason"]
    of_this = [host for host in hosts if host["reason"] == reason]
    one, many = _DO.get(reason, (f"waits for {reason}",) * 2)
    alike = number if len(of_this) == len(hosts) else len(of_this)
    rest = f"; {number - alike:,} more wait" if alike < number else ""
    head = f"1 host {one}" if alike == 1 else f"{alike:,} hosts {many}"
    return visible(f"{head}: {_example(hosts[0], now_ms)}{rest}")


def _example(host: Mapping[str, Any], now_ms: int) -> str:
    left = int(host["until_ms"]) - now_ms
    until = time.strftime("%H:%M:%S", time.localtime(host["until_ms"] / 1000))
    again = f"until {until}, in {_left(left)}" if left > 0 else "asked again now"
    queued = int(host.get("queued") or 0)
    waiting = f", {queued:,} URL{'' if queued == 1 else 's'} queued" if queued else ""
    return f"{host['host']} ({host['why']}, {again}{waiting})"


def _left(ms: int) -> str:
    return duration(ms) if ms < _LONG_MS else f"{math.ceil(ms / 60_000):,} min"


def lines(hosts: Sequence[Mapping[str, Any]], look: Look, *, number: int, now_ms: int) -> list[Text]:
    """The same for a terminal."""
    said = words(hosts, number=number, now_ms=now_ms)
    return [Text(fitted(said, look.width, look.glyphs), style="yellow")] if said else []
