"""The actors of a story: the real stages, each a task that does nothing without leave (`tests.interleaving.wire`).

Takes a world's addresses, gives processes: a scheduler with its five stages, a fetcher, a parser, a recorder with its
replay. Only what is outside of Penstock is made up: the web, and the children that read pages.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from contract.bus import Consumer, HandOver
from contract.bus.recorded import latest_mark
from contract.bus.scripts import PASSING, patiently
from contract.settings import Settings
from contract.topology import FETCH, NOTIFY, PARSE, RECORD
from penstock import submit
from penstock.plan import Plan
from scheduler.discover import discover
from scheduler.dispatch import dispatch
from scheduler.restore import restore
from scheduler.seed import seed
from scheduler.settle import settle
from scraper.fetch import Fetcher
from scraper.fetch import when_buried as failed_page
from scraper.fetchers.presence import present
from scraper.parse import Parser
from scraper.parse import when_buried as unread_page
from scraper.parsers.link_memory import LinkMemory
from storage.archive.segments.opening import open_store
from storage.record import Recorder
from storage.replay import replay
from storage.sql.database import make_engine
from storage.store.ledger import has_lost
from tests.interleaving.clock import StoryLoop
from tests.interleaving.wanted import Crawl
from tests.interleaving.web import Client, Readers, Web
from tests.interleaving.wire import SteppedBus, Wire, readable

#: A fetcher or a stage that has nothing to do goes on looking; no story is longer.
_FOR_EVER = 1e9
#: Jobs that one fetcher does at a time.
FETCHER_JOBS = 3

Work = Callable[[SteppedBus, asyncio.Event], Awaitable[Any]]


class Actor:
    """One stage of one process, at work."""

    def __init__(self, name: str, loop: StoryLoop, url: str, work: Work, stop: asyncio.Event) -> None:
        self.name, self.wire, self.stop = name, Wire(loop), stop
        self.task = loop.create_task(self._work(url, work), name=name)

    def __repr__(self) -> str:
        waits = readable(self.wire.waiting[0][0]) if self.wire.waiting else "a moment"
        return f"<{self.name} {'done' if self.task.done() else f'waits for {waits}'}>"

    async def _work(self, url: str, work: Work) -> None:
        bus = SteppedBus(url, self.wire)
        self.wire.is_open = False
        try:
            await work(bus, self.stop)
        finally:
            await bus.close()

    @property
    def can_go(self) -> bool:
        """Whether it waits for leave."""
        return bool(self.wire.waiting) and not self.task.done()


class Process:
    """Actors that live and die together."""

    def __init__(self, kind: str, name: str, actors: list[Actor], sends: Crawl | None = None) -> None:
        self.kind, self.name, self.actors, self.sends = kind, name, actors, sends
        self.is_frozen = False

    def __repr__(self) -> str:
        return f"<{self.name}{' frozen' if self.is_frozen else ''}: {self.actors}>"

    @property
    def consumers(self) -> set[str]:
        """The names under which it has read."""
        return set().union(*(actor.wire.names for actor in self.actors))

    def freeze(self, is_frozen: bool) -> None:
        """Stop it where it is (SIGSTOP), heartbeats and all; or let it go on."""
        self.is_frozen = is_frozen
        for actor in self.actors:
            actor.wire.is_frozen = is_frozen

    def stop(self) -> None:
        """Ask it to end (SIGTERM)."""
        for actor in self.actors:
            actor.stop.set()

    @property
    def is_done(self) -> bool:
        """Whether all of it has ended."""
        return all(actor.task.done() for actor in self.actors)

    async def kill(self, loop: StoryLoop) -> None:
        """End it in the middle of whatever it does: nothing that it still says is heard."""
        for actor in self.actors:
            actor.wire.kill()
        for _ in range(1_000):
            for actor in self.actors:
                actor.task.cancel()  # which may be lost on its way, so once more
            await loop.quiet()
            if self.is_done:
                break
            await loop.go_to(loop.next_moment() or loop.moment)
        assert self.is_done, f"it does not die: {self!r}"
        for actor in self.actors:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                actor.task.result()

    def error(self) -> BaseException | None:
        """What has ended one of its actors, if that was an error."""
        for actor in self.actors:
            if actor.task.done() and not actor.task.cancelled() and (error := actor.task.exception()):
                return error
        return None


class Starter:
    """Starts processes on one server, one database and one web."""

    def __init__(self, loop: StoryLoop, settings: Settings, web: Web) -> None:
        self.loop, self.settings, self.web = loop, settings, web
        self.started = 0

    def start(self, kind: str, sends: Crawl | None = None) -> Process:
        """A new process of this kind: scheduler, fetcher, parser, recorder, notifier; or a sender of a crawl."""
        self.started += 1
        name, stop = f"{kind}{self.started}", asyncio.Event()
        works: dict[str, Work] = self._sender(sends) if sends else getattr(self, f"_{kind}")()
        url = self.settings.redis_url
        actors = [Actor(f"{name}.{stage}", self.loop, url, work, stop) for stage, work in works.items()]
        return Process(kind, name, actors, sends)

    def _sender(self, crawl: Crawl) -> dict[str, Work]:
        """Who starts a crawl as the API does: with one id until somebody answers."""

        async def work(bus: SteppedBus, stop: asyncio.Event) -> None:
            while not stop.is_set():
                began = self.loop.moment
                with contextlib.suppress(submit.Unanswered, *PASSING):
                    answer = await submit.start_fresh(bus, Plan(crawl.spec, tuple(crawl.seeds)), crawl=crawl.id)
                    return crawl.told(answer.refused, began)

        return {"send": work}

    def _scheduler(self) -> dict[str, Work]:
        woken = asyncio.Event()
        return {
            "seed": lambda bus, stop: seed(bus, stop, woken),
            "discover": lambda bus, stop: discover(bus, stop, woken),
            "dispatch": lambda bus, stop: dispatch(bus, self.settings, stop, woken),
            "settle": lambda bus, stop: settle(bus, stop, woken),
            "restore": lambda bus, stop: restore(bus, stop, woken),
        }

    def _fetcher(self) -> dict[str, Work]:
        async def work(bus: SteppedBus, stop: asyncio.Event) -> None:
            client: Any = Client(self.web)
            async with (
                Consumer(bus, FETCH, when_buried=failed_page) as consumer,
                present(bus, consumer.name, concurrency=FETCHER_JOBS),
            ):
                fetcher = Fetcher(consumer, client, self.settings)
                await fetcher.run(stop.is_set, dry_seconds=_FOR_EVER, longest_seconds=_FOR_EVER)

        return {"fetch": work}

    def _parser(self) -> dict[str, Work]:
        async def work(bus: SteppedBus, stop: asyncio.Event) -> None:
            children: Any = Readers(self.web)
            async with Consumer(bus, PARSE, when_buried=unread_page) as consumer:
                await Parser(consumer, children, memory=LinkMemory()).work(stop)

        return {"parse": work}

    def _recorder(self) -> dict[str, Work]:
        engine = make_engine(self.settings.sql_url)
        store = open_store(self.settings)
        idle: list[Callable[[], bool]] = []
        done: list[Callable[[], None]] = []

        async def record(bus: SteppedBus, stop: asyncio.Event) -> None:
            store.repair(engine, keep=has_lost(engine, await patiently(lambda: latest_mark(bus))))
            archive = store.archive(engine, segment_bytes=1 << 20, segment_seconds=_FOR_EVER)
            try:
                with archive:
                    async with Consumer(bus, RECORD) as consumer:
                        recorder = Recorder(consumer, engine, archive, readers=engine, gather_seconds=0.0)
                        idle.append(recorder.is_idle)
                        done.append(recorder.reporter.begin_anew)
                        await recorder.work(stop)
            finally:
                engine.dispose()

        async def tell(bus: SteppedBus, stop: asyncio.Event) -> None:
            while not idle:
                await asyncio.sleep(0.01)
            await replay(bus, engine, self.settings, stop, is_idle=idle[0], when_done=done[0])

        return {"record": record, "replay": tell}

    def _notifier(self) -> dict[str, Work]:
        async def work(bus: SteppedBus, stop: asyncio.Event) -> None:
            async with Consumer(bus, NOTIFY) as consumer:
                while not stop.is_set():
                    await consumer.hand_over_all([HandOver(each) for each in await consumer.take(100)])

        return {"notify": work}
