"""What one watcher is sent: the latest of each source it watches, as one piece, as often as the hub allows.

A watcher has no queue. While it takes its time, sources go on; then it is sent the latest message, and of pages what
has come in the meantime, as far as that is still held. Who comes back with a position that is held no more is read to
from SQL, a portion at a time, as fast as it takes them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from penstock.api.hub.crawl import follow_crawl
from penstock.api.hub.crawls import follow_crawls
from penstock.api.hub.feed import CrawlFeed, follow_feed
from penstock.api.hub.messages import with_id
from penstock.api.hub.ring import Place, pages_message
from penstock.api.hub.sharing import Hub


async def crawls(hub: Hub) -> AsyncGenerator[bytes]:
    """The list of crawls, first as it stands, then after each change."""
    with hub.counting():
        async with follow_crawls(hub) as source:
            seen = 0
            while await source.told.newer_than(seen):
                seen = source.told.number
                yield source.told.value or b""


async def progress(hub: Hub, crawl: str, name: str) -> AsyncGenerator[bytes]:
    """The progress of a crawl until it is over."""
    with hub.counting():
        async with follow_crawl(hub, crawl, name) as source:
            seen = 0
            while await source.told.newer_than(seen):
                seen, told = source.told.number, source.told.value
                if told:
                    yield with_id(*told)
            if source.end:
                yield source.end


async def details(hub: Hub, crawl: str, name: str, position: int | None) -> AsyncGenerator[bytes]:
    """The same with its latest pages, from behind a position on, and its hosts. Ids are positions."""
    with hub.counting():
        async with follow_crawl(hub, crawl, name) as source, follow_feed(hub, crawl, name) as feed:
            watcher, seen = await _detailed(feed, position), 0
            while watcher.is_behind or await source.told.newer_than(seen):
                is_told, told = source.told.number > seen, source.told.value
                seen = source.told.number
                yield (with_id(watcher.position, told[1]) if is_told and told else b"") + await watcher.take()
            await feed.is_over.wait()
            while watcher.is_behind:
                yield await watcher.take()
            yield await watcher.take()
            if source.end:
                yield source.end


async def _detailed(feed: CrawlFeed, position: int | None) -> _Detailed:
    """A watcher at a position that it gave, or a first-time one: positions beyond the last are from another world."""
    if position is None or position > (upto := await feed.recorded_upto(position)):
        return _Detailed(feed, None, missed_upto=0)
    return _Detailed(feed, position, missed_upto=upto)


class _Detailed:
    """Where a watcher is in a feed; of what was recorded up to `missed_upto`, before it came back, nothing is left out.

    The feed reads a little later than is recorded, so its ring has to get there before the watcher takes a place in it.
    """

    def __init__(self, feed: CrawlFeed, position: int | None, *, missed_upto: int) -> None:
        self.feed, self.position, self.missed_upto = feed, position, missed_upto
        self._place: Place | None = None
        self._hosts = 0

    @property
    def is_behind(self) -> bool:
        """Whether it has come back and must first be told what the feed holds no more."""
        if self._place or self.position is None or not self.feed.has_read(self.missed_upto):
            return False
        return not self.feed.holds_all_since(self.position)

    async def take(self) -> bytes:
        """What the feed has for it; nothing before that is ready, so that the snapshot need not wait."""
        if not self.feed.has_read(self.missed_upto):
            return b""
        if self.is_behind and self.position is not None:
            return await self._missed(self.position)
        if self._place is None:
            self._place = self.feed.place_of(self.position)
        pages, self._place = self.feed.ring.message_after(self._place), self.feed.ring.place
        self.position = self._place.position
        taken = with_id(self.position, pages) if pages else b""
        if self.feed.hosts.number > self._hosts:
            self._hosts = self.feed.hosts.number
            taken += self.feed.hosts.value or b""
        return taken

    async def _missed(self, position: int) -> bytes:
        portion = await self.feed.read_on(position)
        self.position = portion.position
        rows = [msgspec.json.encode(outcome) for outcome in portion.outcomes]
        return with_id(self.position, pages_message(rows)) if rows else b""
