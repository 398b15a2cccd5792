"""The stage: events from a real server, through SQL and the archive."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from events import topology
from events.bus import publish
from events.settings import Settings
from storage import queries, tables
from storage.database import make_engine
from tests import builders
from tests.storage.helpers import progress_where, publish_fetched, recording


@pytest.fixture
def settings(redis_url: str, database_url: str, tmp_path: Path) -> Settings:
    return Settings(redis_url=redis_url, database_url=database_url, data=str(tmp_path))


async def test_a_crawl_is_recorded_and_said_to_be_complete(bus, settings):
    await publish_fetched(bus, builders.page_fetched())
    await publish(bus, builders.page_parsed(), builders.crawl_started(), builders.crawl_finished())

    async with recording(settings):
        said = await progress_where(bus, lambda numbers: numbers.get("complete"))

    assert (said["fetched"], said["parsed"], said["items"], said["bytes"]) == (1, 1, 1, 1_000)
    assert said["statuses"] == {"200": 1}
    assert said["latest"] == [{"url": builders.URL, "status": 200, "title": "A page"}]
