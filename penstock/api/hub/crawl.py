"""The progress of one crawl, followed once for all who watch it.

Hears every change, tells the latest state at most once in `Hub.pause_seconds`. It is over when SQL has all of the
crawl: the last message is `end`, with the counts of SQL. Redis may be away, or be emptied: what was known stays what
is told, until something is known again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import AbstractAsyncContextManager, aclosing

import msgspec
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from contract.errors import PenstockError
from contract.progress import SILENCE_SECONDS
from penstock.api.hub.ended import is_over, last_state, recorded_state
from penstock.api.hub.latest import Latest
from penstock.api.hub.messages import END, message, with_id
from penstock.api.hub.sharing import Hub
from penstock.view.state import CrawlState
from penstock.watching import states

log = logging.getLogger("penstock.api")


class CrawlProgress:
    """The source: `told` is the latest message, with the number of changes heard by then; `end` the last one of all."""

    def __init__(self, hub: Hub, crawl: str, name: str) -> None:
        self.hub, self.crawl, self.name = hub, crawl, name
        self.told = Latest[tuple[int, bytes]]()
        self.heard = 0
        self.end: bytes | None = None
        self._state: CrawlState
        self._news = asyncio.Event()

    def __repr__(self) -> str:
        return f"<CrawlProgress of {self.crawl}, {self.heard} heard, {self.told.number} told>"

    async def run(self) -> None:
        """Follow the crawl until it is over, or is known nowhere any more."""
        try:
            self._state = await self._recorded()
            if not is_over(self._state):
                await self._follow_and_tell()
            self._tell()
            if is_over(self._state) or self._state.state == "finished":
                last = await last_state(self.hub.house.engine, self._state)
                self.end = with_id(END, message("end", last))
        finally:
            self.told.close()

    async def _recorded(self) -> CrawlState:
        while True:
            with contextlib.suppress(DBAPIError):
                return await asyncio.to_thread(recorded_state, self.hub.house.engine, self.crawl, self.name)
            await asyncio.sleep(SILENCE_SECONDS)

    async def _follow_and_tell(self) -> None:
        telling = asyncio.create_task(self._tell_all())
        try:
            while not await self._follow():
                await asyncio.sleep(SILENCE_SECONDS)
        finally:
            telling.cancel()

    async def _follow(self) -> bool:
        """Hear what there is to hear; False where Redis or SQL did not answer."""
        house = self.hub.house
        began = self._state.seconds - asyncio.get_running_loop().time()
        try:
            async with aclosing(states(house.bus, house.settings, self.crawl, self.name)) as following:
                async for state in following:
                    self._hear(state, seconds=began + asyncio.get_running_loop().time())
        except (RedisError, DBAPIError, OSError) as error:
            log.info("cannot follow %s: %s", self.crawl, error, extra={"action": "cannot_follow"})
            self._news.set()  # what SQL has is better than nothing
            return False
        except PenstockError as error:
            log.warning("%s", error, extra={"action": "lost"})
        return True

    def _hear(self, state: CrawlState, *, seconds: float) -> None:
        self.heard += 1
        known = state if state.discovered or state.fetched else self._state
        self._state = msgspec.structs.replace(known, complete=state.complete, seconds=seconds)
        self._news.set()

    async def _tell_all(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            self._tell()
            await asyncio.sleep(self.hub.pause_seconds)

    def _tell(self) -> None:
        self.told.put((self.heard, message("progress", self._state)))


def follow_crawl(hub: Hub, crawl: str, name: str) -> AbstractAsyncContextManager[CrawlProgress]:
    """The progress of a crawl, shared with all who watch it."""
    return hub.using((CrawlProgress, crawl), lambda: CrawlProgress(hub, crawl, name))


def name_of(hub: Hub, crawl: str) -> str | None:
    """The name of a crawl that is followed already; whoever comes then need not be looked up in SQL."""
    source = hub.known((CrawlProgress, crawl))
    return source.name if isinstance(source, CrawlProgress) else None
