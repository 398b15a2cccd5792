"""Redis behind Sentinel: the bus and Celery find the master, and go on with the next one when it dies."""

import asyncio
import signal

import pytest
from celery import Celery
from redis.exceptions import ResponseError

from contract.broker import celery_settings
from contract.bus import Bus, Consumer, publish
from contract.bus.groups import ensure_groups
from contract.bus.guards import check_server
from contract.bus.scripts import patiently
from contract.errors import Refused
from contract.topology import PARSE
from penstock.site import SiteOptions, running_site
from tests.builders import page_fetched, page_parsed
from tests.servers.crawls import cluster, crawl, is_whole
from tests.servers.starting import client_of, watched
from tests.system.commands import until


@pytest.fixture
async def servers(tmp_path):
    """A master, its replica, and a Sentinel."""
    async with watched(tmp_path) as found:
        yield found


async def test_a_message_is_taken_and_handed_over(servers):
    async with Bus.open(servers.url) as bus:
        await check_server(bus)
        await ensure_groups(bus)
        await publish(bus, page_fetched())
        async with Consumer(bus, PARSE) as consumer:
            [page] = await consumer.take(1)
            assert await consumer.hand_over(page, page_parsed())
        with client_of(servers.master) as admin:
            assert admin.xlen(bus.keys.stream("page.parsed")) == 1


@pytest.mark.soak
async def test_a_consumer_goes_on_with_the_new_master(servers):
    async with Bus.open(servers.url) as bus:
        await ensure_groups(bus)
        async with Consumer(bus, PARSE) as consumer:
            assert await consumer.take(1, block_ms=10) == []
            with client_of(servers.master) as admin:
                assert admin.wait(1, 5_000) == 1
            servers.master.kill()
            await servers.new_master()
            await patiently(lambda: publish(bus, page_fetched()))
            async with asyncio.timeout(20):
                while not (taken := await consumer.take(1)):
                    pass
            assert await consumer.hand_over(taken[0], page_parsed())
        with client_of(servers.replica) as admin:
            assert admin.xlen(bus.keys.stream("page.parsed")) == 1


async def test_celery_finds_the_master(servers):
    app = Celery(set_as_current=False)
    app.conf.update(celery_settings(servers.url, prefix="penstock"))
    with app.connection_for_write() as connection:
        app.send_task("x", queue="q", connection=connection, ignore_result=True)
        connection.default_channel.close()
    with client_of(servers.master) as admin:
        assert admin.llen("penstock:{0}:celery:q") == 1


async def test_a_master_that_nobody_knows_is_one_clear_line(servers):
    async with Bus.open(servers.url.replace("/mine/", "/theirs/")) as bus:
        with pytest.raises(Refused, match=r"no Redis at sentinel://.*No master found for 'theirs'"):
            await check_server(bus)


def killed(servers):
    """kill -9: every connection breaks at once."""
    servers.master.kill()


def frozen(servers):
    """Nothing breaks, and nothing answers any more: as a machine that was cut off."""
    servers.master.process.send_signal(signal.SIGSTOP)


def deposed(servers):
    """The operator's way: Sentinel makes the replica master, and the master a replica of it."""
    with client_of(servers.sentinels[0]) as sentinel:
        sentinel.sentinel_failover("mine")


def _is_deposed(servers) -> bool:
    """Whether Sentinel agrees: it has to have heard from the replica lately."""
    try:
        deposed(servers)
    except ResponseError:
        return False
    return True


@pytest.mark.soak
async def test_writes_go_to_the_new_master_while_the_old_one_still_takes_them(servers):
    async with Bus.open(servers.url) as bus:
        await bus.redis.set("said", "before")
        async with asyncio.timeout(20):
            while not _is_deposed(servers):
                await asyncio.sleep(0.1)
        await servers.new_master()
        with client_of(servers.replica) as new, client_of(servers.master) as old:
            async with asyncio.timeout(5):  # Sentinel tells the old one after ten seconds
                while new.get("said") != "after":
                    await patiently(lambda: bus.redis.set("said", "after"))
                    await asyncio.sleep(0.05)
            assert old.info("replication")["role"] == "master"


@pytest.mark.soak
@pytest.mark.parametrize("what_happens", [killed, frozen, deposed])
async def test_a_crawl_outlives_a_failover(tmp_path, what_happens):
    async with (
        watched(tmp_path / "servers", sentinels=3) as servers,
        running_site(SiteOptions(pages=60, latency_ms=5)) as site,
        cluster(servers.url, tmp_path / "data") as settings,
    ):
        crawling = asyncio.create_task(crawl(site, settings, "--delay", "0.04"))
        await until(lambda: len(site.log.records) > 15)
        what_happens(servers)
        done = await crawling
    is_whole(site, done)
