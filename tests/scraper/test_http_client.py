"""The client against servers that behave, that do not, and that lie."""

import asyncio
import gzip

import pytest

from contract.pages import KEPT_BYTES
from contract.settings import Settings
from penstock.site import SiteOptions, running_site
from penstock.site.hostile import CATALOGUE
from scraper.errors import FetchError
from scraper.http.client import Client
from tests.scraper.raw_server import answer, raw_server

SETTINGS = Settings(allow_private=True, deadline_seconds=0.3)
AGENT = {"user_agent": "Penstock/0.1"}
#: What ends a fetch by what stands in the answer, not by how it was sent; the outcomes' tests look at it.
OF_OUTCOMES = {"bad_location", "truncated"}


@pytest.fixture
async def client():
    async with Client(SETTINGS) as opened:
        yield opened


async def reason_of(client, url, **options):
    """The word for how a fetch ended."""
    try:
        await client.get(url, **AGENT, **options)
    except FetchError as error:
        return error.reason
    return "fetched"


async def test_an_answer_is_told_as_it_came(client):
    raw = answer(gzip.compress(b"<p>hi</p>"), "Content-Encoding: gzip", "X-A: caf\xe9", "x-a: two", status="299 Odd")
    async with raw_server(raw) as server:
        got = await client.get(server.url + "/a?b#c", **AGENT)

    assert (got.status, got.reason, got.http_version, got.body) == (299, "Odd", "1.1", b"<p>hi</p>")
    assert got.headers[1:] == [("Content-Encoding", "gzip"), ("X-A", "caf\xe9"), ("x-a", "two")]
    assert (got.url, got.header("x-a"), got.address) == (server.url + "/a?b", "caf\xe9", "127.0.0.1")
    assert got.wire == len(gzip.compress(b"<p>hi</p>"))
    assert 0 <= got.elapsed_ms < 300


async def test_the_request_says_who_we_are_and_what_we_read_and_no_more(client):
    async with raw_server(answer()) as server:
        await client.get(server.url + "/a%7Eb/%2F?x=|%27^{}", **AGENT)

    head = server.requests[0].decode().split("\r\n")
    assert head[0] == "GET /a%7Eb/%2F?x=|%27^{} HTTP/1.1"  # not a character respelled
    assert sorted(line.partition(":")[0].lower() for line in head[1:] if line) == [
        "accept", "accept-encoding", "host", "user-agent",
    ]  # fmt: skip
    assert "User-Agent: Penstock/0.1" in head


async def test_a_connection_is_used_again(client):
    async with raw_server(answer()) as server:
        for _ in range(5):
            await client.get(server.url, **AGENT)

    assert (server.connections, len(server.requests)) == (1, 5)


async def test_a_connection_whose_answer_was_refused_half_way_is_not_used_again(client):
    big = answer(b"x", "Content-Encoding: gzip, gzip, gzip") + b""
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 1000
    async with raw_server(endless) as server:
        assert await reason_of(client, server.url) == "body_too_large"
        assert await reason_of(client, server.url) == "body_too_large"
        assert server.connections == 2
    async with raw_server(big) as server:
        assert await reason_of(client, server.url) == "too_many_encodings"


async def test_a_post_sends_its_body_once_and_reads_no_more_than_the_head_of_the_answer(client):
    endless = b"HTTP/1.1 307 Moved\r\nLocation: /b\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 1000
    async with raw_server(endless) as server:
        url = server.url.replace("://", "://user:secret@") + "/a?b"
        got = await client.post(url, body=b"hello", headers={"X-A": "b"}, deadline_seconds=0.3)

    assert (got.status, got.body, got.header("location"), len(server.requests)) == (307, b"", "/b", 1)
    head = server.requests[0].decode().split("\r\n")
    assert head[0] == "POST /a?b HTTP/1.1"
    assert {"Content-Length: 5", "X-A: b"} <= set(head)
    assert not [line for line in head if line.lower().startswith(("authorization", "cookie"))]


async def test_a_post_that_is_not_answered_ends_at_its_own_deadline(client):
    async with raw_server(b"") as server:
        with pytest.raises(FetchError) as caught:
            await client.post(server.url, body=b"", headers={}, deadline_seconds=0.05)

    assert caught.value.reason == "deadline"


async def test_cookies_are_not_kept(client):
    async with raw_server(answer(b"x", "Set-Cookie: a=b; Path=/")) as server:
        await client.get(server.url, **AGENT)
        await client.get(server.url, **AGENT)

    assert b"ookie" not in server.requests[1]


async def test_redirects_are_not_followed(client):
    async with raw_server(answer(b"", "Location: /there", status="302 Found")) as server:
        got = await client.get(server.url, **AGENT)

    assert (got.status, got.header("location"), len(server.requests)) == (302, "/there", 1)


async def test_an_idle_connection_that_the_host_gives_up_is_replaced(client):
    async def answer_then_vanish(reader, writer):
        writer.write(answer())
        await writer.drain()
        if server.connections == 1:
            await reader.readuntil(b"\r\n\r\n")  # the second request gets no answer

    async with raw_server(answer_then_vanish) as server:
        await client.get(server.url, **AGENT)
        got = await client.get(server.url, **AGENT)

    assert (got.status, server.connections) == (200, 2)


async def test_a_fresh_connection_that_breaks_is_not_asked_twice(client):
    async def vanish(reader, writer):
        writer.close()

    async with raw_server(vanish) as server:
        assert await reason_of(client, server.url) == "protocol_error"

    assert len(server.requests) == 1


async def test_what_is_awaited_before_sending_does_not_count_and_may_refuse(client):
    times = []

    async def wait():
        times.append(len(server.requests))
        await asyncio.sleep(0.35)  # longer than the deadline

    async def refuse():
        raise RuntimeError("not ours")

    async with raw_server(answer()) as server:
        got = await client.get(server.url, **AGENT, before_send=wait)
        with pytest.raises(RuntimeError, match="not ours"):
            await client.get(server.url, **AGENT, before_send=refuse)

    assert (times, got.status, len(server.requests)) == ([0], 200, 1)
    assert got.elapsed_ms < 300


async def test_a_body_may_be_cut_instead_of_refused(client):
    async with raw_server(answer(gzip.compress(b"abc" * 1000), "Content-Encoding: gzip")) as server:
        got = await client.get(server.url, **AGENT, cut_at=300)

    assert got.body == (b"abc" * 100)


async def test_of_the_body_of_an_error_the_beginning_is_kept_and_the_rest_cannot_keep_us(client):
    async def endless(reader, writer):
        writer.write(b"HTTP/1.1 404 Not Found\r\n\r\n")
        while True:
            writer.write(b"x" * 60_000)
            await writer.drain()

    async with raw_server(endless) as server:
        got = await client.get(server.url, **AGENT)

    assert (got.status, got.body) == (404, b"x" * KEPT_BYTES)


async def test_a_body_slower_than_the_least_rate_is_too_slow(client, monkeypatch):
    monkeypatch.setattr("scraper.http.client.PACE_SECONDS", 0.1)

    async def stall(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx")
        await reader.read()

    async with raw_server(stall) as server:
        assert await reason_of(client, server.url) == "too_slow"


async def test_a_slow_first_byte_is_borne_until_the_deadline(client, monkeypatch):
    monkeypatch.setattr("scraper.http.client.PACE_SECONDS", 0.05)

    async def think(reader, writer):
        await asyncio.sleep(0.15)
        writer.write(answer())

    async with raw_server(think) as server:
        assert await reason_of(client, server.url) == "fetched"


async def test_an_endless_row_of_interim_answers_is_refused(client):
    async def hint(reader, writer):
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
            await writer.drain()

    async with raw_server(hint) as server:
        assert await reason_of(client, server.url) == "protocol_error"


@pytest.mark.parametrize(
    ("url", "reason", "retryable"),
    [
        ("http://no-such-host.invalid/", "dns_not_found", False),
        ("http://a..b/", "invalid_url", False),
        (f"http://{'a' * 70}.test/", "invalid_url", False),
        ("http://xn--zzzz-.test/", "invalid_url", False),
        ("mailto:a@b.test", "invalid_url", False),
    ],
)
async def test_where_no_connection_comes_about_nobody_was_asked(client, url, reason, retryable):
    with pytest.raises(FetchError) as caught:
        await client.get(url, **AGENT)

    assert (caught.value.reason, caught.value.retryable, caught.value.asked) == (reason, retryable, False)


async def test_a_refused_connection_is_a_knock_at_the_door(client):
    with pytest.raises(FetchError) as caught:
        await client.get("http://127.0.0.1:1/", **AGENT)

    assert (caught.value.reason, caught.value.retryable, caught.value.asked) == ("connect_refused", True, True)


async def test_plain_http_on_a_tls_port_is_a_tls_error(client):
    async def speak_plainly(reader, writer):
        writer.write(answer())
        writer.close()

    server = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await reason_of(client, f"https://127.0.0.1:{port}/") == "tls"


@pytest.mark.parametrize("url", ["http://localhost:8080/", "http://127.0.0.1:8080/", "http://[::1]:8080/"])
async def test_a_private_address_is_blocked_whether_it_is_a_name_or_a_number(url):
    async with Client(Settings()) as careful:
        assert await reason_of(careful, url) == "blocked_address"


async def test_the_address_that_is_connected_to_is_checked_whatever_was_said_before(monkeypatch):
    monkeypatch.setattr("scraper.http.client.check_url", lambda url, **_: url)
    async with raw_server(answer()) as server, Client(Settings()) as careful:
        assert await reason_of(careful, server.url) == "blocked_address"

    assert server.connections == 0


@pytest.fixture(scope="module")
def bombs():
    """Make the bombs before anybody waits for them."""
    from penstock.site import hostile_encodings

    for make in (hostile_encodings.gzip_bomb, hostile_encodings.br_bomb, hostile_encodings.zstd_bomb):
        make()


@pytest.mark.usefixtures("bombs")
async def test_every_hostile_page_ends_as_it_should():
    wrong = {}
    async with running_site(SiteOptions()) as site, Client(Settings(allow_private=True, deadline_seconds=2)) as client:
        for case in CATALOGUE.values():
            wanted = {case.outcome, *case.or_else}
            if not case.quick or wanted & OF_OUTCOMES or not case.listed:
                continue
            reason = await reason_of(client, f"{site.root_url.rstrip('/')}/hostile/{case.name}")
            if reason not in wanted:
                wrong[case.name] = reason

    # One that is reset twice is whole at the third attempt.
    assert {name: reason for name, reason in wrong.items() if name != "reset_twice"} == {}


async def test_slow_pages_end_at_the_deadline(client):
    async with running_site(SiteOptions()) as site:
        names = ["dripping_body", "dripping_headers", "silence", "stalled_body"]
        root = site.root_url.rstrip("/")
        reasons = await asyncio.gather(*(reason_of(client, f"{root}/hostile/{name}") for name in names))

    assert set(reasons) == {"deadline"}
