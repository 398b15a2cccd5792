"""What the scheduler knows of crawls: specification and scope, read from Redis and kept.

A specification never changes. A scope widens when seeds are added, so the number of its places is looked at now and
then, and the places are read again when it has changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from events.bus.connection import Bus
from events.bus.scripts import patiently
from events.crawls import CrawlSpec
from scheduler.scope import Scope

#: Crawls kept; the oldest goes first. More than there are messages in a batch.
_MOST_KEPT = 512
#: A scope may be as old as that: seeds that are added to a running crawl widen it that much later. (While a crawl is
#: held for more seeds, none of its pages is fetched.)
SCOPE_SECONDS = 0.1
_decoder = msgspec.json.Decoder(CrawlSpec)


class _Known(msgspec.Struct, frozen=True):
    scope: Scope
    count: int
    until: float


class Crawls:
    """Specifications and scopes of crawls by id."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._specs: dict[str, CrawlSpec] = {}
        self._scopes: dict[str, _Known] = {}

    async def specs(self, crawls: Iterable[str]) -> dict[str, CrawlSpec | None]:
        """The specifications of these crawls; None where Redis does not know the crawl."""
        found = {crawl: self._specs.get(crawl) for crawl in crawls}
        unknown = [crawl for crawl, spec in found.items() if spec is None]
        raws = await self._fields(unknown, ["spec"]) if unknown else []
        for crawl, [raw] in zip(unknown, raws, strict=True):
            if raw is not None:
                found[crawl] = spec = _decoder.decode(raw)
                _keep(self._specs, crawl, spec)
        return found

    async def scopes(self, crawls: Iterable[str]) -> dict[str, Scope | None]:
        """The scopes of these crawls, as they were at most SCOPE_SECONDS ago; None where Redis does not know one."""
        wanted, now = set(crawls), time.monotonic()
        stale = [crawl for crawl in wanted if crawl not in self._scopes or self._scopes[crawl].until < now]
        if stale:
            specs, counts = await self.specs(stale), await self._fields(stale, ["places"])
            for crawl, [count] in zip(stale, counts, strict=True):
                if spec := specs[crawl]:
                    await self._look_again(crawl, spec, int(count or 0))
        return {crawl: self._scopes[crawl].scope if crawl in self._scopes else None for crawl in wanted}

    async def _look_again(self, crawl: str, spec: CrawlSpec, count: int) -> None:
        known = self._scopes.get(crawl)
        if known and known.count == count:
            scope = known.scope
        else:
            members = await patiently(lambda: self.bus.redis.smembers(self.bus.keys.places(crawl)))
            scope = Scope(spec, {member.decode() for member in members})
        _keep(self._scopes, crawl, _Known(scope, count, time.monotonic() + SCOPE_SECONDS))

    async def _fields(self, crawls: Iterable[str], names: list[str]) -> Any:
        pipeline = self.bus.redis.pipeline(transaction=False)
        keys = [self.bus.keys.crawl(crawl) for crawl in crawls]

        async def read() -> Any:
            for key in keys:
                pipeline.hmget(key, names)
            return await pipeline.execute()

        return await patiently(read)


def _keep(kept: dict[str, Any], crawl: str, value: Any) -> None:
    kept.pop(crawl, None)
    kept[crawl] = value
    while len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]
