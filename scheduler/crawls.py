"""What the scheduler knows of crawls: specification and scope, read from Redis and kept.

A specification never changes. A scope widens when seeds are added; who goes by an older one is told by the script that
takes its links, and reads it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from contract.bus.connection import Bus
from contract.bus.scripts import patiently
from contract.crawls import CrawlSpec
from scheduler.scope import Scope

#: Crawls kept; the oldest goes first. More than there are messages in a batch.
_MOST_KEPT = 512
_decoder = msgspec.json.Decoder(CrawlSpec)


class Known(msgspec.Struct, frozen=True):
    """A scope, and the word for the places that it was made from: the scripts refuse links judged by another one."""

    scope: Scope
    places: str


class Crawls:
    """Specifications and scopes of crawls by id."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._specs: dict[str, CrawlSpec] = {}
        self._scopes: dict[str, Known] = {}

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

    async def scopes(self, crawls: Iterable[str]) -> dict[str, Known | None]:
        """The scopes of these crawls, as they were when they were read; None where Redis does not know the crawl."""
        found = {crawl: self._scopes.get(crawl) for crawl in crawls}
        unknown = [crawl for crawl, known in found.items() if known is None]
        if unknown:
            specs, words = await self.specs(unknown), await self._fields(unknown, ["places"])
            for crawl, [word] in zip(unknown, words, strict=True):
                if spec := specs[crawl]:
                    found[crawl] = await self._read(crawl, spec, (word or b"").decode())
        return found

    def forget_scope(self, crawl: str) -> None:
        """Read the scope of this crawl again when it is asked for."""
        self._scopes.pop(crawl, None)

    async def _read(self, crawl: str, spec: CrawlSpec, word: str) -> Known:
        members = await patiently(lambda: self.bus.redis.smembers(self.bus.keys.places(crawl)))
        known = Known(Scope(spec, {member.decode() for member in members}), word)
        _keep(self._scopes, crawl, known)
        return known

    async def _fields(self, crawls: Iterable[str], names: list[str]) -> Any:
        keys = [self.bus.keys.crawl(crawl) for crawl in crawls]

        async def read() -> Any:
            # One each time: redis-py's keeps its commands where no connection could be made, and would send them twice.
            pipeline = self.bus.redis.pipeline(transaction=False)
            for key in keys:
                pipeline.hmget(key, names)
            return await pipeline.execute()

        return await patiently(read)


def _keep(kept: dict[str, Any], crawl: str, value: Any) -> None:
    kept.pop(crawl, None)
    kept[crawl] = value
    while len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]
