"""The counts of a crawl in the list: the frontier's while it goes on, and one truth of a cancelled one."""

import pytest

from contract.crawls import CrawlCancelled
from scheduler.report import counts
from storage.sql.database import open_database
from tests import builders
from tests.api.conftest import client_of
from tests.builders import CRAWL, URL
from tests.storage.helpers import write

FRONTIER = {"state": "cancelled", "version": 2, "discovered": 90, "queued": 80, "in_flight": 3, "retried": 4}


@pytest.fixture
async def cancelled(settings, tmp_path, bus):
    """A cancelled crawl of which SQL has two fetched pages and one failed; who is given more records it."""
    engine = open_database(settings)
    write(
        engine,
        tmp_path,
        builders.crawl_started(),
        builders.life(CrawlCancelled, 2),
        *(builders.page_fetched(f"{URL}/{number}") for number in range(2)),
        builders.page_failed(),
    )
    yield lambda **numbers: bus.redis.hset(bus.keys.crawl(CRAWL), mapping={**FRONTIER, **numbers})
    engine.dispose()


async def shown(settings):
    """The crawl alone, and as the list has it."""
    async with client_of(settings) as client:
        alone = (await client.get(f"/crawls/{CRAWL}")).json()
        [listed] = (await client.get("/crawls")).json()["crawls"]
    assert alone == listed
    return alone


@pytest.mark.parametrize(
    ("frontier", "outcomes"),
    [({"fetched": 1}, (2, 1, 0)), ({"fetched": 5, "failed": 0, "excluded": 6}, (5, 1, 6))],
)
async def test_a_cancelled_crawl_is_counted_as_far_as_anybody_knows(settings, cancelled, frontier, outcomes):
    await cancelled(**frontier)

    crawl = await shown(settings)

    found = crawl["counts"]
    assert (found["fetched"], found["failed"], found["excluded"]) == outcomes
    assert (found["discovered"], found["queued"], found["in_flight"]) == (sum(outcomes), 0, 0)
    assert found["retried"] == 4
    assert (crawl["state"], crawl["complete"]) == ("cancelled", False)


async def test_a_cancelled_crawl_that_only_sql_knows_is_counted_the_same(settings, cancelled):
    found = (await shown(settings))["counts"]

    assert (found["discovered"], found["fetched"], found["failed"], found["queued"]) == (3, 2, 1, 0)


async def test_the_progress_of_a_cancelled_crawl_has_no_queue(cancelled, bus):
    await cancelled()

    assert (await counts(bus, CRAWL))["queued"] == 0
