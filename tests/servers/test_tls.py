"""Redis over TLS: the bus, Celery, and a crawl by all of them; no certificate is taken on trust."""

import asyncio

import pytest

from contract.broker import celery_settings
from contract.bus import Bus
from contract.errors import Refused
from penstock.site import SiteOptions, running_site
from tests.servers.crawls import cluster, crawl, is_whole
from tests.servers.starting import Certificates, TlsServer, started
from tests.system.commands import penstock, until


@pytest.fixture
async def server(tmp_path):
    """A server that speaks TLS alone."""
    async with started(TlsServer(tmp_path / "tls", Certificates(tmp_path / "certificates"))) as running:
        yield running


async def test_the_bus_goes_over_tls(server):
    async with Bus.open(server.url) as bus:
        await bus.redis.set("x", "y" * 1_000_000)
        assert await bus.redis.strlen("x") == 1_000_000
        assert await bus.reader().get("x") == b"y" * 1_000_000


async def test_celery_goes_over_tls(server):
    from celery import Celery

    app = Celery(set_as_current=False)
    app.conf.update(celery_settings(server.url, prefix="penstock"))
    with app.connection_for_write() as connection:
        assert connection.default_channel.client.ping()
        connection.default_channel.client.connection_pool.disconnect()


async def test_a_certificate_of_an_authority_that_we_do_not_know_is_refused_in_one_line(server):
    async with Bus.open(server.url.partition("?")[0]) as bus:
        with pytest.raises(Refused, match=r"certificate is not accepted: .*ssl_ca_certs") as error:
            await bus.redis.ping()
    assert "\n" not in str(error.value)


async def test_a_certificate_of_another_host_is_refused(server):
    async with Bus.open(server.url.replace("127.0.0.1", "localhost")) as bus:
        with pytest.raises(Refused, match="Hostname mismatch"):
            await bus.redis.ping()
    async with Bus.open(server.url.replace("127.0.0.1", "localhost") + "&ssl_check_hostname=false") as bus:
        assert await bus.redis.ping()


async def test_a_command_says_it_in_one_line(server):
    for url, why in (
        (server.url + ".gone", "a file that is not there"),
        (server.url.partition("?")[0], "ssl_ca_certs"),
    ):
        done = await penstock("scheduler", PENSTOCK_REDIS_URL=url)
        assert (done.status, done.err.count("\n"), why in done.err) == (2, 1, True), done


@pytest.mark.soak
async def test_a_crawl_over_tls_outlives_a_kill_of_the_server(server, tmp_path):
    async with (
        running_site(SiteOptions(pages=40, latency_ms=5)) as site,
        cluster(server.url, tmp_path / "data") as settings,
    ):
        crawling = asyncio.create_task(crawl(site, settings, "--delay", "0.04"))
        await until(lambda: len(site.log.records) > 10)
        server.kill()
        await server.start()
        done = await crawling
    is_whole(site, done)
