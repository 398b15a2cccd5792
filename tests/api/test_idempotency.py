"""Idempotency-Key: a request that is sent twice makes one crawl, whatever happened in between."""

import asyncio

import pytest

from contract.crawls import new_crawl_id
from penstock.api.idempotency import LIFE_SECONDS, reserved

BODY = {"seeds": ["http://127.0.0.1:9/"], "name": "once"}


async def create(client, key, body=None):
    """The answer to the same request as ever, with this key."""
    return await client.post("/crawls", json=body or BODY, headers={"Idempotency-Key": key})


async def crawls(client):
    """The ids of all crawls."""
    return [crawl["id"] for crawl in (await client.get("/crawls")).json()["crawls"]]


async def test_the_same_request_again_is_answered_with_the_same_crawl(live, bus):
    first, second = await create(live, "k1"), await create(live, '"k1"')

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    assert first.headers["location"] == second.headers["location"]
    assert await crawls(live) == [first.json()["id"]]
    [key] = [key async for key in bus.redis.scan_iter(match="*asked*")]
    assert LIFE_SECONDS - 60 < await bus.redis.ttl(key) <= LIFE_SECONDS


async def test_requests_that_race_make_one_crawl(live):
    answers = await asyncio.gather(*(create(live, "k1") for _ in range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await crawls(live)) == 1


async def test_a_request_that_died_after_its_key_was_noted_is_made_good_by_the_next(live, bus):
    body = '{"name": "once", "seeds": ["http://127.0.0.1:9/"]}'
    noted = await reserved(bus, "k1", body=body, crawl=new_crawl_id())

    answer = await create(live, "k1")

    assert (answer.status_code, answer.json()["id"]) == (201, noted)


async def test_a_crawl_that_is_over_is_not_begun_again(live):
    crawl = (await create(live, "k1")).json()["id"]
    await live.post(f"/crawls/{crawl}/cancel")

    again = await create(live, "k1")

    assert (again.status_code, again.json()["id"], again.json()["state"]) == (201, crawl, "cancelled")
    assert await crawls(live) == [crawl]


async def test_a_key_that_came_with_another_body_is_refused(live):
    await create(live, "k1")

    answer = await create(live, "k1", {**BODY, "name": "other"})

    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
    assert len(await crawls(live)) == 1


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "tab\there", "\xe9".encode()])
async def test_what_is_no_key_is_refused(api, key):
    answer = await create(api, key)

    assert (answer.status_code, answer.json()["field"]) == (400, "Idempotency-Key")


async def test_a_body_that_cannot_be_used_does_not_use_up_the_key(live):
    assert (await create(live, "k1", {**BODY, "delay": -1})).status_code == 422
    assert (await create(live, "k1", {**BODY, "allow": ["("]})).status_code == 422

    assert (await create(live, "k1")).status_code == 201
