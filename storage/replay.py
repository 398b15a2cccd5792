"""event store → frontier.restore: tell a Redis that has lost unfinished crawls what is recorded, so that they go on.

Takes crawls from the read models and links from the event store; gives the parts of `FrontierRestore`, step by step,
and has pages read that nobody has read yet (`storage.recovery.rereading`). Owns nothing: the frontier is a projection
of what is recorded, and this is its rebuild.

- A Redis is empty when it was not restored for its epoch. Nothing is issued, and no command carried out, before it is.
- One of all recorders does it; when it dies another one begins from the start, and what comes twice changes nothing.
  The parts of one that was only slow count no more then.
- When Redis is emptied once more meanwhile, it begins anew for the next epoch; when it loses a part, or a part
  becomes a dead letter, from the start.
- Where SQL has lost what Redis was told is recorded (a power cut, a failover, an older copy), Redis is emptied by us as
  soon as all is recorded that it still holds.
- A Redis that has lost its last seconds alone is told of those crawls that it cannot come back to by itself
  (`storage.recovery.ahead`), and nobody waits for that.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
from redis.exceptions import ResponseError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from contract import codec
from contract.bus import Bus
from contract.bus.emptying import empty, is_drained, stop_world
from contract.bus.groups import ensure_groups, is_restored, let_go, mark_restored
from contract.bus.groups import epoch as epoch_of
from contract.bus.recorded import acknowledge, latest_mark
from contract.bus.scripts import PASSING, passing
from contract.commands import FrontierRestore
from contract.crawls import CrawlSpec
from contract.envelope import new_message
from contract.lifetime import happened
from contract.settings import Settings
from contract.topology import RECORD, REPLAY
from storage.batch import is_passing
from storage.recovery import parts, unfinished
from storage.recovery.ahead import Here, Lookout
from storage.recovery.rereading import reread_all
from storage.sql.threads import in_thread
from storage.store import ledger

log = logging.getLogger(REPLAY.name)

#: How often a recorder looks whether Redis is another world than the one that it knows.
LOOK_SECONDS = 0.1
#: How often it looks whether more is recorded than Redis knows; such a crawl is told after two looks.
COMPARE_SECONDS = 0.5
#: A replay whose recorder is silent for this long is begun anew by another one.
CLAIM_MS = 10_000
#: Pages, links and seeds in one part: its script holds the server for some 5 ms.
PAGES_A_PART, LINKS_A_PART, SEEDS_A_PART = 500, 1_000, 2_000
#: Parts on their way at once; what a replay takes of Redis' memory, and of the schedulers'.
PARTS_AHEAD = 16
#: Fetchers have this long to tell which of their requests began before Redis was emptied and are not over
#: (`Keys.old_requests`); they look four times a second. With less, a host may see more at once than its limit.
CENSUS_SECONDS = 2.0
_POLL_SECONDS = 0.005


class _Interrupted(Exception):
    """Raised when Redis has lost parts that were sent, another recorder is at it, or we are asked to stop."""


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
    known, keeper = b"", _Keeper(bus, engine, settings, stop)
    while not stop.is_set():
        try:
            epoch, known = await _world(bus, known)
            if epoch is None:
                await ensure_groups(bus)
            elif await keeper.emptied():
                known = b""
            elif epoch != known and is_idle() and await keeper.rebuilt():
                known = epoch
                when_done()
            elif epoch == known and await keeper.brought_back():
                when_done()
        except _Interrupted:
            continue
        except (*PASSING, ResponseError) as error:
            if not passing(error):
                raise
        except SQLAlchemyError as error:
            if not is_passing(error):
                raise
            _say_away(error)
            await happened(stop, within=COMPARE_SECONDS)
        await happened(stop, within=LOOK_SECONDS)


async def _world(bus: Bus, known: bytes) -> tuple[bytes | None, bytes]:
    """The server's epoch, and the one that is known: none where the server has lost that it was restored for it."""
    epoch, restored = await bus.redis.mget([bus.keys.epoch, bus.keys.restored])
    return epoch, known if known == restored else b""


def _say_away(error: SQLAlchemyError) -> None:
    reason = str(error).partition("\n")[0]
    log.warning("will begin again when the database answers: %s", reason, extra={"action": "database_away"})


class _Keeper:
    """Begins replays, one of all recorders at a time."""

    def __init__(self, bus: Bus, engine: Engine, settings: Settings, stop: asyncio.Event) -> None:
        self.bus, self.engine, self.settings, self.stop = bus, engine, settings, stop
        self._lookout, self._look_at = Lookout(bus, engine), 0.0
        self._compare_at = 0.0

    async def rebuilt(self) -> bool:
        """Whether the frontier is there; rebuilds it unless somebody else is about to."""
        if await is_restored(self.bus):
            return True
        async with self._claimed() as replay:
            if replay:
                await replay.work()
        return replay is not None

    async def emptied(self) -> bool:
        """Whether SQL lacks what Redis was told is recorded: then Redis is emptied, to be rebuilt from it."""
        if time.monotonic() < self._compare_at:
            return False
        mark = await latest_mark(self.bus)
        if not await in_thread(ledger.has_lost, self.engine, mark):
            self._compare_at = time.monotonic() + COMPARE_SECONDS
            return False
        async with self._claimed() as replay:
            if replay:
                await replay.empty()
        return True

    async def brought_back(self) -> bool:
        """Tell Redis of crawls of which more is recorded than it knows; whether there were any."""
        if time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + COMPARE_SECONDS
        if not await self._lookout.look():
            return False
        async with self._claimed() as replay:
            # Once more, because somebody else may have done it meanwhile.
            found = await self._lookout.look() if replay else {}
            if replay and found:
                await replay.bring_back(found)
        return bool(found)

    @contextlib.asynccontextmanager
    async def _claimed(self) -> AsyncIterator["Replay | None"]:
        """A replay, or None where another recorder is at it."""
        run = secrets.token_hex(4)
        if not await self.bus.redis.set(self.bus.keys.replaying, run, nx=True, px=CLAIM_MS):
            # A server whose clock was set back would keep the claim of a dead recorder until it has caught up.
            await self.bus.redis.pexpire(self.bus.keys.replaying, CLAIM_MS, lt=True)
            yield None
            return
        try:
            yield Replay(self.bus, self.engine, self.settings, self.stop, run=run)
        finally:
            with contextlib.suppress(*PASSING, ResponseError):  # else it ends by itself
                await let_go(self.bus, run)


class Replay:
    """One replay, for one epoch: of every unfinished crawl, or of some."""

    def __init__(self, bus: Bus, engine: Engine, settings: Settings, stop: asyncio.Event, *, run: str) -> None:
        self.bus, self.engine, self.settings, self.stop, self.run = bus, engine, settings, stop, run
        self.epoch, self.sent = "", 0

    def __repr__(self) -> str:
        return f"<Replay {self.run} for {self.epoch}: {self.sent} parts of this crawl>"

    async def work(self) -> None:
        """Tell of every unfinished crawl, and say that it is done; raises `_Interrupted`."""
        self.epoch = await epoch_of(self.bus)
        began = time.monotonic()
        # Those that ended first, so that a name stays with the one that has it now.
        lost = await in_thread(unfinished.lacking, self.engine)
        lost += await in_thread(unfinished.crawls, self.engine)
        for crawl, state, spec in lost:
            log.warning("rebuilding the frontier of crawl %s", crawl, extra={"action": "rebuilding"})
            await self._crawl(crawl, state, msgspec.json.decode(spec, type=CrawlSpec))
        if mark := await in_thread(ledger.latest, self.engine):
            await acknowledge(self.bus, RECORD.name, {}, mark)
        if lost:
            await happened(self.stop, within=max(0.0, began + CENSUS_SECONDS - time.monotonic()))
        await self._go_on()
        await mark_restored(self.bus, self.epoch)
        if lost:
            log.warning("the frontier is there again: %d crawls", len(lost), extra={"action": "rebuilt"})

    async def empty(self) -> None:
        """Give up a world of which SQL has lost a part, once SQL has all that it still holds; raises `_Interrupted`."""
        self.epoch = await epoch_of(self.bus)
        log.error("SQL lacks what was recorded: Redis is rebuilt from it, and what is lost is fetched again",
                  extra={"action": "sql_behind"})  # fmt: skip
        await stop_world(self.bus)
        while not await is_drained(self.bus, RECORD):
            await happened(self.stop, within=LOOK_SECONDS)
            await self._go_on()
        told = await in_thread(unfinished.lacking, self.engine) + await in_thread(unfinished.crawls, self.engine)
        await empty(self.bus, [crawl for crawl, _, _ in told])

    async def bring_back(self, found: Mapping[str, Here]) -> None:
        """Tell of these crawls alone, to a Redis that has lost its last seconds; raises `_Interrupted`."""
        self.epoch = await epoch_of(self.bus)
        for crawl, state, spec in await in_thread(unfinished.crawls, self.engine, list(found)):
            log.warning("Redis has lost the latest of crawl %s", crawl, extra={"action": "bringing_back"})
            decoded = msgspec.json.decode(spec, type=CrawlSpec)
            if state == "cancelled" or found[crawl].has_ended:
                await self._begin(crawl, state, decoded)
                await self._worked_in(crawl)
            elif state != "finished":
                await self._crawl(crawl, state, decoded)

    async def _begin(self, crawl: str, state: Any, spec: CrawlSpec) -> FrontierRestore:
        self.sent = 0
        version = await in_thread(unfinished.version, self.engine, crawl)
        delays = tuple(await in_thread(unfinished.crawl_delays, self.engine, crawl))
        begin = FrontierRestore(epoch=self.epoch, run=self.run, step="crawl", spec=spec, state=state, version=version)
        await self._send(crawl, msgspec.structs.replace(begin, crawl_delays=delays))
        return begin

    async def _crawl(self, crawl: str, state: Any, spec: CrawlSpec) -> None:
        begin = await self._begin(crawl, state, spec)
        async for seeds in parts.cut(unfinished.seeds(self.engine, crawl), SEEDS_A_PART):
            await self._send(crawl, msgspec.structs.replace(begin, seeds=tuple(seeds)))
        await self._worked_in(crawl)
        async for rows in parts.cut(unfinished.known_pages(self.engine, crawl), PAGES_A_PART):
            known = await in_thread(parts.known, self.engine, rows)
            await self._send(crawl, self._part("pages", pages=known))
        await self._worked_in(crawl)
        async for seeds in parts.cut(unfinished.seeds(self.engine, crawl), SEEDS_A_PART):
            await self._send(crawl, self._part("links", seeds=tuple(seeds)))
        links = parts.links(self.engine, crawl)
        async for pages in parts.cut(links, LINKS_A_PART, weight=lambda page: len(page.links)):
            await self._send(crawl, self._part("links", links=tuple(pages)))
        await self._worked_in(crawl)
        unread = await reread_all(self.bus, self.engine, self.settings, crawl, go_on=self._go_on)
        await self._go_on()  # whoever has taken over by now also says the end
        await self._send(crawl, self._part("end", unread=unread))
        await self._worked_in(crawl)

    def _part(self, step: Any, **what: Any) -> FrontierRestore:
        return FrontierRestore(epoch=self.epoch, run=self.run, step=step, **what)

    async def _send(self, crawl: str, part: FrontierRestore) -> None:
        await self._worked_in(crawl, ahead=PARTS_AHEAD)
        self.sent += 1
        message = new_message(part, id=f"{crawl}.restore.{self.run}.{self.sent}", source=REPLAY.name, crawl=crawl)
        async with self.bus.redis.pipeline(transaction=True) as pipeline:
            pipeline.xadd(self.bus.keys.stream(part.TYPE), {"e": codec.encode(message)})
            pipeline.hset(self.bus.keys.crawl(crawl), self.bus.keys.sent_field(self.run), self.sent)
            await pipeline.execute()

    async def _worked_in(self, crawl: str, *, ahead: int = 0) -> None:
        """Wait until all parts of this crawl but so many have been worked in."""
        fields = [self.bus.keys.run_field(self.run), self.bus.keys.sent_field(self.run)]
        while self.sent > ahead:
            done, sent = (int(n or 0) for n in await self.bus.redis.hmget(self.bus.keys.crawl(crawl), fields))
            if sent != self.sent or done < 0:  # one was lost, or given up (scheduler/frontier/restore_lost.lua)
                raise _Interrupted
            if done >= self.sent - ahead:
                break
            await asyncio.sleep(_POLL_SECONDS)
            await self._go_on()

    async def _go_on(self) -> None:
        keys = self.bus.keys
        if self.stop.is_set():
            raise _Interrupted
        if await self.bus.redis.mget([keys.epoch, keys.replaying]) != [self.epoch.encode(), self.run.encode()]:
            raise _Interrupted  # another world, or we were silent for so long that another recorder is at it
        await self.bus.redis.pexpire(self.bus.keys.replaying, CLAIM_MS)
