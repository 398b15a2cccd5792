"""Progress in detail: the latest pages without a gap and none twice, and hosts with their politeness."""

import asyncio
import time

import httpx
import pytest
from sqlalchemy import select

from contract.settings import Settings
from storage.sql import tables
from tests import builders
from tests.api.watching import CRAWL, PROGRESS, Stage, named, rest, serving, until, watching
from tests.builders import URL

DETAIL = PROGRESS + "?detail=1"
HOST = "http://site.test"


@pytest.fixture
def stage(bus, redis_url, tmp_path):
    made = Stage(bus, Settings(redis_url=redis_url, data=str(tmp_path)))
    made.record(builders.crawl_started())
    yield made
    made.engine.dispose()


@pytest.fixture
async def address(stage):
    await stage.say(state="running", discovered=1)
    async with serving(stage.settings) as address:
        yield address


def pages_of(events):
    """All rows of events `pages`, in the order in which they came."""
    return [row for data in named(events, "pages") for row in data["pages"]]


def has_page(number):
    """Whether an event tells of this page."""
    return lambda event: event.name == "pages" and any(row["url"] == f"{URL}/{number}" for row in event.data["pages"])


def outcomes(numbers):
    """Pages of these numbers, fetched and read."""
    fetched = [builders.page_fetched(f"{URL}/{number}") for number in numbers]
    return [*fetched, *(builders.page_parsed(f"{URL}/{number}", title=f"Page {number}") for number in numbers)]


async def test_who_comes_first_is_told_the_latest_pages_with_their_titles(stage, address):
    stage.record(*outcomes(range(30)), builders.page_failed(URL + "/gone", status=503, reason="server_error"))

    async with watching(address, DETAIL) as events:
        told = await until(events, lambda event: event.name == "pages")

    assert told[0].name == "progress"
    [data] = named(told, "pages")
    assert data["left_out"] == 0
    assert [row["url"] for row in data["pages"]] == [*(f"{URL}/{number}" for number in range(11, 30)), URL + "/gone"]
    first, last = data["pages"][0], data["pages"][-1]
    assert (first["outcome"], first["status"], first["title"], first["elapsed_ms"]) == ("fetched", 200, "Page 11", 20)
    assert (last["outcome"], last["status"], last["reason"], last["title"]) == ("failed", 503, "server_error", None)
    assert first["position"] < last["position"] <= int(told[-1].id)


async def test_a_page_has_its_title_when_it_is_told_soon_after_it_was_read(stage, address):
    async with watching(address, DETAIL) as events:
        await until(events, lambda event: True)
        stage.record(builders.page_fetched(URL + "/1"))
        await stage.say(state="running", discovered=2)
        stage.record(builders.page_parsed(URL + "/1", title="One"))
        told = await until(events, has_page(1))

    assert [row["title"] for row in pages_of(told)] == ["One"]


async def test_who_comes_back_again_and_again_misses_nothing_and_gets_nothing_twice(stage, address):
    async def record_all():
        for start in range(0, 300, 10):
            await asyncio.to_thread(stage.record, *outcomes(range(start, start + 10)))
            await stage.say(state="running", discovered=start + 10)

    recording = asyncio.create_task(record_all())
    last, told = "0", []
    while len(pages_of(told)) < 300:
        async with watching(address, DETAIL, last=last) as events:
            told += await until(events, lambda event: event.name == "pages")
        last = told[-1].id
    await recording

    assert [row["url"] for row in pages_of(told)] == [f"{URL}/{number}" for number in range(300)]
    assert {data["left_out"] for data in named(told, "pages")} == {0}


async def test_who_was_away_for_long_is_told_all_of_it_in_portions(stage, address):
    stage.record(*outcomes(range(3)))
    async with watching(address, DETAIL) as events:
        last = (await until(events, has_page(2)))[-1].id
    stage.record(*(builders.page_fetched(f"{URL}/{number}") for number in range(3, 1_203)))

    async with watching(address, DETAIL, last=last) as events:
        told = await until(events, has_page(1_202))
        last = told[-1].id

    portions = named(told, "pages")
    assert [row["url"] for row in pages_of(told)] == [f"{URL}/{number}" for number in range(3, 1_203)]
    assert sum(data["left_out"] for data in portions) == 0
    assert max(len(data["pages"]) for data in portions) <= 500
    assert [event.id for event in told if event.name == "pages"] == [
        str(data["pages"][-1]["position"]) for data in portions[:-1]
    ] + [last]


async def test_who_is_cut_off_amid_what_was_missed_goes_on_from_there(stage, address):
    stage.record(*(builders.page_fetched(f"{URL}/{number}") for number in range(900)))
    last, told = "1", []
    while len(pages_of(told)) < 900:
        async with watching(address, DETAIL, last=last) as events:
            told += await until(events, lambda event: event.name == "pages")
        last = told[-1].id

    assert [row["url"] for row in pages_of(told)] == [f"{URL}/{number}" for number in range(900)]


async def test_who_comes_back_after_the_end_is_told_all_that_it_missed(stage, address):
    stage.record(*outcomes(range(700)), builders.crawl_finished(fetched=700))

    async with watching(address, DETAIL, last="1") as events:
        told = await rest(events)

    assert [row["url"] for row in pages_of(told)] == [f"{URL}/{number}" for number in range(700)]
    assert (told[0].name, told[-1].name) == ("progress", "end")


async def test_who_stays_while_more_comes_than_is_held_is_told_how_much_was_left_out(stage, address):
    async with watching(address, DETAIL) as events:
        await until(events, lambda event: True)
        stage.record(*(builders.page_fetched(f"{URL}/{number}") for number in range(1_200)))
        await stage.say(state="running", discovered=2)
        told = await until(events, has_page(1_199))

    assert [row["url"] for row in pages_of(told)] == [f"{URL}/{number}" for number in range(700, 1_200)]
    assert sum(data["left_out"] for data in named(told, "pages")) == 700


async def test_an_id_from_another_world_is_like_none(stage, address):
    stage.record(*outcomes(range(30)))

    for last in ("99999999", "x", "-1", "1" * 40):
        async with watching(address, DETAIL, last=last) as events:
            told = await until(events, has_page(29))
        assert len(pages_of(told)) == 20


async def test_all_pages_are_told_before_the_end(stage, address):
    async with watching(address, DETAIL) as events:
        await until(events, lambda event: True)
        stage.record(*outcomes(range(40)), builders.crawl_finished(fetched=40))
        await stage.say("record", complete=True, fetched=40)
        told = await rest(events)

    assert {row["url"] for row in pages_of(told)} == {f"{URL}/{number}" for number in range(40)}
    assert told[-1].name == "end"
    with stage.engine.connect() as connection:
        positions = connection.execute(
            select(tables.events.c.position).where(tables.events.c.type == "page.fetched")
        ).scalars()
        assert [row["position"] for row in pages_of(told)] == sorted(positions)


async def test_hosts_come_with_their_pace_and_what_politeness_knows(stage, address):
    now = int(time.time() * 1000)
    starts = [now - 3_000, now - 1_900, now - 1_000, now]
    stage.record(
        builders.robots_fetched(started_at=starts[0], crawl_delay_ms=500),
        *(builders.page_fetched(f"{URL}/{at}", started_at=at, elapsed_ms=30) for at in (starts[3], starts[1])),
        builders.page_failed(started_at=starts[2], elapsed_ms=60),
        builders.page_fetched("http://slow.test/", started_at=now, elapsed_ms=900),
    )
    await stage.bus.redis.hset(stage.bus.keys.host(HOST), mapping={"in_flight": 1, "next_at": now + 60_000})
    waits = {"waits_for": "robots", "waits_why": "http_503", "waits_until": now + 90_000}
    await stage.bus.redis.hset(stage.bus.keys.host("http://slow.test"), mapping=waits)

    async with watching(address, DETAIL) as events:
        [*_, told] = await until(events, lambda event: event.name == "hosts" and event.data["hosts"])

    busiest, slowest = told.data["hosts"]
    assert (busiest["host"], busiest["requests"], busiest["errors"], busiest["bytes"]) == (HOST, 4, 1, 800)
    assert (busiest["in_flight"], busiest["next_at"], busiest["block_until"]) == (1, now + 60_000, None)
    assert (busiest["gaps_ms"], busiest["smallest_gap_ms"]) == ([1_100, 900, 1_000], 900)
    assert busiest["latency_ms"] == 40.0
    assert 0.2 < busiest["per_second"] <= 1.34  # four in the three seconds since the crawl's first, and a moment
    assert (busiest["crawl_delay_ms"], busiest["robots_verdict"]) == (500, "allow")
    assert (slowest["host"], slowest["latency_ms"], slowest["gaps_ms"]) == ("http://slow.test", 900.0, [])
    assert {name: slowest[name] for name in waits} == waits
    assert (busiest["waits_for"], busiest["waits_until"]) == (None, None)


async def test_a_host_that_has_named_a_moment_is_rate_limited_until_then(stage, address):
    now = int(time.time() * 1000)
    stage.record(builders.page_fetched())
    limited = {"limited": "http_429", "block_until": now + 600_000}
    await stage.bus.redis.hset(stage.bus.keys.host(HOST), mapping=limited)
    async with httpx.AsyncClient(base_url=address) as client:
        [host] = (await client.get(f"/crawls/{CRAWL}/hosts")).json()["hosts"]

    assert (host["waits_for"], host["waits_why"], host["waits_until"]) == ("rate_limit", "http_429", now + 600_000)


async def test_the_hosts_of_a_crawl_by_what_is_asked_of_them_and_by_how_slow_they_are(stage, address):
    stage.record(
        *(builders.page_fetched(f"http://busy.test/{number}", elapsed_ms=5) for number in range(3)),
        builders.page_fetched("http://slow.test/", elapsed_ms=900),
    )
    async with httpx.AsyncClient(base_url=address) as client:
        answers = [
            (await client.get(f"/crawls/{CRAWL}/hosts?{query}")).json()["hosts"]
            for query in ("", "order=slowest", "limit=1")
        ]
        assert (await client.get(f"/crawls/{CRAWL}/hosts?order=best")).status_code == 422

    assert [[host["host"] for host in hosts] for hosts in answers] == [
        ["http://busy.test", "http://slow.test"],
        ["http://slow.test", "http://busy.test"],
        ["http://busy.test"],
    ]
    assert [host["requests"] for host in answers[0]] == [3, 1]


async def test_the_timeline_of_a_crawl(stage, address):
    at = 1_795_000_000_000
    stage.record(
        *(builders.page_fetched(f"{URL}/{ms}", started_at=at + 100, elapsed_ms=ms) for ms in (10, 30)),
        builders.page_failed(started_at=at + 12_000),
    )
    async with httpx.AsyncClient(base_url=address) as client:
        found = (await client.get(f"/crawls/{CRAWL}/timeline")).json()
        assert (await client.get("/crawls/20000101-000000-ffffff/timeline")).status_code == 404

    seconds = at // 1000
    assert found == {
        "bucket_seconds": 5,
        "points": [[seconds, 2, 0, 20], [seconds + 5, 0, 0, None], [seconds + 10, 0, 1, None]],
    }


async def test_the_list_of_crawls_is_told_again_when_it_changes(stage, address):
    async with watching(address, "/progress") as events:
        [first] = await until(events, lambda event: True)
        assert [crawl["id"] for crawl in first.data["crawls"]] == [CRAWL]
        stage.record(builders.crawl_started(crawl="20261124-120000-abcdef", time="2026-11-24T12:00:00.000Z"))
        [second] = await until(events, lambda event: True)

    assert [crawl["id"] for crawl in second.data["crawls"]] == ["20261124-120000-abcdef", CRAWL]
