"""A crawl that is said to be over is over, however long Redis and SQL take to answer."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from sqlalchemy import text

from contract.bus import Bus
from contract.settings import Settings
from penstock.commands.crawl import FINISHED, UNFINISHED, exit_status
from penstock.following import others_at_work
from penstock.summary import Summary, print_summary
from penstock.watching import Patience, states
from storage.sql.database import make_engine, writing
from storage.sql.schema import make_current
from tests import builders
from tests.builders import CRAWL
from tests.storage.conftest import postgres, postgres_server, postgres_url
from tests.storage.helpers import write

__all__ = ["postgres", "postgres_server", "postgres_url"]
PATIENCE_SECONDS = 30.0
#: Less of it than a person has.
LITTLE = Patience(ask_sql=0.2, quiet=0.5)


async def test_a_look_at_sql_that_takes_long_is_no_end_of_a_crawl_that_runs(
    bus: Bus, redis_url: str, postgres_url: str, tmp_path: Path
) -> None:
    engine = make_engine(postgres_url)
    with writing(engine) as connection:
        make_current(connection)
    write(engine, tmp_path, builders.crawl_started())
    await bus.redis.hset(bus.keys.crawl(CRAWL), mapping={"state": "running", "unfinished": 1, "in_flight": 1})
    settings, seen = Settings(redis_url=redis_url, database_url=postgres_url), []

    async def follow() -> None:
        async with contextlib.aclosing(states(bus, settings, CRAWL, "demo", patience=LITTLE)) as following:
            async for state in following:
                seen.append(state)

    with engine.connect() as locking:
        locking.execute(text("LOCK TABLE crawls IN ACCESS EXCLUSIVE MODE"))
        following = asyncio.create_task(follow())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await asyncio.to_thread(is_waited_for, engine):
                await asyncio.sleep(0.05)
        await asyncio.sleep(LITTLE.quiet + 0.3)  # the look takes as long as this
        locking.rollback()
    before = len(seen)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(seen) < before + 2 and not following.done():
            await asyncio.sleep(0.05)
    assert not following.done()

    await bus.redis.hset(bus.keys.crawl(CRAWL), mapping={"state": "finished", "unfinished": 0, "in_flight": 0})
    write(engine, tmp_path, builders.page_fetched(), builders.page_parsed(), builders.crawl_finished(fetched=1))
    await asyncio.wait_for(following, PATIENCE_SECONDS)
    assert seen[-1].complete
    engine.dispose()


async def test_a_crawl_that_is_over_and_cannot_be_recorded_wholly_still_ends(
    bus: Bus, redis_url: str, tmp_path: Path
) -> None:
    settings = Settings(redis_url=redis_url, data=str(tmp_path))
    await bus.redis.hset(bus.keys.crawl(CRAWL), mapping={"state": "finished", "unfinished": 0})
    began = asyncio.get_running_loop().time()

    seen = [state async for state in states(bus, settings, CRAWL, "demo", patience=LITTLE)]

    assert not seen[-1].complete
    assert asyncio.get_running_loop().time() - began > LITTLE.ask_sql + LITTLE.quiet


async def test_a_crawl_is_not_one_of_the_others_that_still_run(bus: Bus) -> None:
    await bus.redis.zadd(bus.keys.turns, {CRAWL: 1})
    assert await others_at_work(bus, but=CRAWL) == set()
    await bus.redis.zadd(bus.keys.turns, {"another": 2})
    assert await others_at_work(bus, but=CRAWL) == {"another"}


@pytest.mark.parametrize(
    ("state", "fetched", "status"),
    [
        ("finished", 1, FINISHED),
        ("cancelled", 1, FINISHED),
        ("finished", 0, UNFINISHED),
        ("running", 43, UNFINISHED),
        ("paused", 43, UNFINISHED),
        ("", 43, UNFINISHED),
    ],
)
def test_only_a_crawl_that_is_over_ends_well(
    state: str, fetched: int, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = dict.fromkeys(("discovered", "failed", "excluded", "parsed", "items", "bytes"), 0)
    summary = Summary(
        crawl=CRAWL, name="demo", state=state, fetched=fetched, pages=fetched, seconds=1.0, data="d", **numbers
    )

    print_summary(summary, json=False)

    assert exit_status(summary) == status
    assert ("is not over" in capsys.readouterr().err) == (state not in ("finished", "cancelled"))


def is_waited_for(engine: object) -> bool:
    """Whether somebody waits for a lock on this server."""
    with engine.connect() as connection:  # type: ignore[attr-defined]
        return bool(connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar())
