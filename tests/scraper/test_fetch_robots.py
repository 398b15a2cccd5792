"""Fetching robots.txt, and what each kind of answer comes to."""

import asyncio
import gzip

import msgspec
import pytest

from contract.crawls import CrawlSpec
from contract.robots import RobotsRecord
from contract.settings import Settings
from penstock.site import SiteOptions, running_site
from scraper.crawls import CrawlBook
from scraper.http.client import Client
from scraper.http.exchange import at_once
from scraper.robots import book as book_module
from scraper.robots import verdict as module
from scraper.robots.book import RobotsBook
from scraper.robots.reader import LONG_TEXT, RulesReader
from scraper.robots.verdict import Robots, fetch_robots
from tests.scraper.raw_server import answer, raw_server

SETTINGS = Settings(allow_private=True, deadline_seconds=0.3)
SPEC = CrawlSpec(name="x")
HOST = "http://site.test"


async def fetch(url, *, settings=SETTINGS, gate=lambda url: at_once):
    async with Client(settings) as client:
        return await fetch_robots(
            client, f"{url}/robots.txt", user_agent="Penstock/0.1", gate=gate, reader=RulesReader()
        )


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


async def test_half_a_file_is_no_file_and_no_permission():
    text = b"User-agent: *\n" + bytes(range(32, 127)) * 50 + b"\nDisallow: /"
    packed = gzip.compress(text)
    for raw, verdict in (
        (answer(text[:9], f"Content-Range: bytes 0-8/{len(text)}", status="206 Partial"), "retry"),
        (answer(text, f"Content-Range: bytes 0-{len(text) - 1}/{len(text)}", status="206 Partial"), "rules"),
        (answer(packed[:-20], "Content-Encoding: gzip"), "retry"),
        (answer(packed[:-8], "Content-Encoding: gzip"), "rules"),  # all but its checksum
    ):
        async with raw_server(raw) as server:
            found = await fetch(server.url)

        assert found.record.verdict == verdict
        assert found.rules is None or not found.rules.allow(f"{HOST}/a")


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "/robots.txt"])
async def test_a_redirect_to_nowhere_or_in_circles_means_that_there_are_no_rules(location):
    async with raw_server(answer(b"", f"Location: {location}", status="302 Found")) as server:
        found = await fetch(server.url)

    assert found.record.verdict == "allow"
    assert len(server.requests) <= module.MOST_REDIRECTS + 1


async def test_a_redirect_into_a_private_network_is_not_followed_and_opens_nothing(monkeypatch):
    for place in ("addresses", "resolver"):  # which let the host itself be asked, and its redirect's target not
        monkeypatch.setattr(f"scraper.http.{place}.is_public", lambda address: address == "127.0.0.1")
    async with (
        raw_server(answer(b"User-agent: *\nDisallow: /"), host="127.0.0.2") as secret,
        raw_server(answer(b"", f"Location: {secret.url}/robots.txt", status="302 Found")) as server,
    ):
        found = await fetch(server.url, settings=Settings(deadline_seconds=0.3))

    assert (found.record.verdict, len(server.requests), len(secret.requests)) == ("retry", 1, 0)
    assert found.record.reason.startswith(f"robots_unreachable: it leads to {secret.url}/robots.txt, blocked_address")


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://no-such-host.invalid/robots.txt", "dns_not_found"),
        ("http://127.0.0.1:1/robots.txt", "connect_refused"),
        ("http://a b/robots.txt", None),  # no URL: like a redirect without a Location
    ],
)
async def test_what_a_robots_txt_leads_to_and_cannot_be_reached_is_no_permission(target, why):
    async with raw_server(answer(b"", f"Location: {target}", status="302 Found")) as server:
        found = await fetch(server.url)

    assert (found.record.verdict, found.is_had) == (("retry", False) if why else ("allow", True))
    assert why is None or f"it leads to {target}, {why}" in found.record.reason


async def test_five_redirects_are_followed_and_behind_more_there_is_no_file():
    last = 0

    async def script(reader, writer):
        number = int(server.requests[-1].split()[1].strip(b"/robots.txt") or b"0")
        left = answer(b"", f"Location: /{number + 1}", status="301 Moved")
        writer.write(left if number < last else answer(b"User-agent: *\nDisallow: /"))
        await writer.drain()

    for last, verdict in ((5, "rules"), (6, "allow")):  # noqa: B007 - the script goes by it
        async with raw_server(script) as server:
            found = await fetch(server.url, settings=Settings(allow_private=True, deadline_seconds=10))
        assert found.record.verdict == verdict


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
        await book.remember(f"http://h{number}.test", SPEC, RobotsRecord(verdict="rules", text=text))

    assert repr(book) == f"<RobotsBook 23 hosts, {23 * len(text)} characters>"


async def test_a_long_file_is_read_beside_the_event_loop_and_a_short_one_at_once():
    for text, is_long in (("User-agent: *\nDisallow: /no", False), ("# silt\n" * LONG_TEXT, True)):
        reading = asyncio.create_task(RulesReader().read(text, "penstock"))
        await asyncio.sleep(0)  # one turn of the loop: what comes from a thread takes another one

        assert reading.done() is not is_long
        assert (await reading).allow(f"{HOST}/no") is is_long


async def test_a_long_file_is_read_once_while_it_is_known_also_when_its_record_is_looked_up_again(bus, monkeypatch):
    monkeypatch.setattr(book_module, "MEMORY_SECONDS", 0)
    text, book = "User-agent: *\nDisallow: /no\n" + "# silt\n" * LONG_TEXT, RobotsBook(bus)
    async with raw_server(answer(text.encode())) as server, Client(SETTINGS) as client:
        fetched = await fetch_robots(
            client, f"{server.url}/robots.txt", user_agent="Penstock/0.1", gate=lambda url: at_once, reader=book.reader
        )
    stored = await book.store(HOST, SPEC, fetched)
    found = await asyncio.gather(*(book.look_up(HOST, SPEC) for _ in range(3)))

    assert {id(known.rules) for known in found} == {id(stored.rules)} == {id(fetched.rules)}
    assert not stored.rules.allow(f"{HOST}/no")


async def test_what_is_looked_up_for_a_job_is_waited_for_while_the_server_has_no_master(bus):
    """A server that is away is nobody's fault, and none of a URL's that is in hand just then."""
    key, fields = bus.keys.crawl("c1"), {"state": "running", "spec": msgspec.json.encode(SPEC)}
    await bus.redis.hset(key, mapping=fields)
    await bus.redis.set(bus.keys.robots(HOST), msgspec.json.encode(RobotsRecord(verdict="allow")))
    before = await _refused_by(bus)
    await bus.redis.config_set("replica-serve-stale-data", "no")
    await bus.redis.replicaof("127.0.0.1", "9")
    try:
        asked = asyncio.gather(RobotsBook(bus).look_up(HOST, SPEC), CrawlBook(bus).look_up("c1"))
        while await _refused_by(bus) < before + 2 and not asked.done():
            await asyncio.sleep(0.01)
    finally:
        await bus.redis.replicaof("NO", "ONE")
        await bus.redis.config_set("replica-serve-stale-data", "yes")
    known, crawl = await asked

    assert known.record.verdict == "allow"
    assert crawl.state == "running"


async def _refused_by(bus) -> int:
    """How many commands the server has refused because it has no master."""
    errors = await bus.redis.info("errorstats")
    return errors.get("errorstat_MASTERDOWN", {"count": 0})["count"]
