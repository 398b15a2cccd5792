"""crawl.* → crawls: one row for each crawl, with its state and the counts that it ended with.

running ⇄ paused (the later of the two events says which) → finished, or cancelled (which beats finished)
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from events.crawls import CrawlCancelled, CrawlFinished, CrawlPaused, CrawlResumed, CrawlStarted, State
from storage import tables
from storage.event_store import Recorded
from storage.projections import rows
from storage.projections.rows import Row

TABLES = (tables.crawls,)

_BLANK = rows.columns(tables.crawls)


def fold(connection: Connection, events: Sequence[Recorded]) -> None:
    """Work events into the table."""
    mine = [event for event in events if type(event.message.payload) in _APPLY]
    found = rows.load(connection, tables.crawls, list({event.message.envelope.crawl for event in mine}))
    for event in mine:
        crawl = event.message.envelope.crawl
        row = found.setdefault(crawl, {**_BLANK, "id": crawl})
        _APPLY[type(event.message.payload)](row, event)
        row["state"] = state_of(row)
    rows.save(connection, tables.crawls, found)


def state_of(row: Row) -> State:
    """What the times in a row come to."""
    if row["cancelled_at"]:
        return "cancelled"
    if row["finished_at"]:
        return "finished"
    if row["paused_at"] and row["paused_at"] > (row["resumed_at"] or ""):
        return "paused"
    return "running"


def _started(row: Row, event: Recorded) -> None:
    spec = event.message.payload.spec
    said = (event.message.envelope.time, spec.name, msgspec.json.encode(spec).decode())
    if row["started_at"] is None or said < (row["started_at"], row["name"], row["spec"]):
        row["started_at"], row["name"], row["spec"] = said


def _finished(row: Row, event: Recorded) -> None:
    counts = event.message.payload
    said = (event.message.envelope.time, counts.fetched, counts.failed, counts.excluded)
    names = ("finished_at", "final_fetched", "final_failed", "final_excluded")
    if row["finished_at"] is None or said > tuple(row[name] for name in names):
        row |= dict(zip(names, said, strict=True))


def _latest(column: str) -> Callable[[Row, Recorded], None]:
    def apply(row: Row, event: Recorded) -> None:
        row[column] = max(row[column] or "", event.message.envelope.time)

    return apply


_APPLY: dict[Any, Callable[[Row, Recorded], None]] = {
    CrawlStarted: _started,
    CrawlFinished: _finished,
    CrawlPaused: _latest("paused_at"),
    CrawlResumed: _latest("resumed_at"),
    CrawlCancelled: _latest("cancelled_at"),
}
