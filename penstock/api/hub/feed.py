"""The latest pages of a crawl and its hosts, read once for all who watch it in detail.

Follows the crawl's progress as a hint that there may be more; reads behind the position that it has read up to, so
nothing is missed and nothing comes twice. What is recorded is told TITLE_SECONDS later: by then most pages have titles.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from contextlib import AbstractAsyncContextManager

from sqlalchemy.exc import DBAPIError

from penstock.api.hub.crawl import follow_crawl
from penstock.api.hub.hosts import hosts_of
from penstock.api.hub.latest import Latest
from penstock.api.hub.messages import message
from penstock.api.hub.pace import Paces
from penstock.api.hub.ring import Place, Ring
from penstock.api.hub.sharing import Hub
from storage.store import feed

log = logging.getLogger("penstock.api")

#: Between two looks for more.
READ_SECONDS = 0.25
#: How long outcomes are held back; pages are read (parsed) that long after they were fetched, and have titles then.
TITLE_SECONDS = 0.5
#: Between two messages about hosts.
HOSTS_SECONDS = 2.0
#: Hosts in a message.
BUSIEST, SLOWEST = 10, 5


class CrawlFeed:
    """The source: `ring` has the latest outcomes, `hosts` is the latest message about hosts, `paces` what is in it."""

    def __init__(self, hub: Hub, crawl: str, name: str) -> None:
        self.hub, self.crawl, self.name = hub, crawl, name
        self.ring, self.paces = Ring(), Paces()
        self.hosts = Latest[bytes]()
        self.is_ready, self.is_over = asyncio.Event(), asyncio.Event()
        self._ends: deque[tuple[float, int]] = deque()
        self._hosts_at = 0.0

    def __repr__(self) -> str:
        return f"<CrawlFeed of {self.crawl}: {self.ring!r}, {self.paces!r}>"

    async def run(self) -> None:
        """Read until the crawl is over."""
        try:
            await self._begin()
            self.is_ready.set()
            async with follow_crawl(self.hub, self.crawl, self.name) as progress:
                told = 0
                while await progress.told.newer_than(told):
                    told = progress.told.number
                    await self._go_on()
                    await asyncio.sleep(READ_SECONDS)
            await self._finish()
        finally:
            self.is_ready.set()
            self.is_over.set()

    async def recorded_upto(self, known: int) -> int:
        """The last position there is; where SQL does not answer, the one that is known."""
        with contextlib.suppress(DBAPIError):
            return await asyncio.to_thread(feed.last_position, self.hub.house.engine)
        return known

    def has_read(self, upto: int) -> bool:
        """Whether the ring has got to a position, or as far as it ever will."""
        return self.is_ready.is_set() and (self.ring.place.position >= upto or self.is_over.is_set())

    def holds_all_since(self, position: int) -> bool:
        """Whether each outcome behind a position can be told from the ring."""
        return position >= self.ring.whole_after

    async def read_on(self, position: int) -> feed.Portion:
        """The next outcomes behind a position, as recorded; none, and the same position, where SQL does not answer."""
        try:
            upto = self.ring.place.position
            return await asyncio.to_thread(feed.read_on, self.hub.house.engine, self.crawl, after=position, upto=upto)
        except DBAPIError as error:
            await self._wait(error)
            return feed.Portion(position=position, outcomes=[], asked=[], left_out=0)

    def place_of(self, position: int | None) -> Place:
        """Where a watcher begins: behind the position that it knows, all since being held, or a few outcomes ago."""
        if position is None or position > self.ring.place.position:
            return self.ring.first_place()
        return self.ring.place_at(position)

    async def _begin(self) -> None:
        while True:
            try:
                return self._take(await asyncio.to_thread(feed.read_latest, self.hub.house.engine, self.crawl))
            except DBAPIError as error:
                await self._wait(error)

    async def _go_on(self) -> None:
        """Read what was recorded TITLE_SECONDS ago, and say how hosts are if it is time to."""
        try:
            now, end = time.monotonic(), await asyncio.to_thread(feed.last_position, self.hub.house.engine)
            self._ends.append((now, end))
            while len(self._ends) > 1 and self._ends[1][0] <= now - TITLE_SECONDS:
                self._ends.popleft()
            seen_at, end = self._ends[0]
            if seen_at <= now - TITLE_SECONDS:
                await self._read(upto=end)
            if now - self._hosts_at >= max(HOSTS_SECONDS, self.hub.pause_seconds):
                self._hosts_at = now
                await self._tell_hosts()
        except DBAPIError as error:
            await self._wait(error)

    async def _finish(self) -> None:
        """Read all there is; where SQL does not answer, watchers do without."""
        with contextlib.suppress(DBAPIError):
            await self._read(upto=await asyncio.to_thread(feed.last_position, self.hub.house.engine))
            await self._tell_hosts()

    async def _read(self, *, upto: int) -> None:
        after = self.ring.place.position
        if upto > after:
            self._take(await asyncio.to_thread(feed.read, self.hub.house.engine, self.crawl, after=after, upto=upto))

    def _take(self, portion: feed.Portion) -> None:
        self.ring.add(portion.outcomes, upto=portion.position, left_out=portion.left_out)
        self.paces.note(portion.asked)

    async def _tell_hosts(self) -> None:
        names = list(dict.fromkeys([*self.paces.busiest(BUSIEST), *self.paces.slowest(SLOWEST)]))
        hosts = await hosts_of(self.hub.house, self.crawl, names, self.paces)
        self.hosts.put(message("hosts", {"hosts": [host.model_dump() for host in hosts]}))

    async def _wait(self, error: DBAPIError) -> None:
        log.info("cannot read the latest pages of %s: %s", self.crawl, error.orig, extra={"action": "cannot_read"})
        await asyncio.sleep(HOSTS_SECONDS)


def follow_feed(hub: Hub, crawl: str, name: str) -> AbstractAsyncContextManager[CrawlFeed]:
    """The feed of a crawl, shared with all who watch it in detail."""
    return hub.using((CrawlFeed, crawl), lambda: CrawlFeed(hub, crawl, name))
