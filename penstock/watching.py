"""Follow a crawl until it is over and SQL has all of it.

Takes progress, which may lose messages; asks SQL whenever nothing was heard for a while, so that the end is never
missed. Gives each state to a view.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Protocol, Self

from events.bus import Bus
from events.errors import Refused
from events.progress import follow
from events.settings import Settings
from events.topology import RECORD
from penstock.view.plain import NoView, PlainView
from penstock.view.state import CrawlState, Watcher

#: SQL is asked whether the crawl is complete when progress has not said so for this long.
ASK_SQL_SECONDS = 2.0
#: A finished crawl whose recorder has had nothing to do for this long will not become complete: an event of it lies
#: among the dead letters of `storage.record`.
QUIET_SECONDS = 10.0
#: A crawl of which neither Redis nor SQL has heard for this long was lost before it was recorded.
LOST_SECONDS = 15.0


class View(Protocol):
    """Anything that can show a state."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None: ...

    def show(self, state: CrawlState) -> None:
        """Show this state."""


def view_for(progress: str) -> View:
    """The view that a person asked for; `auto` is live on a terminal and plain elsewhere."""
    if progress == "none":
        return NoView()
    if progress == "live" or (progress == "auto" and sys.stderr.isatty()):
        from penstock.view.live import LiveView

        return LiveView()
    return PlainView()


async def watch(bus: Bus, settings: Settings, crawl: str, name: str, view: View) -> CrawlState:
    """Show a crawl until it is over; returns its last state."""
    with view:
        async for state in states(bus, settings, crawl, name):
            view.show(state)
    return state


async def states(bus: Bus, settings: Settings, crawl: str, name: str) -> AsyncIterator[CrawlState]:
    """States of a crawl, the last one being its end: complete in SQL, or cancelled."""
    watcher, asked_at, quiet_since = Watcher(crawl, name), time.monotonic(), time.monotonic()
    known_at = time.monotonic()
    async for parts in follow(bus, crawl):
        state, now = watcher.state_of(parts), time.monotonic()
        yield state
        if state.complete or state.state == "cancelled":
            return
        if state.state != "finished" or state.backlog.get(RECORD.name):
            quiet_since = now
        known_at = now if parts.get("frontier", {}).get("state") else known_at
        if now - asked_at > ASK_SQL_SECONDS:
            asked_at = now
            if now - known_at > LOST_SECONDS and not await asyncio.to_thread(_is_recorded, settings, crawl):
                raise Refused(f"Redis was emptied before crawl {crawl} was recorded; give the same command again")
            if await asyncio.to_thread(_is_complete, settings, crawl) or now - quiet_since > QUIET_SECONDS:
                yield watcher.state_of({**parts, "record": {**parts.get("record", {}), "complete": True}})
                return


def _is_recorded(settings: Settings, crawl: str) -> bool:
    from storage import queries
    from storage.database import open_database

    return queries.find_crawl(open_database(settings), crawl) is not None


def _is_complete(settings: Settings, crawl: str) -> bool:
    # Imported when it is asked for the first time: SQL is half a second of imports, and the stages are just starting.
    from storage import queries
    from storage.database import open_database

    return queries.is_complete(open_database(settings), crawl)
