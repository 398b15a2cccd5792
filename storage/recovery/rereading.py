"""event store, archive → again.scraper.parse: the pages for whose reading a frontier waits that was rebuilt.

Takes what SQL has of a crawl, and what Redis waits for; gives each of these pages to the parsers alone, once, with its
body from the archive. Owns nothing.

What counts is what Redis waits for, not what SQL says of it now: another recorder may have written that a page was read
after Redis was told that it was not, and a replay that died may have told so long ago. Such a page is read once more,
so that its links are found; what the parsers then say again is known, and changes nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

from sqlalchemy import Engine

from contract.bus import Bus
from contract.bus.reread import reread
from contract.pages import PageFetched
from contract.settings import Settings
from contract.topology import REPLAY
from storage.archive.reader import ArchiveReader, LostBody
from storage.archive.segments.opening import open_store
from storage.recovery import parts, unfinished
from storage.sql.threads import in_thread
from storage.store import event_store
from storage.store.event_store import Stored

log = logging.getLogger(REPLAY.name)

#: How often is looked whether the parsers have made room for another body.
_LOOK_SECONDS = 0.1


async def reread_all(
    bus: Bus, engine: Engine, settings: Settings, crawl: str, *, go_on: Callable[[], Awaitable[None]]
) -> tuple[str, ...]:
    """Give the parsers each page of a crawl that Redis holds for unread; `go_on` is called now and then, and may raise.

    What the archive has lost goes to them without a body. Returns the fingerprints of pages of which nothing is found.
    """
    with ArchiveReader(open_store(settings), engine) as archive:
        for pages in (unfinished.unread(engine, crawl), _ever_fetched(engine, crawl)):
            if not (waiting := await bus.redis.smembers(bus.keys.unread(crawl))):
                return ()
            async for [stored] in parts.cut(pages, 1):
                message = stored.recorded().message
                if message.payload.fingerprint.encode() not in waiting:
                    continue
                body = await in_thread(_body, archive, stored)
                while int(await bus.redis.get(bus.keys.body_bytes) or 0) > settings.high_water_bytes:
                    await asyncio.sleep(_LOOK_SECONDS)
                    await go_on()
                await reread(bus, message, raw=stored.raw, body=body)
    left = tuple(sorted(mark.decode() for mark in await bus.redis.smembers(bus.keys.unread(crawl))))
    if left:
        log.error("%d pages of crawl %s are not to be found", len(left), crawl, extra={"action": "unread"})
    return left


def _ever_fetched(engine: Engine, crawl: str) -> Iterator[Stored]:
    """Every page.fetched of a crawl, also one that another outcome stands for by now."""
    return event_store.read(engine, types=(PageFetched.TYPE,), crawl=crawl)


def _body(archive: ArchiveReader, stored: Stored) -> bytes | None:
    try:
        return archive.read(stored.place) if stored.place else None
    except LostBody as error:
        log.error("a page is read without its body: %s", error, extra={"action": "body_lost"})
        return None
