"""The server's clock is set while a frontier is rebuilt: nobody waits for it, and the crawl's end is told once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from contract.bus import Bus
from contract.bus.groups import ensure_groups
from contract.commands import FrontierRestore
from tests import builders
from tests.clocks import Clock, server_with_a_clock
from tests.storage.helpers import write
from tests.storage.test_replay import READ, A, at_work, restored

HOUR = 3_600
#: Nothing here takes as long as that, on however busy a machine, unless it waits for the clock.
PATIENCE_SECONDS = 60


@pytest.fixture
async def world(sqlite_engine: Engine, tmp_path: Path) -> AsyncIterator[tuple[Bus, Clock]]:
    """An empty server with a clock that can be set, and a crawl that is recorded."""
    write(sqlite_engine, tmp_path / "archive", builders.crawl_started(), READ, builders.page_parsed(A + "read"))
    with server_with_a_clock() as clock:
        async with Bus.open(clock.url) as bus:
            await ensure_groups(bus)
            yield bus, clock


async def test_the_claim_of_a_dead_recorder_ends_though_the_clock_is_set_back(
    world: tuple[Bus, Clock], sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, clock = world
    monkeypatch.setattr("storage.replay.CLAIM_MS", 4_000)
    await bus.redis.set(bus.keys.replaying, "dead", px=4_000)
    clock.set(-HOUR)

    async with at_work(bus, sqlite_engine, tmp_path) as scheduler, asyncio.timeout(PATIENCE_SECONDS):
        await restored(bus)

    assert [part.step for part in scheduler.parts].count("end") == 1


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_frontier_is_rebuilt_though_the_clock_is_set_meanwhile(
    world: tuple[Bus, Clock], sqlite_engine: Engine, tmp_path: Path, by: int
) -> None:
    bus, clock = world
    runs: list[str] = []

    def set_once(part: FrontierRestore) -> None:
        if part.step == "links" and not runs:
            clock.set(by)
        runs.append(part.run)

    async with at_work(bus, sqlite_engine, tmp_path, recorders=2, meanwhile=set_once) as scheduler:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await restored(bus)

    last = [part.step for part in scheduler.parts if part.run == runs[-1]]
    assert (last[0], last[-1]) == ("crawl", "end")
    assert [part.step for part in scheduler.parts].count("end") == 1
