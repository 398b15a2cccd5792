"""What waits for each stage, by its amount and its age; and what Redis and the frontier say of themselves."""

import time

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import insert

from contract import codec
from contract.bus import Consumer, publish
from contract.topology import PARSE
from penstock.api.metrics import Numbers
from penstock.api.server_numbers import frontier_metrics, server_metrics
from penstock.api.streams import stage_metrics
from storage.read_models import totals
from storage.sql import tables
from storage.sql.database import open_database
from tests import builders
from tests.contract.counting import samples

STAGE, OTHER = "scraper.parse", "storage.record"
#: An entry that was published ten seconds before the server's clock.
AGE_SECONDS = 10


async def told(metrics):
    """Metrics as samples."""
    registry = CollectorRegistry()
    registry.register(Numbers(await metrics))
    return samples(generate_latest(registry).decode())


async def publish_earlier(bus, count):
    """Put entries on the stream of page.fetched as if that had been ten seconds ago."""
    seconds, _ = await bus.redis.time()
    for number in range(count):
        id = f"{(seconds - AGE_SECONDS) * 1000}-{number + 1}"
        message = builders.page_fetched(f"http://a.test/{number}")
        await bus.redis.xadd(bus.keys.stream("page.fetched"), {"e": codec.encode(message)}, id=id)


async def test_what_waits_and_what_is_held_have_an_amount_and_an_age(bus):
    await publish_earlier(bus, 3)
    async with Consumer(bus, PARSE) as consumer:
        assert len(await consumer.take(2)) == 2
        said = await told(stage_metrics(bus))

    assert (said["penstock_stage_backlog", STAGE], said["penstock_stage_pending", STAGE]) == (1, 2)
    assert (said["penstock_stage_backlog", OTHER], said["penstock_stage_pending", OTHER]) == (3, 0)
    for name, stage in [("pending", STAGE), ("undelivered", STAGE), ("undelivered", OTHER)]:
        assert AGE_SECONDS <= said[f"penstock_stage_oldest_{name}_seconds", stage] < AGE_SECONDS + 5
    assert said["penstock_stage_oldest_pending_seconds", OTHER] == 0
    assert said["penstock_stage_oldest_undelivered_seconds", "scraper.fetch"] == 0


async def test_a_lag_that_redis_does_not_know_is_left_out_and_not_told_as_zero(bus):
    await publish_earlier(bus, 4)
    [_, second, *_] = await bus.redis.xrange(bus.keys.stream("page.fetched"))
    async with Consumer(bus, PARSE) as consumer:
        await consumer.take(1)
        await bus.redis.xdel(bus.keys.stream("page.fetched"), second[0])
        said = await told(stage_metrics(bus))

    assert ("penstock_stage_backlog", STAGE) not in said
    assert said["penstock_stage_pending", STAGE] == 1
    assert said["penstock_stage_oldest_undelivered_seconds", STAGE] >= AGE_SECONDS
    assert said["penstock_stage_backlog", "scraper.fetch"] == 0


async def test_a_server_that_was_emptied_a_moment_ago_has_no_stages_to_speak_of(bus):
    await bus.redis.flushall()

    assert await told(stage_metrics(bus)) == {}


async def test_redis_says_how_full_it_is(bus):
    await bus.redis.config_set("maxmemory", "100mb")
    try:
        said = await told(server_metrics(bus))
    finally:
        await bus.redis.config_set("maxmemory", "0")

    assert said["penstock_redis_memory_limit_bytes",] == 100 * 1024 * 1024
    assert 100_000 < said["penstock_redis_memory_bytes",] < 100 * 1024 * 1024
    assert said["penstock_redis_clients",] >= 1
    assert said["penstock_redis_commands_total",] > 1


async def test_urls_of_all_unfinished_crawls_are_summed(bus):
    for crawl, queued in [("c1", 5), ("c2", 7)]:
        await bus.redis.hset(bus.keys.names, crawl, crawl)
        await bus.redis.hset(bus.keys.crawl(crawl), mapping={"state": "running", "queued": queued, "in_flight": 1})
    await bus.redis.hset(bus.keys.crawl("c3"), mapping={"state": "finished", "queued": 100})

    said = await told(frontier_metrics(bus))

    assert said == {("penstock_frontier_urls", "queued"): 12, ("penstock_frontier_urls", "in_flight"): 2}


@pytest.mark.parametrize(
    ("state", "began_seconds_ago", "asked_seconds_ago", "stalled"),
    [
        ("running", 1_000, 900, 1),
        ("running", 1_000, None, 1),
        ("running", 1_000, 20, 0),
        ("running", 100, None, 0),  # it has only begun
        ("paused", 1_000, 900, 0),
        ("finished", 1_000, 900, 0),
    ],
)
async def test_a_running_crawl_that_asks_for_nothing_is_stalled(
    settings, state, began_seconds_ago, asked_seconds_ago, stalled
):
    engine, now = open_database(settings), time.time()
    began = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now - began_seconds_ago))
    with engine.begin() as connection:
        connection.execute(insert(tables.crawls).values(id="c", state=state, started_at=began))
        if asked_seconds_ago is not None:
            bucket = {"bucket": int(now - asked_seconds_ago), "fetched": 1, "failed": 0, "elapsed_ms": 1}
            connection.execute(insert(tables.timeline).values(crawl="c", **bucket))

    found = totals.stalled_crawls(engine, seconds=600)
    engine.dispose()

    assert found == stalled


async def test_what_is_published_now_is_young(bus):
    await publish(bus, builders.page_fetched())

    said = await told(stage_metrics(bus))

    assert said["penstock_stage_oldest_undelivered_seconds", STAGE] < 5
