"""How a crawl stands by what is recorded: its counts in SQL, as a state that a watcher can be shown."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from penstock.view.state import CrawlState
from storage.read_models import crawl_list, queries

#: Between two looks at SQL.
_LOOK_SECONDS = 0.5
#: What was on its way when a crawl was cancelled is recorded by then, or not counted in the last message.
_LATEST_SECONDS = 10.0
#: What a watcher knows and SQL does not.
_SEEN = ("latest", "failures", "spark", "seconds")


def recorded_state(engine: Engine, crawl: str, name: str) -> CrawlState:
    """The state of a crawl by SQL alone."""
    row, numbers = crawl_list.find(engine, crawl), queries.progress(engine, crawl)
    settled = sum(numbers[outcome] for outcome in ("fetched", "failed", "excluded"))
    seconds = _seconds(row.started_at, row.finished_at) if row else 0.0
    known = {"state": row.state if row else "running", "discovered": settled, "seconds": seconds}
    return CrawlState(crawl=crawl, name=name, **{**known, **numbers})


def is_over(state: CrawlState) -> bool:
    """Whether nothing more is to come: SQL has all of it, or a person has ended it."""
    return state.complete or state.state == "cancelled"


async def last_state(engine: Engine, seen: CrawlState) -> CrawlState:
    """The state that a crawl ended with: SQL's counts, and the rest as it was seen last.

    What was in flight when a crawl was cancelled still ends, so SQL is asked until it says the same twice.
    """
    before, deadline = None, time.monotonic() + _LATEST_SECONDS
    while True:
        began = time.monotonic()
        try:
            state = await asyncio.to_thread(recorded_state, engine, seen.crawl, seen.name)
            is_settled = seen.state != "cancelled" or (state.state == "cancelled" and state == before)
            if state.complete or is_settled or began > deadline:
                return _with_what_was_seen(state, seen)
            before = state
        except DBAPIError:
            deadline += _LOOK_SECONDS
        await asyncio.sleep(_LOOK_SECONDS)


def _with_what_was_seen(state: CrawlState, seen: CrawlState) -> CrawlState:
    word = seen.state if seen.state in ("finished", "cancelled") else state.state
    return msgspec.structs.replace(state, state=word, **{name: getattr(seen, name) for name in _SEEN})


def _seconds(started_at: str | None, finished_at: str | None) -> float:
    if started_at is None:
        return 0.0
    end = datetime.fromisoformat(finished_at) if finished_at else datetime.now(UTC)
    return max(0.0, (end - datetime.fromisoformat(started_at)).total_seconds())
