"""A server that has lost its last seconds, as a replica that became the master: the crawl ends as if it had not.

Scheduler and recorder are real; the web, its fetcher and its parser are a table.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from contract.bus import Bus
from contract.bus.groups import ensure_groups, mark_restored
from contract.settings import Settings
from storage.read_models import queries
from storage.recovery import unfinished
from storage.sql.database import open_database
from tests.rewinding import Rewinding, rewinding
from tests.scheduler.harness import Run, running
from tests.scheduler.web import Web
from tests.storage.helpers import recording
from tests.system.commands import until

A, X = "http://a.test/", "http://a.test/x"


class World:
    """A crawl's server, stages and database."""

    def __init__(self, server: Rewinding, run: Run, settings: Settings) -> None:
        self.server, self.run, self.engine = server, run, open_database(settings, name="test")

    def crawl(self) -> queries.CrawlRow | None:
        """The only crawl, as it is recorded."""
        return next(iter(queries.crawls(self.engine)), None)

    async def recorded(self, **facts: object) -> queries.CrawlRow:
        """Wait until this is recorded of the crawl."""
        await until(lambda: (found := self.crawl()) and all(getattr(found, k) == v for k, v in facts.items()))
        found = self.crawl()
        assert found
        return found

    async def at_version(self, crawl: str, version: int) -> None:
        """Wait until so much of the crawl's life is recorded."""
        await until(lambda: unfinished.version(self.engine, crawl) == version)


@contextlib.asynccontextmanager
async def world(folder: Path, web: Web) -> AsyncIterator[World]:
    """All that a crawl takes, for the length of a block."""
    with rewinding() as server:
        settings = Settings(redis_url=server.url, data=str(folder))
        async with Bus.open(server.url) as bus:
            await mark_restored(bus, await ensure_groups(bus))
            async with running(bus, web, hurried=True) as run:
                run.recording.clear()  # which is what the recorder is for
                found = World(server, run, settings)
                try:
                    async with recording(settings):
                        yield found
                finally:
                    found.engine.dispose()


async def test_a_crawl_whose_start_was_lost_is_crawled_all_the_same(tmp_path: Path):
    async with world(tmp_path, Web({A: {X}, X: ()})) as here:
        here.run.hold = {X}
        here.server.remember()
        crawl = await here.run.start(A)
        await here.recorded(state="running", parsed=1)
        here.server.rewind()
        await here.run.let_go(X)
        done = await here.recorded(state="finished")

    assert (done.id, done.fetched, done.parsed, done.failed) == (crawl, 2, 2, 0)


async def test_seeds_that_were_lost_are_crawled_all_the_same(tmp_path: Path):
    async with world(tmp_path, Web({A: (), X: ()})) as here:
        here.run.hold = {A, X}
        crawl = await here.run.start(A)
        await here.run.until(lambda: here.run.starts)
        here.server.remember()
        await here.run.add(crawl, X)
        await here.at_version(crawl, 2)
        here.server.rewind()
        await until(lambda: len(here.run.starts) == 3)
        await here.run.let_go(A, X)
        done = await here.recorded(state="finished")

    assert (done.fetched, done.parsed) == (2, 2)


async def test_a_crawl_that_ends_under_the_version_of_a_lost_command_is_over_all_the_same(tmp_path: Path):
    async with world(tmp_path, Web({A: ()})) as here:
        here.run.hold = {A}
        crawl = await here.run.start(A)
        await here.run.until(lambda: here.run.starts)
        here.server.remember()
        await here.run.pause(crawl)
        await here.run.resume(crawl)
        await here.at_version(crawl, 3)
        here.server.rewind()
        await here.run.let_go(A)
        done = await here.recorded(state="finished")

    assert (done.fetched, done.parsed) == (1, 1)
