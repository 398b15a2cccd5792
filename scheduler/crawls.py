"""What the scheduler knows of crawls: specification and scope, read from Redis and kept.

A specification never changes. A scope widens when seeds are added, so the number of its places is looked at for each
batch, and the places are read again when it has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from events.bus.connection import Bus
from events.bus.scripts import patiently
from events.crawls import CrawlSpec
from scheduler.scope import Scope

#: Crawls kept; the oldest goes first.
_MOST_KEPT = 256
_decoder = msgspec.json.Decoder(CrawlSpec)


class Crawls:
    """Specifications and scopes of crawls by id."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._specs: dict[str, CrawlSpec] = {}
        self._scopes: dict[str, tuple[int, Scope]] = {}

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
        """The scopes of these crawls as they are now; None where Redis does not know the crawl."""
        wanted = list(set(crawls))
        specs, counts = await self.specs(wanted), await self._fields(wanted, ["places"])
        return {
            crawl: await self._scope(crawl, spec, int(count or 0)) if (spec := specs[crawl]) else None
            for crawl, [count] in zip(wanted, counts, strict=True)
        }

    async def _scope(self, crawl: str, spec: CrawlSpec, count: int) -> Scope:
        known_count, scope = self._scopes.get(crawl, (-1, None))
        if scope is None or known_count != count:
            members = await patiently(lambda: self.bus.redis.smembers(self.bus.keys.places(crawl)))
            scope = Scope(spec, {member.decode() for member in members})
            _keep(self._scopes, crawl, (count, scope))
        return scope

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
