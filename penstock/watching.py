"""Follow a crawl until it is over and SQL has all of it.

Takes progress, which may lose messages; asks SQL whenever nothing was heard for a while, so that the end is never
missed. Gives each state to a view.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator
from functools import cached_property
from typing import Any, Protocol, Self, TextIO

import msgspec
from redis.exceptions import ResponseError

from contract.bus import Bus
from contract.bus.scripts import PASSING
from contract.errors import Refused
from contract.progress import follow
from contract.settings import Settings
from contract.topology import RECORD
from penstock.view.plain import NoView, PlainView
from penstock.view.state import CrawlState, Watcher
from scheduler.report import backlogs, counts


class Patience(msgspec.Struct, frozen=True):
    """How long who watches a crawl waits for what, in seconds."""

    #: SQL is asked whether the crawl is complete when progress has not said so for this long.
    ask_sql: float = 2.0
    #: The same after somebody has cancelled it: a person waits for the end.
    ask_soon: float = 0.2
    #: A finished crawl whose recorders have had nothing to do for this long will not become complete: an event of it
    #: lies among the dead letters of `storage.record`. All its events were published before its end was. A cancelled
    #: one is waited for no longer than this, whatever it still has in flight.
    quiet: float = 3.0
    #: A crawl of which neither Redis nor SQL has heard for this long was lost before it was recorded.
    lost: float = 15.0


PATIENCE = Patience()
_OVER = ("finished", "cancelled")


class View(Protocol):
    """Anything that can show a state."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None: ...

    def show(self, state: CrawlState) -> None:
        """Show this state."""


def view_for(progress: str) -> View:
    """The view that a person asked for; what is live on a terminal is plain where there is none to draw on."""
    if progress == "none":
        return NoView()
    if progress != "plain" and _can_be_drawn_on(sys.stderr):
        from penstock.view.live import LiveView

        return LiveView()
    return PlainView()


def _can_be_drawn_on(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


async def watch(bus: Bus, settings: Settings, crawl: str, name: str, view: View) -> CrawlState:
    """Show a crawl until it is over; returns its last state."""
    with view:
        async for state in states(bus, settings, crawl, name):
            view.show(state)
    return state


async def states(
    bus: Bus, settings: Settings, crawl: str, name: str, *, patience: Patience = PATIENCE
) -> AsyncGenerator[CrawlState, None]:
    """States of a crawl, the last one being its end: all of it is in SQL, or as much as will ever be."""
    watcher, recorded = Watcher(crawl, name), _Recorded(settings, crawl)
    end = _End(bus, recorded, crawl, patience)
    try:
        async for parts in follow(bus, crawl):
            state = watcher.state_of(parts)
            yield state
            if state.complete:
                return
            if await end.has_come(state.state, is_known=bool(parts.get("frontier", {}).get("state"))):
                if end.is_whole:
                    yield watcher.state_of({**parts, "record": {**parts.get("record", {}), "complete": True}})
                return
    finally:
        recorded.close()


class _End:
    """Whether a crawl is over, where progress alone does not say so: by what is in SQL, and what waits to get there.

    A look may take any time. So silence is counted from the end of one look to the beginning of another, both of which
    found nothing, and only while Redis itself says that the crawl is over.
    """

    def __init__(self, bus: Bus, recorded: _Recorded, crawl: str, patience: Patience) -> None:
        self.bus, self.crawl, self.patience = bus, crawl, patience
        self.is_whole = False
        self._recorded = recorded
        self._asked_at = time.monotonic()
        self._unknown_since: float | None = None
        self._quiet_since: float | None = None

    async def has_come(self, state: str, *, is_known: bool) -> bool:
        """Whether nothing more will come; `is_known`: Redis has heard of it. Raises `Refused` for a lost crawl."""
        now = time.monotonic()
        self._unknown_since = None if is_known else self._unknown_since or now
        if now - self._asked_at < (self.patience.ask_soon if state == "cancelled" else self.patience.ask_sql):
            return False
        try:
            if self._unknown_since is not None and now - self._unknown_since > self.patience.lost:
                await self._check_not_lost()
            return await self._is_through(state, began=now)
        finally:
            self._asked_at = time.monotonic()

    async def _check_not_lost(self) -> None:
        in_redis = await _numbers(self.bus, self.crawl)
        if in_redis is not None and not in_redis["state"] and not await asyncio.to_thread(self._recorded.state):
            raise Refused(f"Redis was emptied before crawl {self.crawl} was recorded; give the same command again")

    async def _is_through(self, said: str, *, began: float) -> bool:
        # What is retained of progress may be older than the last event that was recorded, so Redis is asked itself.
        numbers = await _numbers(self.bus, self.crawl)
        state = said if numbers is None else numbers["state"] or said
        if state == "cancelled":
            is_idle = numbers is not None and not numbers["in_flight"]
            is_recorded = is_idle and await asyncio.to_thread(self._recorded.state) == state
            return is_recorded or self._was_quiet(began)
        is_waiting = state in _OVER and await _waits_for_recorder(self.bus)
        if await asyncio.to_thread(self._recorded.is_complete):
            self.is_whole = True
            return True
        if numbers is None or is_waiting or state not in _OVER:
            self._quiet_since = None
            return False
        return self._was_quiet(began)

    def _was_quiet(self, began: float) -> bool:
        """Whether it was quiet long before the look that began then, and now has found it quiet once more."""
        if self._quiet_since is None:
            self._quiet_since = time.monotonic()
        return began - self._quiet_since > self.patience.quiet


async def _numbers(bus: Bus, crawl: str) -> dict[str, Any] | None:
    """State and counts as Redis has them now (an empty state where it knows nothing); None where it does not answer."""
    try:
        return await counts(bus, crawl)
    except (*PASSING, ResponseError):
        return None


async def _waits_for_recorder(bus: Bus) -> bool:
    try:
        return bool((await backlogs(bus))[RECORD.name])
    except (*PASSING, ResponseError):
        return True


class _Recorded:
    """What SQL has of a crawl. Blocks, so it has a thread of its own."""

    def __init__(self, settings: Settings, crawl: str) -> None:
        self.settings, self.crawl = settings, crawl

    @cached_property
    def _engine(self) -> Any:
        # Imported when it is asked for the first time: SQL is half a second of imports, and the stages just start.
        from storage.sql.database import open_database

        return open_database(self.settings)

    def close(self) -> None:
        """Give the connections back, if there were any."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def is_complete(self) -> bool:
        """Whether it has ended, and all that it ended with is there."""
        from storage.read_models import queries

        return queries.is_complete(self._engine, self.crawl)

    def state(self) -> str | None:
        """Its state; None where nothing of it is recorded."""
        from storage.read_models import crawl_list

        row = crawl_list.find(self._engine, self.crawl)
        return row.state if row else None
