"""The doctor at real servers: what is there is asked, what is not there is a line, and nothing is changed."""

import time

import pytest
from sqlalchemy import text

from contract.bus import Consumer, publish
from contract.settings import Settings
from contract.topology import DISCOVER, PARSE
from penstock.doctor.examine import examine
from penstock.site import SiteOptions, running_site
from scraper.fetchers.presence import present
from storage.sql.database import open_database, writing
from tests.builders import page_fetched
from tests.servers.crawls import cluster, crawl, is_whole
from tests.servers.starting import Server, started
from tests.system.commands import penstock


@pytest.fixture
def at(bus, tmp_path):
    """What a doctor is given to find this server and a folder of its own."""
    return {"redis_url": bus.url, "data": str(tmp_path)}


def of(findings):
    """What was looked at → the finding."""
    return {one.what: one for one in findings}


async def test_a_cluster_that_has_crawled_is_well_until_a_segment_is_cut_short(tmp_path):
    async with (
        started(Server(tmp_path / "s")) as server,
        running_site(SiteOptions(pages=20, latency_ms=2)) as site,
        cluster(server.url, tmp_path / "data") as settings,
    ):
        is_whole(site, await crawl(site, settings, "--delay", "0"))
        done = await penstock("doctor", "--json", **settings, PENSTOCK_CONTACT="ops@a.test")
        segment = next((tmp_path / "data" / "archive").iterdir())
        segment.write_bytes(segment.read_bytes()[:-10])
        after = of(await examine({"redis_url": server.url, "data": str(tmp_path / "data")}))

    assert done.status == 0, done
    assert done.json["ok"] is True
    assert [one for one in done.json["findings"] if one["level"] != "ok"] == []
    looked_at = {one["what"] for one in done.json["findings"]}
    assert {"redis version", "redis clock", "storage.record", "database tables", "archive segments"} <= looked_at
    assert [what for what, one in after.items() if one.level == "bad"] == ["archive segments"]
    assert after["archive segments"].finding == f"{segment.name} lost their last pages"


async def test_a_stage_that_stands_still_is_found_by_its_backlog(bus, at):
    await publish(bus, page_fetched())
    async with Consumer(bus, DISCOVER) as alive:
        await alive.take(1, block_ms=1)
        found = of(await examine(at))

    assert found["scraper.parse"].level == "bad"
    assert found["scraper.parse"].finding == "nobody at work, 1 wait, 0 held"
    assert found["scheduler.discover"].level == "ok"


async def test_what_is_held_for_long_is_found_by_its_age(bus, at):
    hour_ago = int((time.time() - 3600) * 1000)
    await bus.redis.xadd(bus.keys.stream("page.fetched"), {"e": b"x"}, id=f"{hour_ago}-0")
    async with Consumer(bus, PARSE) as consumer:
        await consumer._read(1, 1)
        found = of(await examine(at))

    assert found["scraper.parse"].level == "warn"
    assert "0 wait, 1 held, the oldest for 60 min" in found["scraper.parse"].finding


async def test_dead_letters_are_counted(bus, at):
    await bus.redis.xadd(bus.keys.dead("scraper.parse"), {"e": b"x"})

    assert of(await examine(at))["dead letters"].finding == "1 of scraper.parse"


async def test_a_group_that_is_gone_is_named(bus, at):
    await bus.redis.xgroup_destroy(bus.keys.stream("page.fetched"), PARSE.name)
    async with Consumer(bus, DISCOVER) as alive:
        await alive.take(1, block_ms=1)
        found = of(await examine(at))

    assert found["scraper.parse"].finding == "no consumer group on page.fetched"


async def test_a_server_that_evicts_and_keeps_no_file_is_found(bus, at):
    await bus.redis.config_set("maxmemory-policy", "volatile-lru")
    try:
        found = of(await examine(at))
    finally:
        await bus.redis.config_set("maxmemory-policy", "noeviction")

    assert found["redis eviction"].level == "bad"
    assert "CONFIG SET maxmemory-policy noeviction" in found["redis eviction"].mend
    assert found["redis persistence"].level == "warn"


async def test_a_clock_that_is_off_is_found(bus, at):
    found = of(await examine(at, now=lambda: time.time() - 60))

    assert found["redis clock"].level == "bad"
    assert found["redis clock"].finding == "Redis' clock is 60 s ahead of this machine's"


async def test_the_clock_of_a_worker_that_is_off_is_found(bus, at):
    async with present(bus, "fast-7-ab", concurrency=4, now=lambda: time.time() + 30.2):
        found = of(await examine(at))

    assert found["worker clocks"].finding.startswith("fast-7-ab's clock is 30 s ahead")


async def test_an_old_database_is_found_and_left_as_it_is(at):
    engine = open_database(Settings(**at))
    with writing(engine) as connection:
        connection.execute(text("UPDATE penstock_schema SET version_num = '0001'"))
    found = of(await examine(at))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM penstock_schema")).scalar_one() == "0001"
    engine.dispose()

    assert found["database tables"].level == "bad"
    assert "penstock record" in found["database tables"].mend


async def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(at):
    found = of(await examine({**at, "database_url": "postgresql://u:sesame@127.0.0.1:1/x"}))

    assert found["database"].level == "bad"
    assert "\n" not in found["database"].finding
    assert "sesame" not in str(list(found.values()))


async def test_a_folder_that_cannot_be_written_is_found(bus, at):
    found = of(await examine({**at, "data": "/proc/penstock"}))

    assert found["archive folder"].level == "bad"
    assert "cannot write /proc/penstock/archive" in found["archive folder"].finding


async def test_where_no_cluster_runs_the_folder_and_the_server_are_looked_at(tmp_path):
    found = of(await examine({"data": str(tmp_path / "none")}))

    assert found["cluster"].finding.startswith("none runs in ")
    assert found["server"].level == "ok"
    assert found["database"].finding.startswith("nothing has been recorded")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "url", ["http://h", "redis://h:port", "redis://127.0.0.1:1/0", "redis://127.0.0.1/?nonsense=1"]
)
async def test_a_bad_redis_url_is_one_line(tmp_path, url):
    done = await penstock("doctor", "--data", str(tmp_path), PENSTOCK_REDIS_URL=url)

    assert done.status == 1, done
    assert len([line for line in done.out.splitlines() if line.startswith("bad  redis: ")]) == 1
    assert done.err == ""


async def test_a_bad_setting_is_one_line(tmp_path):
    done = await penstock("doctor", "--data", str(tmp_path), PENSTOCK_WORKERS="many")

    assert done.status == 1, done
    assert "bad  settings: PENSTOCK_WORKERS must be a whole number" in done.out
