"""crawl.* → crawls: one row for each crawl, with its state and the counts that it ended with.

running ⇄ paused → finished or cancelled: the state is what the event of the highest version says, in whatever order
events came and by whatever clock they were stamped. What was recorded before crawls had versions has version 0. Among
such events an end beats all else, cancelled beats finished, and of paused and resumed the later time holds.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from contract.crawls import CrawlCancelled, CrawlFinished, CrawlPaused, CrawlResumed, CrawlStarted, State
from storage.read_models.projections import rows
from storage.read_models.projections.rows import Row
from storage.sql import tables
from storage.store.event_store import Recorded

TABLES = (tables.crawls,)

#: What each event makes of a crawl, and the column that has its time while it holds; later ones beat earlier ones
#: where neither version nor time decides.
_STATES: dict[type, tuple[State, str]] = {
    CrawlPaused: ("paused", "paused_at"),
    CrawlResumed: ("running", "resumed_at"),
    CrawlFinished: ("finished", "finished_at"),
    CrawlCancelled: ("cancelled", "cancelled_at"),
}
_KINDS = (CrawlStarted, *_STATES)
_AT: dict[State, str] = dict(_STATES.values())
_RANK: dict[State, int] = {state: rank for rank, state in enumerate(_AT)}
_IS_OVER = ("finished", "cancelled")
_COUNTS = ("final_fetched", "final_failed", "final_excluded")
_BLANK: Row = {**rows.columns(tables.crawls), "state": "running", "version": 0}


def fold(connection: Connection, events: Sequence[Recorded]) -> None:
    """Work events into the table."""
    mine = [event for event in events if isinstance(event.message.payload, _KINDS)]
    found = rows.load(connection, tables.crawls, list({event.message.envelope.crawl for event in mine}))
    for event in mine:
        crawl = event.message.envelope.crawl
        row = found.setdefault(crawl, {**_BLANK, "id": crawl})
        _apply(row, event)
    rows.save(connection, tables.crawls, found)


def _apply(row: Row, event: Recorded) -> None:
    if isinstance(event.message.payload, CrawlStarted):
        _started(row, event)
    elif _order(said := _said(event)) > _order(row):
        row |= said


def _started(row: Row, event: Recorded) -> None:
    """A crawl starts once; should two events say so, the earlier time holds."""
    spec = event.message.payload.spec
    said = (event.message.envelope.time, spec.name, msgspec.json.encode(spec).decode())
    if row["started_at"] is None or said < (row["started_at"], row["name"], row["spec"]):
        row["started_at"], row["name"], row["spec"] = said


def _said(event: Recorded) -> Row:
    """All columns that an event about the state decides."""
    payload = event.message.payload
    state, at = _STATES[type(payload)]
    counts = (payload.fetched, payload.failed, payload.excluded) if state == "finished" else (None, None, None)
    said: Row = {"state": state, "version": payload.version, **dict.fromkeys(_AT.values())}
    return said | {at: event.message.envelope.time} | dict(zip(_COUNTS, counts, strict=True))


def _order(row: Row) -> tuple[Any, ...]:
    """The greater one's state holds; equal ones are the same."""
    state: State = row["state"]
    end = _RANK[state] if state in _IS_OVER else 0
    return row["version"], end, row[_AT[state]] or "", _RANK[state], *(row[name] or 0 for name in _COUNTS)
