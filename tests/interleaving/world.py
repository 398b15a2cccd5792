"""One world of a story: server, database, web, processes; and what may befall it.

Takes a seed's choices one by one, gives what came of them; owns everything that a story leaves behind. Whatever befalls
the world is one small method here, or one small function in `tests.interleaving.actions`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from contract import topology
from contract.bus import publish
from contract.bus.groups import ensure_groups, mark_restored
from contract.bus.janitor import tidy
from contract.bus.scripts import Script, run
from contract.commands import CrawlResume
from contract.envelope import Payload, new_message
from contract.settings import Settings
from scheduler.report import backlogs
from storage.sql import tables
from storage.sql.database import open_database
from tests.interleaving.actors import FETCHER_JOBS, Actor, Process, Starter
from tests.interleaving.clock import StoryLoop
from tests.interleaving.power import Powered
from tests.interleaving.wanted import Crawl
from tests.interleaving.web import Web
from tests.interleaving.wire import SteppedBus, Wire, load_scripts

#: What runs at first, and is started again after a kill.
KINDS = ("scheduler", "scheduler", "fetcher", "fetcher", "parser", "parser", "recorder", "recorder", "notifier")
#: Time that passed in small steps is told to the server in one go, from this on.
_AGE_SECONDS = 0.5


#: The clock is read as often as this, or it would be taken for set.
_READ_SECONDS = 0.2
READ_CLOCK = Script("contract.bus", "clock.lua")
READ_CLOCK.text += "return clock(KEYS[1])"
READ_CLOCK.sha = hashlib.sha1(READ_CLOCK.text.encode(), usedforsecurity=False).hexdigest()


class World:
    """Everything that there is in a story; `told` is what has happened, a line each."""

    def __init__(self, loop: StoryLoop, server: Powered, folder: Path, web: Web, chance: random.Random) -> None:
        self.loop, self.server, self.web, self.chance = loop, server, web, chance
        settings = Settings(redis_url=server.url, data=str(folder), concurrency=FETCHER_JOBS, allow_private=True)
        self.settings, self.starter = settings, Starter(loop, settings, web)
        self.bus = SteppedBus(server.url, Wire(loop))
        self.processes: list[Process] = []
        self.slow: Actor | None = None
        self.per_host = chance.choice([1, 1, 2])  # of most crawls
        self.crawls: list[Crawl] = []
        self.told: list[str] = []
        self.engine: Engine
        self.is_remembered = False
        self.wiped_at = self.set_at = self.rewound_at = -1.0
        self.kills = self.buried = self._commands = 0
        self.away: set[str] = set()
        self.blocked_until: dict[str, float] = {}
        self._aged_at = loop.moment
        self._debts: dict[tuple[str, str, str], float] = {}

    def tell(self, line: str) -> None:
        """Note what happens."""
        self.told.append(f"{self.loop.moment - 1_000:9.3f} s  {line}")

    # -- processes

    async def open(self) -> None:
        """An empty server and an empty database, and all processes."""
        self.server.begin()
        await load_scripts(self.bus)
        await mark_restored(self.bus, await ensure_groups(self.bus))
        for kind in KINDS:
            self.processes.append(self.starter.start(kind))
        await self.loop.quiet()

    async def close(self) -> None:
        """End all processes."""
        for process in self.processes:
            await process.kill(self.loop)
        await self.bus.close()

    def movable(self) -> list[Actor]:
        """Actors that wait for leave, and may have it."""
        return [a for process in self.processes if not process.is_frozen for a in process.actors if a.can_go]

    def bury_the_done(self) -> None:
        """Forget processes that have ended as they were asked to."""
        self.processes = [process for process in self.processes if not process.is_done]

    async def go(self, actor: Actor, steps: int) -> None:
        """Give an actor leave so many times, or until it has nothing to do."""
        for _ in range(steps):
            if not actor.can_go:
                break
            actor.wire.go_on()
            await self.loop.quiet()
            if actor.wire.is_idle:
                break
        if actor.task.done():
            self.check_errors()

    async def is_lost(self, kind: str) -> None:
        """Redis has lost all that it held, or the latest; and its clients their connections."""
        setattr(self, kind, self.loop.moment)
        await self.bus.redis.connection_pool.disconnect()
        self.blocked_until.clear()
        await self.loop.quiet()

    def check_errors(self) -> None:
        """Raise what has ended a process that should not have ended."""
        for process in self.processes:
            if error := process.error():
                raise error
        self.bury_the_done()

    async def kill(self, process: Process) -> None:
        """Kill a process; another one of its kind takes its place."""
        self.tell(f"kill {process.name}: {', '.join(map(repr, process.actors))}")
        self.blocked_until.clear()  # by an answer that may be lost with its fetcher
        self.processes.remove(process)
        await process.kill(self.loop)
        self.processes.append(self.starter.start(process.kind, process.sends))
        await self.loop.quiet()

    async def retire(self, process: Process) -> None:
        """Ask a process to end; another one of its kind takes its place at once."""
        self.tell(f"stop {process.name}")
        process.stop()
        self.processes.append(self.starter.start(process.kind, process.sends))
        await self.loop.quiet()

    # -- time

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, here and at the server."""
        until = self.loop.moment + seconds
        while self.loop.moment < until:
            await self.loop.go_to(min(until, self.loop.moment + _READ_SECONDS))
            if seconds > _READ_SECONDS:  # else somebody reads it himself
                await run(self.bus.redis, READ_CLOCK, [self.bus.keys.clock], [])
        if self.loop.moment - self._aged_at >= _AGE_SECONDS:
            await self.age()

    async def to_next_moment(self, longest: float) -> None:
        """Let time pass until somebody's wait is over, but no longer than this."""
        await self.loop.quiet()
        moment = self.loop.next_moment()
        await self.pass_time(longest if moment is None else min(longest, max(0.0, moment - self.loop.moment)))

    async def age(self, more_ms: float = 0) -> None:
        """Tell the server how much time has passed: lives of keys, and of leases. Its own clock knows only ours."""
        by_ms = round((self.loop.moment - self._aged_at) * 1000 + more_ms)
        self._aged_at = self.loop.moment
        redis = self.bus.redis
        await redis.eval(_AGE_KEYS, 0, by_ms)
        pairs = [(s, g) for s in topology.ALL_STREAMS for g in topology.groups_of(s)]
        pipeline = redis.pipeline(transaction=False)
        for stream, group in pairs:
            pipeline.execute_command("EVAL", _AGE_LEASES, 1, self.bus.keys.stream(stream), group, by_ms)
        await pipeline.execute(raise_on_error=False)

    async def set_clock(self, by_seconds: float) -> None:
        """Set the server's clock; what has a life by that clock lives longer, or shorter."""
        await self.age()
        self.loop.skew_ms += round(by_seconds * 1000)
        self.set_at = self.loop.moment
        await self.age(more_ms=by_seconds * 1000)
        self.tell(f"the server's clock is set by {by_seconds} s")

    async def forget_robots(self, host: str) -> None:
        """What is known of a host's robots.txt has become too old."""
        await self.bus.redis.delete(self.bus.keys.robots(host))
        if await self.bus.redis.hget(self.bus.keys.host(host), "robots") == b"known":
            await self.bus.redis.hset(self.bus.keys.host(host), "robots_until", 1)

    # -- the end

    async def at_peace(self) -> None:
        """Everybody lives and goes on, nobody is paused, every host answers its pages."""
        for process in self.processes:
            process.freeze(False)
        for host in self.web.hosts.values():
            host.away_until = min(host.away_until, self.loop.moment)  # a robots.txt comes back in its own time
        for crawl in self.crawls:
            if not crawl.is_cancelled and (crawl.is_paused or (await self.state(crawl)).get("state") == "paused"):
                crawl.is_paused = False
                await self.command(CrawlResume(), crawl.id)

    async def is_over(self) -> bool:
        """Whether every crawl has ended, and nothing of it is on its way."""
        for crawl in self.crawls:
            state = (await self.state(crawl)).get("state") or self.recorded_state(crawl)
            if any(process.sends is crawl for process in self.processes):
                return False
            if state is None:
                self.tell(f"start {crawl.id} once more: it was lost before it was recorded")
                self.processes.append(self.starter.start("sender", crawl))
                return False
            if state == "paused" and not crawl.is_cancelled:
                await self.command(CrawlResume(), crawl.id)  # which was wiped away, or came before its crawl
                return False
            if state not in ("finished", "cancelled"):
                return False
        await tidy(self.bus)
        waits = sum((await backlogs(self.bus)).values())
        return not waits and not await self.bus.redis.scard(self.bus.keys.forgetting)

    def recorded_state(self, crawl: Crawl) -> str | None:
        """What SQL knows of the crawl."""
        with self.engine.connect() as connection:
            found: str | None = connection.scalar(select(tables.crawls.c.state).where(tables.crawls.c.id == crawl.id))
            return found

    def recorded_seeds(self, crawl: Crawl) -> set[str]:
        """The seeds of a crawl that have come in."""
        with self.engine.connect() as connection:
            seed = tables.seeds.c
            return set(connection.execute(select(seed.url).where(seed.crawl == crawl.id)).scalars())

    def wanted_seeds(self, crawl: Crawl) -> set[str]:
        """The seeds that must have come in: all that were sent, and taken, since Redis lost something."""
        if crawl.sent_at > max(self.wiped_at, self.rewound_at, -0.5):
            return set(crawl.seeds)
        return self.recorded_seeds(crawl)

    def may_fail(self, url: str) -> bool:
        """Whether this page may have failed though its host answers now."""
        return bool(self.buried) or any(url.startswith(host + "/") for host in self.away)

    def may_be_missing(self, url: str) -> bool:
        """Whether nobody may have heard of it: the pages that lead there may have failed."""
        return self.may_fail(url)

    @property
    def may_lose_bodies(self) -> bool:
        """Whether pages may be recorded without their bodies."""
        return self.wiped_at >= 0 or self.rewound_at >= 0

    # -- commands

    async def command(self, payload: Payload, crawl: str) -> str:
        """Give a command; its id."""
        self._commands += 1
        id = f"{crawl}.{payload.TYPE}.{self._commands}"
        await publish(self.bus, new_message(payload, id=id, source="test", crawl=crawl))
        return id

    async def start(self, crawl: Crawl) -> None:
        """Somebody begins to start a crawl."""
        self.crawls.append(crawl)
        self.processes.append(self.starter.start("sender", crawl))
        self.tell(f"start {crawl!r}")
        await self.loop.quiet()

    async def state(self, crawl: Crawl) -> dict[str, Any]:
        """What the frontier holds of a crawl."""
        raw = await self.bus.redis.hgetall(self.bus.keys.crawl(crawl.id))
        return {name.decode(): value.decode() for name, value in raw.items()}

    async def has_ended(self, crawl: Crawl) -> bool:
        """Whether the frontier says so."""
        return (await self.state(crawl)).get("state") in ("finished", "cancelled")

    async def tidy(self) -> None:
        """What the janitor does."""
        with contextlib.suppress(Exception):
            await tidy(self.bus)


_AGE_KEYS = """
local by = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left > 0 then
    if left <= by then redis.call('DEL', key) else redis.call('PEXPIRE', key, left - by) end
  end
end
"""
_AGE_LEASES = """
for _, one in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1000)) do
  local idle = math.max(0, one[3] + tonumber(ARGV[2]))
  redis.call('XCLAIM', KEYS[1], ARGV[1], one[2], 0, one[1], 'IDLE', idle, 'JUSTID')
end
"""


@contextlib.asynccontextmanager
async def world(server: Powered, folder: Path, web: Web, chance: random.Random) -> AsyncIterator[World]:
    """A world for the length of a block; needs a `StoryLoop`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StoryLoop)
    found = World(loop, server, folder, web, chance)
    found.engine = open_database(found.settings)
    await found.open()
    try:
        yield found
    finally:
        await found.close()
        found.engine.dispose()
