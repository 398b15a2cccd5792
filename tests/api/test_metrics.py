"""Health and metrics: what a supervisor and Prometheus are told, also when a part is away."""

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from storage.sql.database import open_database
from tests import builders
from tests.api.conftest import client_of
from tests.storage.helpers import write

#: Nobody listens there.
NOWHERE = "redis://127.0.0.1:1/0"


def numbers(text):
    """The samples by name and labels; the text is what Prometheus can parse."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_say_what_waits_and_what_was_done(api, settings, bus):
    engine = open_database(settings)
    messages = [builders.crawl_started(), builders.page_fetched(), builders.page_parsed()]
    write(engine, settings.folder / "archive", *messages)
    engine.dispose()
    await bus.redis.xadd(bus.keys.stream("page.fetched"), {"e": "x"})
    await bus.redis.xadd(bus.keys.dead("scraper.parse"), {"e": "x"})
    await bus.redis.set(bus.keys.in_flight, 3)
    await bus.redis.set(bus.keys.body_bytes, 1_234)

    answer = await api.get("/metrics")

    found = numbers(answer.text)
    assert answer.headers["content-type"].startswith("text/plain")
    assert found["penstock_up", "redis"] == found["penstock_up", "sql"] == 1
    assert found["penstock_stage_backlog", "scraper.parse"] == 1
    assert found["penstock_stage_pending", "scraper.parse"] == 0
    assert found["penstock_stage_dead_letters", "scraper.parse"] == 1
    assert (found["penstock_requests_in_flight",], found["penstock_held_body_bytes",]) == (3, 1_234)
    assert (found["penstock_crawls", "running"], found["penstock_crawls", "paused"]) == (1, 0)
    assert (found["penstock_pages", "fetched"], found["penstock_answers", "200"]) == (1, 1)
    assert (found["penstock_items",], found["penstock_parsed_pages",]) == (1, 1)
    assert found["penstock_fetched_bytes",] == 1_000
    assert all(name[0].startswith("penstock_") for name in found)


async def test_while_redis_is_away_the_rest_is_still_told(settings):
    async with client_of(msgspec.structs.replace(settings, redis_url=NOWHERE)) as client:
        found = numbers((await client.get("/metrics")).text)
        alive, ready = await client.get("/healthz"), await client.get("/readyz")
        create = await client.post("/crawls", json={"seeds": ["http://127.0.0.1:9/"]})

    assert (found["penstock_up", "redis"], found["penstock_up", "sql"]) == (0, 1)
    assert alive.json() == {"status": "ok"}
    assert (ready.status_code, ready.json()["detail"]) == (503, "Redis does not answer")
    assert (create.status_code, create.json()["detail"]) == (503, "Redis does not answer")
    assert create.headers["retry-after"]


async def test_while_sql_is_away_it_is_said_which_part_it_is(api, settings):
    assert (await api.get("/readyz")).json() == {"status": "ok"}
    for file in settings.folder.glob("penstock.db*"):
        file.write_bytes(b"this is no database " * 1_000)

    ready, metrics = await api.get("/readyz"), await api.get("/metrics")

    assert (ready.status_code, ready.json()["detail"]) == (503, "the database does not answer")
    found = numbers(metrics.text)
    assert (found["penstock_up", "redis"], found["penstock_up", "sql"]) == (1, 0)
