"""POST /crawls: begun, recorded and answered with; and whatever is wrong with the request has its field named."""

import asyncio
import json

import msgspec
import pytest

from tests.api.conftest import client_of

SEED = "http://127.0.0.1:9/"
JSON = {"content-type": "application/json"}


async def create(client, *seeds, **said):
    """The answer to a request for a crawl of these seeds, of one by default."""
    return await client.post("/crawls", json={"seeds": list(seeds) or [SEED], **said})


async def test_a_crawl_is_begun_and_answered_with_its_resource(live, bus):
    answer = await create(live, "http://127.0.0.1:9/a b", name="books", delay=0.5, max_pages=7, allow=["/a"])

    assert answer.status_code == 201, answer.text
    crawl = answer.json()
    assert answer.headers["location"] == f"/crawls/{crawl['id']}"
    assert (crawl["name"], crawl["state"], crawl["version"], crawl["complete"]) == ("books", "running", 1, False)
    assert (crawl["seeds"], crawl["seed_count"]) == (["http://127.0.0.1:9/a%20b"], 1)
    options = crawl["options"]
    assert (options["delay"], options["max_pages"], options["allow"]) == (0.5, 7, ["/a"])
    assert (crawl["counts"]["discovered"], crawl["counts"]["queued"]) == (1, 1)
    assert (await live.get(answer.headers["location"])).json()["id"] == crawl["id"]
    assert await bus.redis.hget(bus.keys.names, "books") == crawl["id"].encode()


@pytest.mark.parametrize("name", ["nul\0", "line\nfeed", "größe 猫", "\u202eevil", '"{}', "x" * 200])
async def test_a_name_may_be_any_text(live, name):
    crawl = (await create(live, name=name)).json()

    [found] = (await live.get("/crawls")).json()["crawls"]
    assert found["id"] == crawl["id"]
    assert found["name"] == crawl["name"] == name.replace("\0", "\ufffd")
    assert (await live.post(f"/crawls/{crawl['id']}/cancel")).json()["state"] == "cancelled"


async def test_watchers_of_the_list_are_told(live, bus):
    async with bus.redis.pubsub() as news:
        await news.subscribe(bus.keys.news)
        crawl = (await create(live)).json()["id"]

        async with asyncio.timeout(5):
            while not (heard := await news.get_message(ignore_subscribe_messages=True, timeout=1)):
                pass

    assert heard["data"] == crawl.encode()


async def test_what_is_left_out_is_as_the_server_has_it(stages, settings):
    settings = msgspec.structs.replace(settings, delay=3.0, per_host=2, user_agent="ours")
    async with client_of(settings) as client:
        options = (await create(client, per_host=5)).json()["options"]

    assert (options["delay"], options["per_host"], options["user_agent"]) == (3.0, 5, "ours")


async def test_a_spider_is_asked_for_by_its_name_and_brings_its_seeds(stages, settings, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(f"from scraper import Spider\nspider = Spider('mine', seeds=['{SEED}'], delay=2.5)\n")
    async with client_of(msgspec.structs.replace(settings, spiders=(str(file),))) as client:
        [known] = (await client.get("/spiders")).json()["spiders"]
        answer = await client.post("/crawls", json={"spider": "mine", "max_depth": 3})
        refused = [await create(client, spider=name) for name in (str(file), "other")]

    assert (known["name"], known["seeds"]) == ("mine", [SEED])
    crawl = answer.json()
    assert (crawl["name"], crawl["seeds"]) == ("mine", [SEED])
    assert (crawl["options"]["spider"], crawl["options"]["delay"], crawl["options"]["max_depth"]) == ("mine", 2.5, 3)
    for answer in refused:
        problem = answer.json()
        assert (answer.status_code, problem["field"]) == (422, "spider")
        assert "known are: mine" in problem["detail"]


async def test_more_seeds_than_one_message_holds_are_all_taken(live):
    answer = await create(live, *(f"{SEED}{number}" for number in range(12_000)))

    crawl = answer.json()["id"]
    async with asyncio.timeout(10):
        while (found := (await live.get(f"/crawls/{crawl}")).json())["seed_count"] < 12_000:
            await asyncio.sleep(0.02)
    assert (len(found["seeds"]), found["counts"]["discovered"]) == (20, 12_000)


@pytest.mark.parametrize("state", ["running", "paused"])
async def test_the_name_of_an_unfinished_crawl_is_a_conflict_that_changes_nothing(live, state):
    first = (await create(live, name="books", max_pages=5)).json()
    if state == "paused":
        await live.post(f"/crawls/{first['id']}/pause")
    before = (await live.get(f"/crawls/{first['id']}")).json()

    answer = await create(live, "http://127.0.0.1:9/other", name="books")

    problem = answer.json()
    assert (answer.status_code, problem["field"], problem["crawl"]) == (409, "name", first["id"])
    assert problem["type"] == "/problems/name-in-use"
    after = (await live.get(f"/crawls/{first['id']}")).json()
    assert (after["state"], after["version"], after["seed_count"]) == (state, before["version"], 1)
    assert len((await live.get("/crawls")).json()["crawls"]) == 1


async def test_the_name_of_an_ended_crawl_is_free_again(live):
    first = (await create(live, name="books")).json()
    await live.post(f"/crawls/{first['id']}/cancel")

    assert (await create(live, name="books")).status_code == 201


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"delay": -1}, "delay"),
        ({"delay": "1"}, "delay"),
        ({"per_host": 0}, "per_host"),
        ({"per_host": True}, "per_host"),
        ({"max_pages": 1.5}, "max_pages"),
        ({"max_depth": 10**9}, "max_depth"),
        ({"scope": "world"}, "scope"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"allow": ["ok", "("]}, "allow.1"),
        ({"deny": ["[z-a]"]}, "deny.0"),
        ({"deny": ["ok", "(?=x)"]}, "deny.1"),
        ({"user_agent": "two\nlines"}, "user_agent"),
        ({"seeds": []}, "seeds"),
        ({"seeds": [SEED, "example"]}, "seeds.1"),
        ({"seeds": ["ftp://127.0.0.1/"]}, "seeds.0"),
        ({"seeds": ["\ud800"]}, "seeds.0"),
        ({"webhook": "file:///etc/passwd"}, "webhook"),
        ({"webhook": "no"}, "webhook"),
        ({"allow_private": True}, "allow_private"),
        ({"obey_robots": False}, "obey_robots"),
    ],
)
def test_what_cannot_be_used_is_a_problem_that_names_its_field(standing, said, field):
    answer = standing.post("/crawls", content=json.dumps({"seeds": [SEED], **said}), headers=JSON)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["field"]) == (422, field)
    assert problem["detail"]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"delay": NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_description_of_a_crawl_is_a_problem(standing, body):
    answer = standing.post("/crawls", content=body, headers=JSON)

    assert answer.status_code in (400, 422)
    assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize(
    ("said", "field"), [({"seeds": [SEED]}, "seeds"), ({"webhook": "http://169.254.169.254/latest"}, "webhook")]
)
async def test_private_addresses_are_refused_where_the_operator_has_not_allowed_them(settings, said, field):
    async with client_of(msgspec.structs.replace(settings, allow_private=False)) as client:
        answer = await client.post("/crawls", json={"seeds": ["https://192.0.32.8/"], **said})

    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_webhook_is_shown_without_what_may_be_secret_in_it(live):
    answer = await create(live, webhook="http://127.0.0.1:8/hooks/s3cret?token=x")

    assert answer.json()["options"]["webhook"] == "http://127.0.0.1:8"
    assert "s3cret" not in answer.text


async def test_where_no_scheduler_answers_it_is_said_in_time(settings):
    async with client_of(settings, patience_seconds=0.1) as client:
        answer = await create(client)

    assert answer.status_code == 503
    assert "no scheduler answered" in answer.json()["detail"]
