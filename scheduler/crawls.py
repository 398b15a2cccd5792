"""What the scheduler knows of running crawls: their specification and scope, read once from Redis and kept."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from events.bus.connection import Bus
from events.crawls import CrawlSpec
from scheduler.scope import Scope

#: Scopes kept; the oldest goes first.
_MOST_KEPT = 256


class Crawls:
    """Scopes of crawls by id; immutable once a crawl has started, so never read twice."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._scopes: dict[str, Scope] = {}

    async def scope(self, crawl: str) -> Scope | None:
        """The scope of a crawl, or None where Redis does not know it."""
        if crawl not in self._scopes:
            raw = await self.bus.redis.hmget(self.bus.keys.crawl(crawl), ["spec", "seeds"])
            if raw[0] is None or raw[1] is None:
                return None
            seeds: Sequence[str] = msgspec.json.decode(raw[1], type=list[str])
            self._keep(crawl, Scope(msgspec.json.decode(raw[0], type=CrawlSpec), seeds))
        return self._scopes[crawl]

    def forget(self, crawl: str) -> None:
        """Read this crawl again when it is asked for: its seeds have changed."""
        self._scopes.pop(crawl, None)

    def _keep(self, crawl: str, scope: Scope) -> None:
        self._scopes[crawl] = scope
        while len(self._scopes) > _MOST_KEPT:
            del self._scopes[next(iter(self._scopes))]
