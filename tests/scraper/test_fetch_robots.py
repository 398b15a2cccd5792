"""Fetching robots.txt, and what each kind of answer comes to."""

import msgspec
import pytest

from contract.crawls import CrawlSpec
from contract.robots import RobotsRecord
from contract.settings import Settings
from penstock.site import SiteOptions, running_site
from scraper.http.client import Client
from scraper.http.exchange import at_once
from scraper.robots import verdict as module
from scraper.robots.book import RobotsBook
from scraper.robots.verdict import Robots, fetch_robots
from tests.scraper.raw_server import answer, raw_server

SETTINGS = Settings(allow_private=True, deadline_seconds=0.3)
SPEC = CrawlSpec(name="x")
HOST = "http://site.test"


async def fetch(url, *, settings=SETTINGS, gate=lambda url: at_once):
    async with Client(settings) as client:
        return await fetch_robots(client, f"{url}/robots.txt", user_agent="Penstock/0.1", gate=gate)


@pytest.mark.parametrize(
    ("variant", "verdict", "status"),
    [
        ("ok", "rules", 200),
        ("bom", "rules", 200),
        ("huge", "rules", 200),
        ("html", "rules", 200),
        ("redirect", "rules", 200),
        ("404", "allow", 404),
        ("500", "retry", 500),
        ("recovers", "retry", 503),
        ("timeout", "retry", None),
    ],
)
async def test_each_kind_of_answer_has_its_verdict(variant, verdict, status):
    async with running_site(SiteOptions(robots=variant)) as site:
        found = await fetch(site.root_url.rstrip("/"))

    assert (found.record.verdict, found.status) == (verdict, status)


async def test_what_an_unreachable_host_said_is_no_record_to_keep():
    async with running_site(SiteOptions(robots="500")) as site:
        found = await fetch(site.root_url.rstrip("/"))

    assert (found.is_had, found.life_ms) == (False, 0)
    assert found.record.reason == "http_500: answered 500"


@pytest.mark.parametrize("status", ["401 No", "403 No", "410 Gone"])
async def test_4xx_means_that_there_are_no_rules(status):
    async with raw_server(answer(status=status)) as server:
        assert (await fetch(server.url)).record.verdict == "allow"


async def test_429_is_no_permission_and_its_wish_is_passed_on():
    async with raw_server(answer(b"", "Retry-After: 7", status="429 Slow")) as server:
        found = await fetch(server.url)

    assert (found.record.verdict, found.retry_after_ms) == ("retry", 7000)


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "/robots.txt"])
async def test_a_redirect_to_nowhere_or_in_circles_means_that_there_are_no_rules(location):
    async with raw_server(answer(b"", f"Location: {location}", status="302 Found")) as server:
        found = await fetch(server.url)

    assert found.record.verdict == "allow"
    assert len(server.requests) <= module.MOST_REDIRECTS + 1


async def test_a_redirect_into_a_private_network_is_not_followed(monkeypatch):
    monkeypatch.setattr("scraper.http.addresses.is_public", lambda address: address == "127.0.0.1")
    async with (
        raw_server(answer(b"User-agent: *\nDisallow: /"), host="127.0.0.2") as secret,
        raw_server(answer(b"", f"Location: {secret.url}/robots.txt", status="302 Found")) as server,
    ):
        found = await fetch(server.url, settings=Settings(deadline_seconds=0.3))

    assert (found.record.verdict, len(secret.requests)) == ("allow", 0)


async def test_each_hop_waits_at_the_gate_of_its_own_host():
    hosts = []

    def gate(url):
        hosts.append(url.rpartition("/")[0])
        return at_once

    async with (
        raw_server(answer(b"User-agent: *\nDisallow: /"), host="127.0.0.2") as other,
        raw_server(answer(b"", f"Location: {other.url}/robots.txt", status="301 Moved")) as server,
    ):
        found = await fetch(server.url, gate=gate)

    assert found.record.verdict == "rules"
    assert hosts == [server.url, other.url]


async def test_only_the_first_half_megabyte_is_read():
    body = b"User-agent: *\nDisallow: /first\n" + b"# silt\n" * 100_000 + b"Disallow: /last\n"
    async with raw_server(answer(body)) as server:
        found = await fetch(server.url)

    assert len(found.record.text) <= 512 * 1024
    assert "/first" in found.record.text
    assert "/last" not in found.record.text


async def test_what_has_no_address_lets_the_pages_speak_for_themselves():
    found = await fetch("http://no-such-host.invalid")

    assert (found.record.verdict, found.asked) == ("allow", False)
    assert found.record.reason.startswith("dns_not_found")


async def test_a_record_is_shared_through_redis_and_remembered(bus):
    shared = Robots(record=RobotsRecord(verdict="rules", text="User-agent: *\nDisallow: /no"))
    await RobotsBook(bus).store(HOST, SPEC, shared)
    book = RobotsBook(bus)

    first = await book.look_up(HOST, SPEC)
    await bus.redis.flushall()
    second = await book.look_up(HOST, SPEC)

    assert first is second
    assert (first.allow(f"{HOST}/yes"), first.allow(f"{HOST}/no")) == (True, False)
    assert await RobotsBook(bus).look_up(HOST, SPEC) is None


@pytest.mark.parametrize("verdict", ["deny", "retry"])
async def test_a_record_of_before_that_says_nothing_of_the_host_counts_as_none(bus, verdict):
    await bus.redis.set(bus.keys.robots(HOST), msgspec.json.encode(RobotsRecord(verdict=verdict)))

    assert await RobotsBook(bus).look_up(HOST, SPEC) is None


async def test_the_memory_of_rules_is_bounded(bus):
    book = RobotsBook(bus)
    text = "# silt\n" * 50_000
    for number in range(40):
        book.remember(f"http://h{number}.test", SPEC, RobotsRecord(verdict="rules", text=text))

    assert repr(book) == f"<RobotsBook 23 hosts, {23 * len(text)} characters>"
