"""The list of crawls, put together once for all who watch it: the unfinished ones, and the latest.

Looks every TICK_SECONDS, and when there is news; tells only what has changed, at most once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import AbstractAsyncContextManager

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from penstock.api.hub.latest import Latest
from penstock.api.hub.messages import message
from penstock.api.hub.sharing import Hub
from penstock.api.resources import watched

log = logging.getLogger("penstock.api")

TICK_SECONDS = 1.0
#: Ended crawls are told of as long as they are among so many.
LATEST = 20


class CrawlList:
    """The source: `told` is the latest message."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.told = hub, Latest[bytes]()
        self._news = asyncio.Event()

    def __repr__(self) -> str:
        return f"<CrawlList {self.told.number} told>"

    async def run(self) -> None:
        """Tell of each change until cancelled."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                if await self._look():
                    await asyncio.sleep(max(TICK_SECONDS, self.hub.pause_seconds))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), TICK_SECONDS)
                self._news.clear()
        finally:
            listening.cancel()
            self.told.close()

    async def _look(self) -> bool:
        """Tell how crawls are now; whether that was anything new."""
        try:
            crawls = await watched(self.hub.house, latest=LATEST)
        except (RedisError, DBAPIError) as error:
            log.info("cannot list the crawls: %s", error, extra={"action": "cannot_list"})
            return False
        found = message("crawls", {"crawls": [crawl.model_dump() for crawl in crawls]})
        if found == self.told.value:
            return False
        self.told.put(found)
        return True

    async def _listen(self) -> None:
        """Hear that a crawl has begun, or was steered."""
        bus = self.hub.house.bus
        while True:
            reader = bus.reader()
            try:
                async with reader.pubsub() as pubsub:
                    await pubsub.subscribe(bus.keys.news)
                    async for _ in pubsub.listen():
                        self._news.set()
            except RedisError:
                await asyncio.sleep(TICK_SECONDS)  # without news there is still the tick
            finally:
                await bus.release(reader)


def follow_crawls(hub: Hub) -> AbstractAsyncContextManager[CrawlList]:
    """The list of crawls, shared with all who watch it."""
    return hub.using(CrawlList, lambda: CrawlList(hub))
