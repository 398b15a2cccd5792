"""The crawls as the fetchers see them: their specification, which is fixed, and their state, which is not."""

import asyncio
import time

import msgspec

from events.bus import Bus
from events.crawls import CrawlSpec

#: How old a crawl's state may be; a cancelled crawl is noticed that much later.
STATE_SECONDS = 0.5
#: Crawls remembered; the oldest go first.
MOST_CRAWLS = 1_000
_decoder = msgspec.json.Decoder(CrawlSpec)


class KnownCrawl(msgspec.Struct, frozen=True):
    """A crawl's specification and state, as read at a moment of the monotonic clock."""

    spec: CrawlSpec
    state: str
    read_at: float


class CrawlBook:
    """Looks crawls up in Redis, and remembers them for a moment."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: dict[str, KnownCrawl] = {}
        self._lock = asyncio.Lock()

    async def look_up(self, crawl: str) -> KnownCrawl | None:
        """The crawl; None where there is no such crawl, or no longer."""
        if found := self._fresh(crawl):
            return found
        async with self._lock:
            return self._fresh(crawl) or await self._read(crawl)

    def _fresh(self, crawl: str) -> KnownCrawl | None:
        found = self._known.get(crawl)
        return found if found and time.monotonic() - found.read_at < STATE_SECONDS else None

    async def _read(self, crawl: str) -> KnownCrawl | None:
        state, raw = await self._bus.redis.hmget(self._bus.keys.crawl(crawl), ["state", "spec"])
        old = self._known.pop(crawl, None)
        if not state or not raw:
            return None
        spec = old.spec if old else _decoder.decode(raw)
        self._known[crawl] = found = KnownCrawl(spec, state.decode(), time.monotonic())
        if len(self._known) > MOST_CRAWLS:
            del self._known[next(iter(self._known))]
        return found
