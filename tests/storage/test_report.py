"""What a recorder says of the last seconds, beside the totals."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from contract.bus import Bus, publish
from contract.progress import follow
from contract.settings import Settings
from storage.report import Reporter
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import publish_fetched, recording

PREFIX = "recent."


@pytest.fixture
def settings(redis_url: str, database_url: str, tmp_path: Path) -> Settings:
    return Settings(redis_url=redis_url, database_url=database_url, data=str(tmp_path))


async def test_a_recorder_says_what_the_last_seconds_brought_under_its_own_name(bus, settings):
    await publish(bus, builders.crawl_started(), builders.page_failed(f"{URL}/slow"))
    for number in range(3):
        await publish_fetched(bus, builders.page_fetched(f"{URL}/{number}", elapsed_ms=20 + number))

    async with recording(settings):
        parts = await parts_where(bus, lambda parts: recents(parts) and recents(parts)[0]["answers"] == 3)

    [recent] = recents(parts)
    assert recent["latency_ms"] == {"p50": 21, "p95": 22}
    assert recent["hosts"] == [{"host": "http://site.test", "answers": 4, "errors": 1, "latency_ms": 21}]
    [failure] = recent["failures"]
    assert (failure["url"], failure["reason"], failure["status"]) == (f"{URL}/slow", "timeout", None)
    assert 0 < recent["fetched"] <= 3
    assert recent["at"] > 1_700_000_000_000


async def test_a_page_that_is_parsed_later_counts_once(bus, settings):
    await publish(bus, builders.crawl_started())
    await publish_fetched(bus, builders.page_fetched())

    async with recording(settings):
        await parts_where(bus, lambda parts: recents(parts) and recents(parts)[0]["answers"] == 1)
        await publish(bus, builders.page_parsed(), builders.crawl_finished())
        parts = await parts_where(bus, lambda parts: parts.get("record", {}).get("complete"))

    assert [(each["answers"], each["hosts"][0]["answers"]) for each in recents(parts)] == [(1, 1)]


async def test_two_recorders_speak_each_for_its_own_share(bus, sqlite_engine):
    pages = [builders.page_fetched(f"{URL}/{number}") for number in range(3)]
    for word, some in {"one": pages[:1], "two": pages[1:]}.items():
        reporter = Reporter(bus, sqlite_engine, word=word)
        reporter.note((), some)
        await reporter.publish(at_once=True)

    parts = await parts_where(bus, lambda parts: len(recents(parts)) == 2)

    assert {name: part["answers"] for name, part in parts.items() if name.startswith(PREFIX)} == {
        "recent.one": 1,
        "recent.two": 2,
    }


async def test_the_last_seconds_are_not_worked_out_with_every_message(bus, sqlite_engine):
    reporter = Reporter(bus, sqlite_engine, word="one")
    reporter.note((), [builders.page_fetched()])
    await reporter.publish(at_once=True)
    reporter.note((), [builders.page_fetched(f"{URL}/2")])
    await reporter.publish(at_once=True)

    [recent] = recents(await parts_where(bus, lambda parts: "record" in parts))
    assert recent["answers"] == 1


def recents(parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for name, part in parts.items() if name.startswith(PREFIX)]


async def parts_where(bus: Bus, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The first progress of the crawl for which this holds."""
    states: AsyncIterator[dict[str, Any]]
    async with contextlib.aclosing(follow(bus, CRAWL)) as states:
        async for parts in states:
            if holds(parts):
                return parts
    raise AssertionError("the progress ended")
