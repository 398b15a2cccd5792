"""Crawls of which more is recorded than Redis knows. Takes read models and event store, looks at Redis, gives `Ahead`.

Whatever is recorded was in Redis first. So Redis has gone back in time, by a failover to a replica that had not got the
last seconds, or by a power cut, where SQL has

- a crawl that goes on, and Redis none of that id: its start was lost;
- an event of a crawl's life under the version that Redis will give next: a command was lost;
- a crawl that was cancelled, and Redis one that goes on;
- a crawl that goes on, and Redis one that has ended, under a version that is another event's in SQL: Redis went on
  from where it was, and what it said then was refused as said before.

All else that was lost Redis does again by itself: what it has left is a beginning of what it was.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Engine

from contract.bus import Bus
from contract.crawls import life_id
from storage.recovery import unfinished
from storage.sql.threads import in_thread
from storage.store import event_store

_GOES_ON = ("running", "paused")


class Here(msgspec.Struct, frozen=True):
    """What Redis knows of a crawl; `state` is empty where it knows nothing."""

    state: str = ""
    version: int = 0
    is_restoring: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether Redis holds it for finished or cancelled."""
        return bool(self.state) and self.state not in _GOES_ON


class Lookout:
    """Compares SQL with Redis. What it finds holds where it is the same at the next look: SQL is written meanwhile."""

    def __init__(self, bus: Bus, engine: Engine) -> None:
        self.bus, self.engine = bus, engine
        self._found: dict[str, Here] = {}

    def __repr__(self) -> str:
        return f"<Lookout: {len(self._found)} crawls may be ahead of Redis>"

    async def look(self) -> dict[str, Here]:
        """The crawls that were ahead of Redis at the last look, and still are."""
        before, self._found = self._found, await self._look()
        return {crawl: here for crawl, here in self._found.items() if before.get(crawl) == here}

    async def _look(self) -> dict[str, Here]:
        named = [crawl.decode() for crawl in await self.bus.redis.hvals(self.bus.keys.names)]
        states = await in_thread(unfinished.states, self.engine, named)
        if not states:
            return {}
        known = await self._known(states)
        asked = [life_id(crawl, here.version + n) for crawl, here in known.items() for n in (0, 1)]
        recorded = await in_thread(event_store.recorded_ids, self.engine, asked)
        return {crawl: here for crawl, here in known.items() if _is_ahead(crawl, states[crawl], here, recorded)}

    async def _known(self, crawls: Collection[str]) -> dict[str, Here]:
        pipeline = self.bus.redis.pipeline(transaction=False)
        for crawl in crawls:
            pipeline.hmget(self.bus.keys.crawl(crawl), ["state", "version", "restoring"])
        found = zip(crawls, await pipeline.execute(), strict=True)
        return {
            crawl: Here((state or b"").decode(), int(version or 0), bool(restoring))
            for crawl, (state, version, restoring) in found
        }


def _is_ahead(crawl: str, state: str, here: Here, recorded: Collection[str]) -> bool:
    if state not in _GOES_ON:
        return state == "cancelled" and here.state in _GOES_ON
    if not here.state or here.is_restoring:
        return True  # unknown; or somebody has begun to tell of it, and died
    at, next_one = (life_id(crawl, here.version + n) in recorded for n in (0, 1))
    return next_one or (here.has_ended and at)
