"""POST /crawls/{id}/pause|resume|cancel|seeds: carried out, recorded, answered; or a conflict that says why not."""

import asyncio

import pytest

from scheduler import service
from tests.api.conftest import client_of

SEED = "http://127.0.0.1:9/"


@pytest.fixture
async def crawl(live):
    """The path of a running crawl."""
    answer = await live.post("/crawls", json={"seeds": [SEED], "name": "books"})
    return answer.headers["location"]


async def test_a_crawl_is_paused_gone_on_with_and_cancelled_and_each_answer_has_the_change(live, crawl):
    found = [(await live.post(f"{crawl}/{verb}")).json() for verb in ("pause", "resume", "cancel")]

    assert [(each["state"], each["version"]) for each in found] == [("paused", 2), ("running", 3), ("cancelled", 4)]
    assert found[2]["finished_at"]
    assert (await live.get("/crawls?state=cancelled")).json()["crawls"] == [found[2]]
    assert (await live.get("/crawls?state=running")).json()["crawls"] == []


async def test_seeds_are_added(live, crawl):
    answer = await live.post(f"{crawl}/seeds", json={"seeds": [f"{SEED}more", "http://127.0.0.2:9/"]})

    found = answer.json()
    assert (answer.status_code, found["version"], found["seed_count"]) == (200, 2, 3)
    assert found["counts"]["discovered"] == 3


@pytest.mark.parametrize(("first", "then"), [("pause", "pause"), ("cancel", "resume"), ("cancel", "seeds")])
async def test_what_does_not_fit_is_a_conflict_in_the_schedulers_words(live, crawl, first, then):
    await live.post(f"{crawl}/{first}")

    answer = await live.post(f"{crawl}/{then}", json={"seeds": [SEED]} if then == "seeds" else None)

    problem = answer.json()
    assert (answer.status_code, problem["crawl"]) == (409, crawl.rpartition("/")[2])
    assert "cancelled" in problem["detail"] or "paused" in problem["detail"]


async def test_of_two_who_expect_the_same_version_one_is_told_of_the_other(live, crawl):
    pause = live.post(f"{crawl}/pause", json={"expected_version": 1})
    seeds = live.post(f"{crawl}/seeds", json={"expected_version": 1, "seeds": [f"{SEED}more"]})
    answers = await asyncio.gather(pause, seeds)

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [refused] = [answer.json() for answer in answers if answer.status_code == 409]
    assert "version 2, not 1" in refused["detail"]


async def test_watchers_of_the_list_are_told(live, crawl, bus):
    async with bus.redis.pubsub() as news:
        await news.subscribe(bus.keys.news)
        await live.post(f"{crawl}/pause")

        async with asyncio.timeout(5):
            while not (heard := await news.get_message(ignore_subscribe_messages=True, timeout=1)):
                pass

    assert heard["data"] == crawl.rpartition("/")[2].encode()


@pytest.mark.parametrize("id", ["20261123-120000-abcdef", "%00", "a%20b", "x" * 200])
async def test_a_crawl_that_is_not_there_is_not_found(api, id):
    requests = [api.get(f"/crawls/{id}"), *(api.post(f"/crawls/{id}/{verb}") for verb in ("pause", "cancel"))]
    requests += [api.post(f"/crawls/{id}/seeds", json={"seeds": [SEED]}), api.get(f"/crawls/{id}/pages")]

    for answer in await asyncio.gather(*requests):
        assert answer.status_code == 404, answer.text
        assert "no crawl" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "seeds"),
        ({"seeds": []}, "seeds"),
        ({"seeds": ["nope"]}, "seeds.0"),
        ({"seeds": [SEED], "expected_version": -1}, "expected_version"),
    ],
)
async def test_seeds_that_cannot_be_used_are_named(live, crawl, body, field):
    answer = await live.post(f"{crawl}/seeds", json=body)

    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_where_nobody_records_it_is_said_that_it_is_done(bus, settings):
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, client_of(settings, patience_seconds=0.3) as client:
        tasks.create_task(service.run(settings, stop))
        answer = await client.post("/crawls", json={"seeds": [SEED]})
        stop.set()

    problem = answer.json()
    assert answer.status_code == 503
    assert "not recorded yet" in problem["detail"]
    assert await bus.redis.exists(bus.keys.crawl(problem["crawl"]))
