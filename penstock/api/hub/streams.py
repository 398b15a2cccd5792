"""What one watcher is sent: the latest of each source it watches, as one piece, as often as the hub allows.

A watcher has no queue. While it takes its time, sources go on; then it is sent the latest message, and of pages what
has come in the meantime, as far as that is still held.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from penstock.api.hub.crawl import follow_crawl
from penstock.api.hub.crawls import follow_crawls
from penstock.api.hub.feed import CrawlFeed, follow_feed
from penstock.api.hub.messages import with_id
from penstock.api.hub.ring import Place
from penstock.api.hub.sharing import Hub


async def crawls(hub: Hub) -> AsyncIterator[bytes]:
    """The list of crawls, first as it stands, then after each change."""
    with hub.counting():
        async with follow_crawls(hub) as source:
            seen = 0
            while await source.told.newer_than(seen):
                seen = source.told.number
                yield source.told.value or b""


async def progress(hub: Hub, crawl: str, name: str) -> AsyncIterator[bytes]:
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


async def details(hub: Hub, crawl: str, name: str, position: int | None) -> AsyncIterator[bytes]:
    """The same with its latest pages, from behind a position on, and its hosts. Ids are positions."""
    with hub.counting():
        async with follow_crawl(hub, crawl, name) as source, follow_feed(hub, crawl, name) as feed:
            watcher, seen = _Detailed(feed, position), 0
            while await source.told.newer_than(seen):
                seen, told = source.told.number, source.told.value
                if told:
                    yield with_id(watcher.position, told[1]) + await watcher.take()
            await feed.is_over.wait()
            yield await watcher.take()
            if source.end:
                yield source.end


class _Detailed:
    """Where a watcher is in a feed."""

    def __init__(self, feed: CrawlFeed, position: int | None) -> None:
        self.feed, self.position = feed, position
        self._place: Place | None = None
        self._hosts = 0

    async def take(self) -> bytes:
        """What the feed has for it; nothing before that is ready, so that the snapshot need not wait."""
        if not self.feed.is_ready.is_set():
            return b""
        if self._place is None:
            self._place = await self.feed.place_of(self.position)
        pages, self._place = self.feed.ring.message_after(self._place), self.feed.ring.place
        self.position = self._place.position
        taken = with_id(self.position, pages) if pages else b""
        if self.feed.hosts.number > self._hosts:
            self._hosts = self.feed.hosts.number
            taken += self.feed.hosts.value or b""
        return taken
