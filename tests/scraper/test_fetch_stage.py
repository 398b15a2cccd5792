"""The fetch stage on a real server: each job ends in exactly one outcome, whatever comes of it."""

import asyncio
import gzip
import io
import itertools
import time
from collections import Counter

import msgspec
import pytest
from fastwarc.warc import ArchiveIterator

from contract import codec
from contract.bus import Bus, Consumer, publish
from contract.bus.consumer import DELIVERY_LIMIT
from contract.bus.groups import ensure_groups
from contract.commands import PageFetch
from contract.crawls import CrawlSpec
from contract.envelope import new_message
from contract.pages import KEPT_BYTES
from contract.robots import RobotsRecord
from contract.settings import Settings
from contract.topology import FETCH
from penstock.site import SiteOptions, running_site
from scraper.fetch import Fetcher, work_stream
from scraper.http.client import Client
from scraper.warc import digest_of, read_record
from tests.scraper.raw_server import answer, raw_server

CRAWL = "20261123-120000-abcdef"
OUTCOMES = ("page.fetched", "page.failed", "page.excluded", "robots.fetched")


class Desk:
    """A crawl on the bus, jobs for it, and the outcomes they came to."""

    def __init__(self, bus, url):
        self.bus, self.settings = bus, Settings(redis_url=url, allow_private=True, deadline_seconds=1)
        self.issued = 0

    async def crawl(self, *, state="running", crawl=CRAWL, **spec):
        fields = {"name": "x", "delay_seconds": 0, "obey_robots": False, **spec}
        raw = msgspec.json.encode(CrawlSpec(**fields))
        await self.bus.redis.hset(self.bus.keys.crawl(crawl), mapping={"state": state, "spec": raw})

    async def issue(self, *urls, crawl=CRAWL, **fields):
        jobs = [PageFetch(**{"url": url, "host": "/".join(url.split("/")[:3]), **fields}) for url in urls]
        messages = [
            new_message(job, id=f"job.{self.issued + number}", source="test", crawl=crawl)
            for number, job in enumerate(jobs)
        ]
        self.issued += len(jobs)
        await publish(self.bus, *messages)

    async def work(self, **changes):
        settings = msgspec.structs.replace(self.settings, **changes)
        return await work_stream(settings, lambda: False, dry_seconds=0.01)

    async def outcomes(self):
        """The outcome messages, in the order of the streams."""
        entries = [entry for name in OUTCOMES for entry in await self.bus.redis.xrange(self.bus.keys.stream(name))]
        return [codec.decode(fields[b"e"]) for _, fields in entries]

    async def outcome(self):
        """The payload of the only outcome there is."""
        [message] = await self.outcomes()
        return message.payload


@pytest.fixture
def desk(bus, redis_url):
    return Desk(bus, redis_url)


async def test_a_page_becomes_a_fetched_event_with_its_body_in_redis(desk):
    await desk.crawl()
    async with raw_server(answer(b"<p>hello</p>", "Content-Type: text/html")) as server:
        await desk.issue(f"{server.url}/a", fingerprint="00ff", depth=3, attempt=2, via="http://v.test/")
        assert await desk.work() == 1

    [message] = await desk.outcomes()
    page, envelope = message.payload, message.envelope
    assert (envelope.id, envelope.source, envelope.causationid) == ("job.0.out", "scraper.fetch", "job.0")
    assert (envelope.crawl, envelope.subject) == (CRAWL, f"{server.url}/a")
    assert (page.url, page.host, page.fingerprint, page.depth, page.attempt, page.via) == (
        f"{server.url}/a", server.url, "00ff", 3, 2, "http://v.test/",
    )  # fmt: skip
    assert (page.status, page.content_type, page.location, page.flags) == (200, "text/html", None, ())
    assert abs(page.started_at - time.time() * 1000) < 5000
    assert page.body.digest == digest_of(b"<p>hello</p>")
    raw = await desk.bus.redis.get(desk.bus.keys.body("job.0.out"))
    assert (page.body.size, page.body.wire, page.body.stored) == (12, 12, len(raw))
    assert read_record(raw).body == b"<p>hello</p>"
    assert _blocks(raw)[1:] == server.requests
    assert await desk.bus.redis.get(desk.bus.keys.body_bytes) == str(len(raw)).encode()


def _blocks(raw: bytes) -> list[bytes]:
    """What each WARC record of a stored page holds."""
    return [record.reader.read() for record in ArchiveIterator(io.BytesIO(raw), parse_http=False)]


async def test_nothing_stays_pending_when_the_stream_is_dry(desk):
    await desk.crawl()
    async with running_site(SiteOptions(pages=60)) as site:
        urls = [site.root_url.rstrip("/") + site.web.path(number) for number in range(60)]
        await desk.issue(*urls)
        assert await desk.work(concurrency=8) == 60

    assert Counter(message.envelope.type for message in await desk.outcomes()) == {"page.fetched": 60}
    assert len({message.envelope.id for message in await desk.outcomes()}) == 60
    pending = await desk.bus.redis.xpending(desk.bus.keys.stream("page.fetch"), FETCH.name)
    assert pending["pending"] == 0
    assert await desk.bus.redis.zcard(desk.bus.keys.fetchers) == 0
    assert max(record.in_flight for record in site.log.records) <= 8


async def test_a_redirect_is_a_fetched_page_with_a_location(desk):
    await desk.crawl()
    async with raw_server(answer(b"moved", "Location: ../c?d#e", status="301 Moved")) as server:
        await desk.issue(f"{server.url}/a/b", hops=9)
        await desk.work()

    page = await desk.outcome()
    assert (page.status, page.location, page.hops) == (301, f"{server.url}/c?d#e", 9)


@pytest.mark.parametrize(
    ("raw", "fields", "reason", "retryable"),
    [
        (answer(status="404 Not Found"), {}, "http_404", False),
        (answer(status="500 Oh"), {}, "http_500", True),
        (answer(status="999 Odd"), {}, "unknown_status", False),
        (answer(b"", "Location: file:///x", status="302 Found"), {}, "bad_location", False),
        (answer(b"", "Retry-After: 9", status="403 No"), {}, "http_403", True),
        (answer(b"", status="403 No"), {}, "http_403", False),
        (answer(b"", "Retry-After: 9", status="413 Large"), {}, "http_413", True),
        (answer(b"", "Retry-After: 9", status="404 No"), {}, "http_404", False),
        (answer(b"x", "Retry-After: 9", status="202 Soon"), {}, "http_202", True),
        (answer(b"", "Location: /x", status="302 Found"), {"hops": 10}, "too_many_redirects", False),
        (answer(b"half", status="206 Partial"), {}, "truncated", True),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", {}, "not_http", True),
    ],
)
async def test_an_answer_that_is_no_page_is_a_classified_failure(desk, raw, fields, reason, retryable):
    await desk.crawl()
    async with raw_server(raw) as server:
        await desk.issue(server.url, **fields)
        await desk.work()

    page = await desk.outcome()
    assert (page.reason, page.retryable, page.asked) == (reason, retryable, True)
    # What came with a status is kept all the same.
    assert bool(page.body) == reason.startswith("http_")
    assert bool(await desk.bus.redis.get(desk.bus.keys.body_bytes)) == bool(page.body)


@pytest.mark.parametrize(
    ("size", "kept"),
    [(10, 10), (KEPT_BYTES - 1, KEPT_BYTES - 1), (KEPT_BYTES + 1, KEPT_BYTES), (5_000_000, KEPT_BYTES)],
)
async def test_of_an_answer_that_is_no_page_the_beginning_is_kept(desk, size, kept):
    await desk.crawl()
    body = gzip.compress(b"x" * size)
    async with raw_server(answer(body, "Content-Encoding: gzip", status="404 Not Found")) as server:
        await desk.issue(server.url)
        await desk.work()

    page = await desk.outcome()
    record = gzip.decompress(await desk.bus.redis.get(desk.bus.keys.body((await desk.outcomes())[0].envelope.id)))
    assert (page.body.size, page.body.wire) == (kept, len(body))
    assert (b"WARC-Truncated: length" in record) == (kept == KEPT_BYTES)


async def test_a_status_stands_whatever_its_body_is(desk):
    await desk.crawl()
    async with raw_server(answer(b"\x1f\x8b no gzip", "Content-Encoding: gzip", status="404 Not Found")) as server:
        await desk.issue(server.url)
        await desk.work()

    page = await desk.outcome()
    assert (page.reason, page.body.size) == ("http_404", 0)


@pytest.mark.parametrize(
    ("asked", "status", "attempt", "becomes"),
    [
        (("4xx",), "404 Not Found", 1, "page.fetched"),
        (("404",), "404 Not Found", 1, "page.fetched"),
        (("404",), "410 Gone", 1, "page.failed"),
        (("5xx",), "500 Oh", 1, "page.failed"),
        (("5xx",), "500 Oh", 4, "page.fetched"),
        (("4xx", "5xx"), "429 Slowly", 4, "page.failed"),
        (("4xx", "5xx"), "503 Slowly", 4, "page.failed"),
    ],
)
async def test_a_crawl_may_ask_for_answers_of_4xx_and_5xx_as_pages(desk, asked, status, attempt, becomes):
    await desk.crawl(error_pages=asked)
    async with raw_server(answer(status=status)) as server:
        await desk.issue(server.url, attempt=attempt)
        await desk.work()

    [message] = await desk.outcomes()
    assert message.envelope.type == becomes
    assert message.payload.status == int(status[:3])


@pytest.mark.parametrize(
    ("cookies", "reason"),
    [
        ((), "redirect_loop"),
        (("/a",), "needs_cookies"),
        (("/b",), "needs_cookies"),
        (("/c",), "needs_cookies"),
    ],
)
@pytest.mark.parametrize("back", ["/a", "/b", "/c", "/a#x"])
async def test_a_redirect_that_comes_back_to_its_own_chain_is_a_failure(desk, cookies, reason, back):
    ways = {"/a": "/b", "/b": "/c", "/c": back}

    async def serve(reader, writer):
        path = server.requests[-1].split()[1].decode()
        lines = [f"Location: {ways[path]}", *(["Set-Cookie: a=b"] if path in cookies else [])]
        writer.write(answer(b"", *lines, status="302 Found"))

    await desk.crawl()
    chain = ()
    async with raw_server(serve) as server:
        for number, path in enumerate(ways):
            await desk.issue(server.url + path, hops=number, chain=chain)
            await desk.work()
            page = (await desk.outcomes())[-1 if number == 2 else number].payload
            chain = page.chain

    [*others, last] = sorted((m.payload for m in await desk.outcomes()), key=lambda one: one.hops)
    assert [(one.TYPE, len(one.chain)) for one in others] == [("page.fetched", 1), ("page.fetched", 2)]
    assert (last.TYPE, last.reason, last.retryable, last.chain) == ("page.failed", reason, False, others[-1].chain)


@pytest.mark.parametrize("location", ["/a?x", "/b", "https://127.0.0.1/a"])
async def test_a_redirect_to_another_url_is_no_loop(desk, location):
    await desk.crawl()
    async with raw_server(answer(b"", f"Location: {location}", status="302 Found")) as server:
        await desk.issue(f"{server.url}/a")
        await desk.work()

    assert (await desk.outcome()).TYPE == "page.fetched"


@pytest.mark.parametrize(
    ("raw", "fields", "status", "flags"),
    [
        (answer(b"<p>x</p>", status="302 Found"), {}, 302, ("no_location",)),
        (answer(b"<p>x</p>", "Location: ", status="301 Moved"), {}, 301, ("no_location",)),
        (answer(b"<p>x</p>", "Location: /b", status="305 Proxy"), {}, 305, ("no_location",)),
        (answer(b"<p>x</p>", status="300 Choices"), {"hops": 10}, 300, ("no_location",)),
        (answer(b"<p>x</p>", "Location: http://[::1/", status="302 Found"), {}, 302, ("bad_location",)),
        (answer(b"", status="304 Not Modified"), {}, 304, ("no_location", "empty")),
        (answer(b"<p>x</p>", status="202 Soon"), {}, 202, ()),
        (answer(b"<p>x</p>", "Retry-After: 9", status="202 Soon"), {"attempt": 4}, 202, ()),
    ],
)
async def test_an_answer_that_leads_nowhere_is_a_page(desk, raw, fields, status, flags):
    await desk.crawl(max_attempts=4)
    async with raw_server(raw) as server:
        await desk.issue(server.url, **fields)
        await desk.work()

    page = await desk.outcome()
    assert (page.TYPE, page.status, page.location, page.flags) == ("page.fetched", status, None, flags)
    stored = read_record(await desk.bus.redis.get(desk.bus.keys.body("job.0.out")))
    assert stored.body == (b"" if status == 304 else b"<p>x</p>")


async def test_retry_after_is_passed_on(desk):
    await desk.crawl()
    async with raw_server(answer(b"", "Retry-After: 90", status="503 Later")) as server:
        await desk.issue(server.url)
        await desk.work()

    page = await desk.outcome()
    assert (page.status, page.retryable, page.retry_after_ms) == (503, True, 90_000)


async def test_a_port_nobody_listens_on_is_a_retryable_failure(desk):
    await desk.crawl()
    await desk.issue("http://127.0.0.1:1/")
    await desk.work()

    page = await desk.outcome()
    assert (page.reason, page.retryable, page.elapsed_ms) == ("connect_refused", True, 0)


async def test_a_private_address_is_excluded(desk):
    await desk.crawl()
    await desk.issue("http://127.0.0.1:8080/", "http://localhost:8080/")
    await desk.work(allow_private=False)

    assert [message.payload.reason for message in await desk.outcomes()] == ["blocked_address"] * 2


@pytest.mark.parametrize("robots", [False, True])
async def test_a_job_of_a_cancelled_crawl_is_excluded_unasked(desk, robots):
    await desk.crawl(state="cancelled")
    async with raw_server(answer()) as server:
        await desk.issue(f"{server.url}/robots.txt", robots=robots)
        await desk.work()

    page = await desk.outcome()
    assert (page.TYPE, page.reason, page.robots) == ("page.excluded", "cancelled", robots)
    assert server.requests == []


async def test_a_job_of_a_crawl_that_is_gone_is_excluded(desk):
    await desk.issue("http://127.0.0.1:1/")
    await desk.work()

    assert (await desk.outcome()).reason == "cancelled"


async def test_a_robots_job_ends_as_robots_fetched_and_its_record_is_shared(desk):
    await desk.crawl()
    body = b"User-agent: *\nDisallow: /no\nCrawl-delay: 2\nSitemap: http://s.test/x.xml"
    async with raw_server(answer(body)) as server:
        await desk.issue(f"{server.url}/robots.txt", robots=True)
        await desk.work()

    found = await desk.outcome()
    assert (found.verdict, found.status, found.crawl_delay_ms, found.sitemaps) == (
        "rules", 200, 2000, ("http://s.test/x.xml",),
    )  # fmt: skip
    page = read_record(await desk.bus.redis.get(desk.bus.keys.body("job.0.out")))
    assert (page.url, page.status, page.body) == (f"{server.url}/robots.txt", 200, body)
    assert (found.body.digest, found.body.size) == (digest_of(body), len(body))
    record = msgspec.json.decode(await desk.bus.redis.get(desk.bus.keys.robots(server.url)), type=RobotsRecord)
    assert record.text == body.decode()
    assert 6 * 86_400 < await desk.bus.redis.ttl(desk.bus.keys.robots(server.url)) <= 7 * 86_400


async def test_an_unreachable_robots_txt_is_asked_again_and_not_shared(desk):
    await desk.crawl()
    await desk.issue("http://127.0.0.1:1/robots.txt", robots=True, attempt=1)
    await desk.work()

    assert (await desk.outcome()).verdict == "retry"
    assert await desk.bus.redis.exists(desk.bus.keys.robots("http://127.0.0.1:1")) == 0


async def test_what_robots_txt_disallows_is_excluded_unasked(desk):
    await desk.crawl(obey_robots=True)
    async with raw_server(answer()) as server:
        await share(desk, server.url, verdict="rules", text="User-agent: *\nDisallow: /no")
        await desk.issue(f"{server.url}/no", f"{server.url}/yes")
        await desk.work()

    assert [(message.envelope.type, getattr(message.payload, "reason", "")) for message in await desk.outcomes()] == [
        ("page.fetched", ""),
        ("page.excluded", "robots"),
    ]
    assert len(server.requests) == 1


async def test_an_unreachable_robots_txt_says_so_where_there_is_a_copy_to_go_by(desk):
    await desk.crawl()
    await share(desk, "http://127.0.0.1:1", verdict="rules", text="User-agent: *\nDisallow: /no")
    await desk.issue("http://127.0.0.1:1/robots.txt", robots=True)
    await desk.work()

    found = await desk.outcome()
    assert (found.verdict, found.stale) == ("retry", True)
    assert await desk.bus.redis.exists(desk.bus.keys.robots("http://127.0.0.1:1")) == 1


async def test_that_there_was_no_robots_txt_is_no_copy_to_go_by(desk):
    await desk.crawl()
    await share(desk, "http://127.0.0.1:1", verdict="allow")
    await desk.issue("http://127.0.0.1:1/robots.txt", robots=True)
    await desk.work()

    assert (await desk.outcome()).stale is False


async def test_pages_of_a_host_whose_robots_txt_cannot_be_had_go_back_unasked(desk):
    """It is asked for once, whoever waits for it, and nothing is booked on the URLs."""
    await desk.crawl(obey_robots=True)
    async with raw_server(answer(b"", status="503 Away")) as server:
        await desk.issue(*(f"{server.url}/{number}" for number in range(5)), attempt=2, depth=3)
        await desk.work()

    assert [head.split()[1] for head in server.requests] == [b"/robots.txt"]
    found = [message.payload for message in await desk.outcomes()]
    assert {(each.TYPE, each.verdict, each.status, each.stale) for each in found} == {
        ("robots.fetched", "retry", 503, False)
    }
    assert sorted(each.asked for each in found) == [False] * 4 + [True]
    assert sorted(each.returned.url for each in found) == [f"{server.url}/{number}" for number in range(5)]
    assert {(each.returned.attempt, each.returned.depth) for each in found} == {(2, 3)}
    assert len({message.envelope.id for message in await desk.outcomes()}) == 5


async def test_a_host_that_asks_for_a_longer_delay_than_the_crawl_waits_for_is_excluded_unasked(desk):
    await desk.crawl(obey_robots=True, max_crawl_delay_seconds=100)
    async with raw_server(answer()) as server:
        await share(desk, server.url, verdict="rules", text="User-agent: *\nCrawl-delay: 101")
        await desk.issue(f"{server.url}/a")
        await desk.work()

    page = await desk.outcome()
    assert (page.TYPE, page.reason, server.requests) == ("page.excluded", "crawl_delay", [])
    assert "101 s" in page.detail


async def test_robots_txt_is_fetched_first_where_nobody_knows_it(desk):
    await desk.crawl(obey_robots=True)
    async with raw_server(answer(b"User-agent: *\nDisallow: /no")) as server:
        await desk.issue(*(f"{server.url}/no/{number}" for number in range(9)))
        await desk.work()

    assert [head.split()[1] for head in server.requests] == [b"/robots.txt"]
    assert Counter(message.payload.reason for message in await desk.outcomes()) == {"robots": 9}


async def share(desk, host, **record):
    """Put a robots.txt record where the workers look for it."""
    await desk.bus.redis.set(desk.bus.keys.robots(host), msgspec.json.encode(RobotsRecord(**record)))


async def test_requests_to_a_host_keep_their_distance_whatever_piled_up(desk):
    await desk.crawl(delay_seconds=0.05)
    async with running_site(SiteOptions(pages=20)) as site:
        await desk.issue(*(site.root_url.rstrip("/") + site.web.path(number) for number in range(8)))
        await asyncio.gather(desk.work(), desk.work())

    starts = sorted(record.start_ns for record in site.log.records)
    assert len(starts) == 8
    assert min(b - a for a, b in itertools.pairwise(starts)) >= 50_000_000


async def test_the_crawl_delay_of_robots_txt_wins_over_a_shorter_delay(desk):
    await desk.crawl(delay_seconds=0.001, obey_robots=True)
    async with running_site(SiteOptions(pages=20)) as site:
        host = site.root_url.rstrip("/")
        await share(desk, host, verdict="allow", crawl_delay_ms=60)
        await desk.issue(*(host + site.web.path(number) for number in range(4)))
        await desk.work()

    starts = sorted(record.start_ns for record in site.log.records)
    assert min(b - a for a, b in itertools.pairwise(starts)) >= 60_000_000


async def test_a_host_that_asked_to_be_left_alone_is_left_alone_also_by_who_keeps_no_delay(desk):
    """Jobs that were issued before the host said Retry-After wait at the gate."""
    await desk.crawl(delay_seconds=0)
    async with running_site(SiteOptions(pages=20)) as site:
        host = site.root_url.rstrip("/")
        until = time.monotonic() + 0.6
        await desk.bus.redis.hset(desk.bus.keys.host(host), "block_until", round(time.time() * 1000) + 600)
        await desk.issue(*(host + site.web.path(number) for number in range(4)))
        await desk.work()

    assert len(site.log.records) == 4
    assert min(record.start_ns for record in site.log.records) >= (until - 0.05) * 1e9


async def test_a_crawl_with_a_delay_keeps_it_also_from_one_without(desk):
    """They share a host: each request is a delay away from those of the one that keeps a delay."""
    await desk.crawl(delay_seconds=0, crawl="quick")
    await desk.crawl(delay_seconds=0.2, crawl="gentle")
    async with running_site(SiteOptions(pages=20)) as site:
        host = site.root_url.rstrip("/")
        pages = [host + site.web.path(number) for number in range(6)]
        for number, url in enumerate(pages):
            await desk.issue(url, crawl="gentle" if number % 2 else "quick")
        await desk.work()
        gentle = {url.removeprefix(host) for url in pages[1::2]}

    starts = sorted((record.start_ns / 1e9, record.path) for record in site.log.records)
    assert len(starts) == 6
    for (at, path), (then, other) in itertools.pairwise(starts):
        if {path, other} & gentle:
            assert then - at >= 0.2


async def test_a_delivery_that_has_gone_to_somebody_else_is_dropped_silently(desk, bus):
    await desk.crawl(delay_seconds=0.001)
    async with raw_server(answer()) as server, Client(desk.settings) as client, Consumer(bus, FETCH) as consumer:
        await desk.issue(server.url)
        [delivery] = await consumer.take(1)
        await bus.redis.xclaim(bus.keys.stream("page.fetch"), FETCH.name, "somebody", 0, [delivery.id])
        fetcher = Fetcher(consumer, client, desk.settings)
        fetcher._start(delivery)
        await fetcher.run(lambda: False, dry_seconds=0.01, longest_seconds=5)

        assert consumer.held == {}
    assert (await desk.outcomes(), server.requests) == ([], [])


async def test_a_stop_ends_what_is_in_flight_and_leaves_the_rest(desk):
    await desk.crawl()
    stopping = asyncio.Event()

    async def slowly(reader, writer):
        stopping.set()
        await asyncio.sleep(0.05)
        writer.write(answer())

    async with raw_server(slowly) as server:
        await desk.issue(*(f"{server.url}/{number}" for number in range(20)))
        settings = msgspec.structs.replace(desk.settings, concurrency=2)
        done = await work_stream(settings, stopping.is_set, dry_seconds=5)

    assert 1 <= done <= 4
    assert len(await desk.outcomes()) == len(server.requests) == done
    pending = await desk.bus.redis.xpending(desk.bus.keys.stream("page.fetch"), FETCH.name)
    assert pending["pending"] == 0


async def test_what_does_not_end_in_time_is_given_back_at_once(desk, bus, monkeypatch):
    monkeypatch.setattr("scraper.fetch.DRAIN_SECONDS", 0.05)
    await desk.crawl()
    stopping = asyncio.Event()

    async def never(reader, writer):
        stopping.set()
        await reader.read()

    async with raw_server(never) as server:
        await desk.issue(server.url)
        assert await work_stream(desk.settings, stopping.is_set, dry_seconds=5) == 0

    [entry] = await bus.redis.xpending_range(bus.keys.stream("page.fetch"), FETCH.name, "-", "+", 9)
    assert entry["time_since_delivered"] >= 3_600_000  # anybody may take it over now
    assert await desk.outcomes() == []


async def test_what_a_dead_worker_held_is_done_by_another(desk, bus):
    await desk.crawl()
    async with raw_server(answer()) as server:
        await desk.issue(*(f"{server.url}/{number}" for number in range(5)))
        dead = Consumer(bus, FETCH)
        await dead.give_back(await dead.take(5))
        assert await desk.work() == 5

    assert sorted(message.envelope.id for message in await desk.outcomes()) == [f"job.{n}.out" for n in range(5)]


@pytest.mark.parametrize(
    ("robots", "kind", "id", "word"),
    [(False, "page.failed", "job.0.out.failed", "worker_lost"), (True, "robots.fetched", "job.0.out", "retry")],
)
async def test_a_job_that_ends_its_workers_is_buried_with_an_outcome(desk, bus, robots, kind, id, word):
    await desk.crawl()
    await desk.issue("http://127.0.0.1:1/robots.txt", robots=robots)
    [job] = await Consumer(bus, FETCH).take(1)
    stream = bus.keys.stream("page.fetch")
    await bus.redis.xclaim(stream, FETCH.name, "dead", 0, [job.id], idle=60_000, retrycount=DELIVERY_LIMIT)
    await desk.work()

    [message] = await desk.outcomes()
    assert (message.envelope.type, message.envelope.id) == (kind, id)
    assert word in (getattr(message.payload, "reason", ""), getattr(message.payload, "verdict", ""))
    assert await bus.redis.xlen(bus.keys.dead(FETCH.name)) == 1


async def test_a_large_page_is_kept_whole(desk):
    await desk.crawl()
    body = bytes(range(256)) * 8000
    async with raw_server(answer(body)) as server:
        await desk.issue(server.url)
        await desk.work()

    raw = await desk.bus.redis.get(desk.bus.keys.body("job.0.out"))
    assert read_record(raw).body == body


async def emptied(bus):
    await bus.redis.flushall()
    await ensure_groups(bus)


async def met_as_another(bus):
    await bus.redis.hset(bus.keys.clock, "server", "another")
    async with Bus.open(bus.url) as newcomer:
        await newcomer.redis.ping()


@pytest.mark.parametrize("befalls", [emptied, met_as_another])
async def test_a_request_that_redis_may_not_know_of_any_more_is_told_until_it_has_ended(desk, bus, befalls):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_reader, writer):
        begun.set()
        await go_on.wait()
        writer.write(answer())
        await writer.drain()

    await desk.crawl()
    async with raw_server(slow) as server:
        await desk.issue(server.url)
        working = asyncio.create_task(desk.work(deadline_seconds=30))
        await begun.wait()
        await asyncio.sleep(0.3)  # it has looked at its world
        await befalls(bus)
        while not (told := await bus.redis.zrange(bus.keys.old_requests, 0, -1)):
            await asyncio.sleep(0.01)
        go_on.set()
        while await bus.redis.zcard(bus.keys.old_requests):
            await asyncio.sleep(0.01)
        await working

    assert [member.decode().split(" ")[0] for member in told] == [server.url]


async def test_a_fetcher_is_known_with_its_capacity_while_it_works(desk, bus):
    await desk.crawl()
    seen = []

    async def look(reader, writer):
        seen.extend(await bus.redis.zrange(bus.keys.fetchers, 0, -1, withscores=True))
        writer.write(answer())

    async with raw_server(look) as server:
        await desk.issue(server.url)
        await desk.work(concurrency=7)

    [(member, until)] = seen
    assert member.endswith(b"|7")
    assert 3_000 < until - time.time() * 1000 <= 5_000


async def test_large_pages_take_turns_and_give_their_room_back(desk, bus):
    await desk.crawl(per_host=8)
    page = answer(b"<p>river</p>" * 500_000)
    async with (
        raw_server(page) as server,
        Consumer(bus, FETCH) as consumer,
        Client(desk.settings) as client,
    ):
        await desk.issue(*(f"{server.url}/{number}" for number in range(6)))
        fetcher = Fetcher(consumer, client, desk.settings)
        fetcher.budget.most = len(page)
        assert await fetcher.run(lambda: False, dry_seconds=0.01, longest_seconds=30) == 6

    assert [outcome.payload.body.size for outcome in await desk.outcomes()] == [6_000_000] * 6
    assert fetcher.budget.taken == 0
