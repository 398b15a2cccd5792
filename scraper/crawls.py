"""The crawls as fetchers and parsers see them: their specification, which is fixed, and their state, which is not."""

import asyncio
import time
from typing import Any

import msgspec

from contract.bus import Bus
from contract.bus.scripts import patiently
from contract.crawls import CrawlSpec

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
    """Looks crawls up in Redis, and remembers them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: dict[str, KnownCrawl] = {}
        self._lock = asyncio.Lock()

    def spec(self, crawl: str) -> CrawlSpec | None:
        """The specification of a crawl that was looked up; None where there was no such crawl."""
        found = self._known.get(crawl)
        return found.spec if found else None

    async def look_up(self, crawl: str) -> KnownCrawl | None:
        """The crawl, its state at most STATE_SECONDS old; None where there is no such crawl, or no longer."""
        if found := self._fresh(crawl):
            return found
        async with self._lock:
            if found := self._fresh(crawl):
                return found
            return self.learn(crawl, await patiently(lambda: self.ask(self._bus.redis, crawl)))

    def _fresh(self, crawl: str) -> KnownCrawl | None:
        found = self._known.get(crawl)
        return found if found and time.monotonic() - found.read_at < STATE_SECONDS else None

    def ask(self, redis: Any, crawl: str) -> Any:
        """Ask Redis, or a pipeline that asks for other things too; the answer is for `learn`."""
        return redis.hmget(self._bus.keys.crawl(crawl), ["state", "spec"])

    def learn(self, crawl: str, answer: list[bytes | None]) -> KnownCrawl | None:
        """Remember what Redis said; the crawl, or None where it said that there is none."""
        state, raw = answer
        old = self._known.pop(crawl, None)
        if not state or not raw:
            return None
        spec = old.spec if old else _decoder.decode(raw)
        self._known[crawl] = found = KnownCrawl(spec, state.decode(), time.monotonic())
        if len(self._known) > MOST_CRAWLS:
            del self._known[next(iter(self._known))]
        return found
