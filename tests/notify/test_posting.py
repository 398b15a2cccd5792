"""What a receiver gets: each event of a crawl's life, once, signed, in order, and finished only when SQL has it all."""

import asyncio
import logging
import time

from cloudevents.core.formats.json import JSONFormat

from contract import codec
from contract.bus import publish
from contract.crawls import CrawlCancelled, CrawlFinished, CrawlPaused, CrawlResumed, CrawlStarted
from contract.settings import Settings
from penstock.notify import Limits
from storage.sql.database import open_database
from tests.builders import CRAWL, crawl_started, life, page_fetched, page_parsed
from tests.conftest import start_redis
from tests.notify.receivers import QUICK, SECRET, notifying, receiving, settings_for, through
from tests.scraper.raw_server import answer
from tests.storage.helpers import write

COUNTS = {"fetched": 1, "failed": 0, "excluded": 0}


def started(url, *, crawl=CRAWL):
    """The first event of a crawl that names this webhook."""
    spec = crawl_started(webhook=url).payload.spec
    return life(CrawlStarted, 1, crawl=crawl, spec=spec, seeds=("http://site.test/",))


async def know(bus, url, *, crawl=CRAWL):
    """Have Redis know the crawl, as the scheduler does."""
    spec = codec._encoder.encode(crawl_started(webhook=url).payload.spec)
    await bus.redis.hset(bus.keys.crawl(crawl), mapping={"state": "running", "spec": spec})


async def test_each_event_of_a_crawls_life_is_posted_once_as_it_was_published(bus, tmp_path):
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path)):
        await know(bus, receiver.url)
        events = [started(receiver.url), *(life(kind, n) for n, kind in enumerate((CrawlPaused, CrawlResumed), 2))]
        for event in (*events, life(CrawlCancelled, 4)):
            await publish(bus, event)
            await through(bus)

    assert receiver.told == [("crawl.started", 1), ("crawl.paused", 2), ("crawl.resumed", 3), ("crawl.cancelled", 4)]
    assert [post.body for post in receiver.posts[:3]] == [codec.encode(event) for event in events]
    assert {post.line for post in receiver.posts} == {"POST /hooks?token=hunter2 HTTP/1.1"}


async def test_a_post_is_a_cloudevent_and_signed_as_standard_webhooks_has_it(bus, tmp_path):
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path)):
        await publish(bus, started(receiver.url))
        [post] = await receiver.got(1)

    event = JSONFormat().read(None, post.body)
    assert (event.get_type(), event.get_id()) == ("crawl.started", post.headers["webhook-id"])
    assert post.headers["content-type"] == "application/cloudevents+json"
    assert abs(int(post.headers["webhook-timestamp"]) - time.time()) < 5
    assert post.is_signed_by(SECRET)
    assert not post.is_signed_by("another")
    assert post.headers.keys().isdisjoint(("cookie", "authorization", "referer"))


async def test_a_secret_may_be_plain_text(bus, tmp_path):
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path, webhook_secret="päss")):
        await publish(bus, started(receiver.url))
        [post] = await receiver.got(1)

    assert post.is_signed_by("päss")


async def test_without_a_secret_nothing_is_signed_and_the_log_says_so_once(bus, tmp_path, caplog):
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path, webhook_secret="")):
        await publish(bus, started(receiver.url), started(receiver.url, crawl="other"))
        await through(bus)

    assert all("webhook-signature" not in post.headers for post in receiver.posts)
    assert [record.action for record in caplog.records if "not signed" in record.getMessage()] == ["unsigned"]


async def test_a_crawl_without_a_webhook_is_told_to_nobody(bus, tmp_path):
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path)):
        await know(bus, None)
        await publish(bus, started(None), life(CrawlPaused, 2), life(CrawlFinished, 3, **COUNTS))
        await publish(bus, life(CrawlCancelled, 1, crawl="nobody-knows-it"))
        open_database(settings_for(bus, tmp_path)).dispose()
        await through(bus)

    assert receiver.posts == []


async def test_where_redis_has_forgotten_a_crawl_its_webhook_is_looked_up_in_sql(bus, tmp_path):
    async with receiving() as receiver:
        engine = open_database(settings_for(bus, tmp_path))
        write(engine, tmp_path / "archive", started(receiver.url))
        engine.dispose()
        async with notifying(bus, settings_for(bus, tmp_path)):
            await publish(bus, life(CrawlPaused, 2))
            await receiver.got(1)

    assert receiver.told == [("crawl.paused", 2)]


async def test_finished_is_posted_only_when_all_of_the_crawl_is_in_sql(bus, tmp_path):
    patient = Limits(schedule=QUICK.schedule, complete_seconds=30.0)
    engine = open_database(settings_for(bus, tmp_path))
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path), patient):
        await know(bus, receiver.url)
        finished = life(CrawlFinished, 2, **COUNTS)
        await publish(bus, finished)
        write(engine, tmp_path / "archive", started(receiver.url), page_fetched(), finished)
        await asyncio.sleep(0.15)
        assert receiver.posts == []  # the page is not parsed yet
        write(engine, tmp_path / "archive", page_parsed())
        await receiver.got(1)
    engine.dispose()

    assert receiver.told == [("crawl.finished", 2)]


async def test_finished_does_not_wait_for_sql_for_ever(bus, tmp_path, caplog):
    async with receiving() as receiver, notifying(bus, settings_for(bus, tmp_path)):
        await know(bus, receiver.url)
        await publish(bus, life(CrawlFinished, 2, **COUNTS))
        await receiver.got(1)

    assert "early" in [getattr(record, "action", "") for record in caplog.records]


async def test_a_later_event_waits_while_an_earlier_one_of_its_crawl_is_tried_again(bus, tmp_path):
    sorry = answer(status="503 Busy")
    async with receiving(sorry, sorry, answer()) as receiver:
        await know(bus, receiver.url)
        await publish(bus, life(CrawlCancelled, 3), life(CrawlPaused, 2), started(receiver.url))
        async with notifying(bus, settings_for(bus, tmp_path)):
            await through(bus)

    assert [version for _, version in receiver.told] == [1, 1, 1, 2, 3]


async def test_neither_secret_nor_path_is_ever_in_the_log(bus, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    settings = settings_for(bus, tmp_path, webhook_secret="whsec_aHVudGVyMg==")
    async with receiving(answer(status="500 No"), answer(status="410 Gone")) as receiver, notifying(bus, settings):
        await publish(bus, started(receiver.url), started("http://127.0.0.1:1/hooks?token=hunter2", crawl="other"))
        await through(bus)

    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "has not taken crawl.started" in said
    for word in ("hunter2", "/hooks", "aHVudGVyMg"):
        assert word not in said
        for letter in await bus.redis.xrange(bus.keys.dead("penstock.notify")):
            assert word.encode() not in letter[1][b"reason"]


async def test_a_recorder_without_webhooks_never_loads_the_http_client(tmp_path):
    import subprocess
    import sys

    program = (
        "import asyncio, sys\n"
        "from contract.settings import load\n"
        "from storage import record\n"
        "from penstock import notify\n"
        "async def main():\n"
        "    stop = asyncio.Event()\n"
        "    asyncio.get_running_loop().call_later(0.1, stop.set)\n"
        "    await asyncio.gather(record.run(load(), stop), notify.run(load(), stop))\n"
        "asyncio.run(main())\n"
        "print(sorted({'httpx', 'aiohttp', 'ada_url'} & sys.modules.keys()))\n"
    )
    with start_redis(tmp_path) as url:
        environ = {"PENSTOCK_REDIS_URL": url, "PENSTOCK_DATA": str(tmp_path / "data")}
        run = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
        )

    assert run.stdout == "[]\n"


def test_settings_name_no_webhook_unless_asked_for():
    assert (Settings().webhook, Settings().webhook_secret) == (None, "")
