"""event store → frontier.restore: tell an empty Redis what is recorded of unfinished crawls, so that they go on.

Takes crawls from the read models and links from the event store; gives the parts of `FrontierRestore`, step by step,
and pages that nobody has read yet to the parsers alone, with their bodies from the archive. Owns nothing: the frontier
is a projection of what is recorded, and this is its rebuild.

- A Redis is empty when it was not restored for its epoch. Nothing is issued, and no command carried out, before it is.
- One of all recorders does it; when it dies another one begins from the start, and what comes twice changes nothing.
- When Redis is emptied once more meanwhile, it begins anew for the next epoch.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec
from redis.exceptions import ResponseError
from sqlalchemy import Engine

from events.bus import Bus, publish
from events.bus.groups import ensure_groups, is_restored, mark_restored
from events.bus.reread import reread
from events.bus.scripts import PASSING, passing
from events.commands import FrontierRestore, KnownLinks, KnownPage
from events.crawls import CrawlSpec
from events.envelope import new_message
from events.lifetime import happened
from events.pages import PageFailed, PageParsed
from events.settings import Settings
from events.topology import REPLAY
from storage import event_store, unfinished
from storage.archive_reader import ArchiveReader, LostBody
from storage.event_store import Stored
from storage.segments.opening import open_store

log = logging.getLogger(REPLAY.name)

#: How often a recorder looks whether Redis is another world than the one that it knows.
LOOK_SECONDS = 0.1
#: A replay whose recorder is silent for this long is begun anew by another one.
CLAIM_MS = 10_000
#: Pages, links and seeds in one part: its script holds the server for some 5 ms.
PAGES_A_PART, LINKS_A_PART, SEEDS_A_PART = 500, 1_000, 2_000
#: Parts on their way at once; what a replay takes of Redis' memory, and of the schedulers'.
PARTS_AHEAD = 16
_POLL_SECONDS = 0.005

T = TypeVar("T")


class _Interrupted(Exception):
    """Raised when Redis was emptied once more, or when we are asked to stop."""


async def replay(
    bus: Bus,
    engine: Engine,
    settings: Settings,
    stop: asyncio.Event,
    *,
    is_idle: Callable[[], bool],
    when_done: Callable[[], None],
) -> None:
    """Rebuild the frontier whenever Redis has lost it, until asked to stop.

    `is_idle` says that this recorder holds nothing of a world before; `when_done` is called after each rebuild.
    """
    known = b""
    while not stop.is_set():
        try:
            epoch = await bus.redis.get(bus.keys.epoch)
            if epoch is None:
                await ensure_groups(bus)
            elif epoch != known and is_idle() and await _rebuilt(bus, engine, settings, stop):
                known = epoch
                when_done()
        except _Interrupted:
            continue
        except (*PASSING, ResponseError) as error:
            if not passing(error):
                raise
        await happened(stop, within=LOOK_SECONDS)


async def _rebuilt(bus: Bus, engine: Engine, settings: Settings, stop: asyncio.Event) -> bool:
    """Whether the frontier is there; rebuilds it unless somebody else is about to."""
    if await is_restored(bus):
        return True
    run = secrets.token_hex(4)
    if not await bus.redis.set(bus.keys.replaying, run, nx=True, px=CLAIM_MS):
        return False
    try:
        await Replay(bus, engine, settings, stop, run=run).work()
    finally:
        await bus.redis.delete(bus.keys.replaying)
    return True


class Replay:
    """One rebuild of the frontier, for one epoch."""

    def __init__(self, bus: Bus, engine: Engine, settings: Settings, stop: asyncio.Event, *, run: str) -> None:
        self.bus, self.engine, self.settings, self.stop, self.run = bus, engine, settings, stop, run
        self.epoch, self.sent = "", 0

    def __repr__(self) -> str:
        return f"<Replay {self.run} for {self.epoch}: {self.sent} parts of this crawl>"

    async def work(self) -> None:
        """Tell of every unfinished crawl, and say that it is done; raises `_Interrupted`."""
        self.epoch = ((await self.bus.redis.get(self.bus.keys.epoch)) or b"").decode()
        lost = await asyncio.to_thread(unfinished.crawls, self.engine)
        for crawl, state, spec in lost:
            log.warning("rebuilding the frontier of crawl %s", crawl, extra={"action": "rebuilding"})
            await self._crawl(crawl, state, msgspec.json.decode(spec, type=CrawlSpec))
        await self._go_on()
        await mark_restored(self.bus, self.epoch)
        if lost:
            log.warning("the frontier is there again: %d crawls", len(lost), extra={"action": "rebuilt"})

    async def _crawl(self, crawl: str, state: Any, spec: CrawlSpec) -> None:
        self.sent = 0
        version = await asyncio.to_thread(unfinished.version, self.engine, crawl)
        delays = tuple(await asyncio.to_thread(unfinished.crawl_delays, self.engine, crawl))
        begin = FrontierRestore(epoch=self.epoch, run=self.run, step="crawl", spec=spec, state=state, version=version)
        await self._send(crawl, msgspec.structs.replace(begin, crawl_delays=delays))
        async for seeds in _cut(unfinished.seeds(self.engine, crawl), SEEDS_A_PART):
            await self._send(crawl, msgspec.structs.replace(begin, seeds=tuple(seeds)))
        await self._worked_in(crawl)
        async for rows in _cut(unfinished.known_pages(self.engine, crawl), PAGES_A_PART):
            pages = await asyncio.to_thread(_known, self.engine, rows)
            await self._send(crawl, self._part("pages", pages=pages))
        await self._worked_in(crawl)
        async for seeds in _cut(unfinished.seeds(self.engine, crawl), SEEDS_A_PART):
            await self._send(crawl, self._part("links", seeds=tuple(seeds)))
        async for links in _cut(_links(self.engine, crawl), LINKS_A_PART, weight=lambda page: len(page.links)):
            await self._send(crawl, self._part("links", links=tuple(links)))
        await self._worked_in(crawl)
        await self._reread(crawl)
        await self._send(crawl, self._part("end"))
        await self._worked_in(crawl)

    def _part(self, step: Any, **what: Any) -> FrontierRestore:
        return FrontierRestore(epoch=self.epoch, run=self.run, step=step, **what)

    async def _send(self, crawl: str, part: FrontierRestore) -> None:
        await self._worked_in(crawl, ahead=PARTS_AHEAD)
        self.sent += 1
        id = f"{crawl}.restore.{self.run}.{self.sent}"
        await publish(self.bus, new_message(part, id=id, source=REPLAY.name, crawl=crawl))

    async def _worked_in(self, crawl: str, *, ahead: int = 0) -> None:
        """Wait until all parts of this crawl but so many have been worked in."""
        while self.sent > ahead:
            done = await self.bus.redis.hget(self.bus.keys.crawl(crawl), self.bus.keys.run_field(self.run))
            if int(done or 0) >= self.sent - ahead:
                break
            await asyncio.sleep(_POLL_SECONDS)
            await self._go_on()

    async def _go_on(self) -> None:
        if self.stop.is_set() or await self.bus.redis.get(self.bus.keys.epoch) != self.epoch.encode():
            raise _Interrupted
        await self.bus.redis.pexpire(self.bus.keys.replaying, CLAIM_MS)

    async def _reread(self, crawl: str) -> None:
        """Give the parsers what was fetched and never read; what the archive has lost goes to them without a body."""
        with ArchiveReader(open_store(self.settings), self.engine) as archive:
            async for pages in _cut(unfinished.unread(self.engine, crawl), 1):
                [stored] = pages
                body = await asyncio.to_thread(_body, archive, stored)
                while int(await self.bus.redis.get(self.bus.keys.body_bytes) or 0) > self.settings.high_water_bytes:
                    await asyncio.sleep(LOOK_SECONDS)
                    await self._go_on()
                message = stored.recorded().message
                await reread(self.bus, message, raw=stored.raw, body=body)


def _body(archive: ArchiveReader, stored: Stored) -> bytes | None:
    try:
        return archive.read(stored.place) if stored.place else None
    except LostBody as error:
        log.error("a page is read without its body: %s", error, extra={"action": "body_lost"})
        return None


def _known(engine: Engine, rows: Iterable[dict[str, Any]]) -> tuple[KnownPage, ...]:
    rows = list(rows)
    asking = [row["event"] for row in rows if row["outcome"] == "failed" and row["retryable"]]
    failures = {each.key: each.message.payload for each in event_store.by_key(engine, asking)}
    return tuple(_known_page(row, failures.get(row["event"])) for row in rows)


def _known_page(row: dict[str, Any], failed: PageFailed | None) -> KnownPage:
    outcome = row["outcome"]
    if outcome == "fetched":
        outcome = "page" if row["status"] < 300 else "moved"
    asked = failed is not None and failed.retry_after_ms
    return KnownPage(
        url=row["url"],
        depth=row["depth"],
        hops=row["hops"],
        via=row["via"],
        attempt=row["attempts"],
        outcome=outcome,
        reason=row["reason"] or "",
        retryable=bool(row["retryable"]),
        wait_until=failed.started_at + failed.elapsed_ms + (failed.retry_after_ms or 0) if failed and asked else 0,
        read=bool(row["read"]),
    )


def _links(engine: Engine, crawl: str) -> Iterator[KnownLinks]:
    for stored in event_store.read(engine, types=(PageParsed.TYPE,), crawl=crawl):
        page: PageParsed = stored.recorded().message.payload
        if page.links:
            yield KnownLinks(page.url, page.depth, page.hops, page.links)


async def _cut(things: Iterable[T], size: int, *, weight: Callable[[T], int] = lambda _: 1) -> AsyncIterator[list[T]]:
    """The things in lists of about this weight, read in a thread."""
    source = iter(things)
    while part := await asyncio.to_thread(_next_part, source, size, weight):
        yield part


def _next_part(source: Iterator[T], size: int, weight: Callable[[T], int]) -> list[T]:
    part: list[T] = []
    total = 0
    for thing in source:
        part.append(thing)
        total += weight(thing)
        if total >= size:
            break
    return part
