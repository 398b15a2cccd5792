"""A page whose result cannot be recorded is named, and takes no other page with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from contract.settings import Settings
from penstock.reparsing.choosing import Chosen
from penstock.reparsing.recording import Read, record
from penstock.reparsing.tally import MOST_TROUBLES, Tally
from scraper.parsers.frames import Job, Result
from storage.read_models import queries
from storage.sql.database import open_database
from storage.sql.tables import digest
from storage.store.event_store import Recorded
from tests import builders


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_database(Settings(data=str(tmp_path)))
    yield made
    made.dispose()


def read(number: int, items: bytes = b'[{"type":"page","data":{}}]', *, links_found: int = 0) -> Read:
    """A page as a child has read it."""
    message = builders.page_fetched(f"http://site.test/{number}")
    result = Result(items=items, links_found=links_found, spider="books", spider_version="1")
    event = Recorded(digest(message.envelope.id), message)
    return Read(Chosen(event, Job(message.payload.url, b"")), result)


@pytest.mark.parametrize("bad", [read(1, b"[{]"), read(1, b'[{"type":1}]'), read(1, links_found=2**70)])
async def test_a_result_that_no_database_would_hold_is_named_and_the_others_are_recorded(
    engine: Engine, bad: Read
) -> None:
    tally = Tally()

    await record(engine, [read(0), bad, read(2)], tally)

    assert (tally.parsed, tally.items, tally.unrecorded) == (2, 2, 1)
    assert [(trouble.url, trouble.reason) for trouble in tally.troubles] == [("http://site.test/1", "unrecorded")]
    assert sorted(item["url"][-1] for item in queries.items(engine)) == ["0", "2"]


async def test_two_runs_at_once_count_each_page_once(engine: Engine) -> None:
    mine, theirs = Tally(), Tally()

    await record(engine, [read(0), read(1)], mine)
    await record(engine, [read(1), read(2)], theirs)

    assert (mine.parsed, theirs.parsed, theirs.already_parsed) == (2, 1, 1)


def test_a_tally_names_no_more_pages_than_fit_into_memory() -> None:
    tally = Tally()
    for number in range(MOST_TROUBLES + 5):
        tally.note(f"http://site.test/{number}", "body_lost", "")

    assert len(tally.troubles) == MOST_TROUBLES
