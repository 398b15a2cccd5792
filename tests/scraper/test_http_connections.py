"""What arrives unasked on a kept connection is never the answer to the next request."""

import asyncio
import contextlib
import ssl

import pytest

from contract.settings import Settings
from scraper.http.client import Client, tls_context
from scraper.http.exchange import at_once
from scraper.robots.reader import RulesReader
from scraper.robots.verdict import fetch_robots
from tests.scraper.raw_server import answer, raw_server
from tests.servers.starting import Certificates

SETTINGS = Settings(allow_private=True, deadline_seconds=10)
AGENT = {"user_agent": "Penstock/0.1"}
UNASKED = answer(b"<p>of another page</p>")


@pytest.fixture
async def client():
    async with Client(SETTINGS) as opened:
        yield opened


class Talker:
    """Answers each request with its own path; `behind` is what else it sends, once, and `said` when it has."""

    def __init__(self, behind=b"", *, glued=False, closes=False):
        self.behind, self.glued, self.closes = behind, glued, closes
        self.go, self.said = asyncio.Event(), asyncio.Event()
        self.paths = []

    async def __call__(self, reader, writer):
        await self._answer(writer, self._server.requests[-1])
        while True:
            await self._answer(writer, await reader.readuntil(b"\r\n\r\n"))

    async def _answer(self, writer, head):
        path = head.split()[1].decode()
        self.paths.append(path)
        first = not self.said.is_set()
        writer.write(answer(path.encode()) + (self.behind if first and self.glued else b""))
        await writer.drain()
        if first and not self.glued:
            await self.go.wait()
            writer.write(self.behind)
            await writer.drain()
        if first and self.closes:
            writer.close()
            await writer.wait_closed()
        self.said.set()

    @contextlib.asynccontextmanager
    async def serving(self, **options):
        async with raw_server(self, **options) as self._server:
            yield self._server


async def settled():
    """Give the loop time to read what lies in its sockets."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize(
    "behind",
    [UNASKED, UNASKED * 3, b"HTTP/1.1 200 OK\r\nContent-Le", b"silt", b"\r\n", UNASKED[:-4], answer(status="408 Late")],
)
async def test_an_answer_that_nobody_asked_for_is_nobodys(client, behind, read):
    talker = Talker(behind)
    async with talker.serving() as server:
        bodies = [(await client.get(f"{server.url}/0", **AGENT)).body]
        talker.go.set()
        await talker.said.wait()
        if read:  # else it lies in the socket, and the loop has not looked
            await settled()
        bodies += [(await client.get(f"{server.url}/{number}", **AGENT)).body for number in range(1, 4)]

    assert bodies == [b"/0", b"/1", b"/2", b"/3"]
    assert talker.paths == ["/0", "/1", "/2", "/3"]
    talks = read and behind != b"\r\n" and b" 408 " not in behind
    assert server.connections == (4 if talks else 2)


async def test_an_answer_that_arrives_while_the_next_request_waits_for_its_turn_is_nobodys(client):
    talker = Talker(UNASKED)
    turns = []

    async def turn():
        turns.append(len(talker.paths))
        talker.go.set()
        await talker.said.wait()
        await settled()

    async with talker.serving() as server:
        await client.get(f"{server.url}/0", **AGENT)
        got = await client.get(f"{server.url}/1", **AGENT, before_send=turn)

    assert (got.body, talker.paths, server.connections) == (b"/1", ["/0", "/1"], 2)
    assert turns == [1, 1]  # nothing was sent in the first turn, so there was a second


async def test_a_host_that_says_goodbye_while_the_connection_rests_is_asked_on_another(client):
    talker = Talker(closes=True)
    async with talker.serving() as server:
        await client.get(f"{server.url}/0", **AGENT)
        talker.go.set()
        await talker.said.wait()
        got = await client.get(f"{server.url}/1", **AGENT)

    assert (got.body, talker.paths, server.connections) == (b"/1", ["/0", "/1"], 2)


async def test_over_tls_it_is_the_same(tmp_path, monkeypatch):
    files = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    tls_context.cache_clear()
    monkeypatch.setattr("scraper.http.client.tls_context", tls_context.__wrapped__)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    talker = Talker(UNASKED)
    async with Client(SETTINGS) as client, raw_server(answer(), tls=context) as quiet:
        for _ in range(3):
            await client.get(quiet.url, **AGENT)
        assert quiet.connections == 1  # a session ticket that comes late is no reason to give a connection up
    async with Client(SETTINGS) as client, talker.serving(tls=context) as server:
        bodies = [(await client.get(f"{server.url}/0", **AGENT)).body]
        talker.go.set()
        await talker.said.wait()
        bodies += [(await client.get(f"{server.url}/{number}", **AGENT)).body for number in range(1, 4)]

    assert bodies == [b"/0", b"/1", b"/2", b"/3"]


async def test_no_robots_txt_is_made_of_a_pages_second_answer(client):
    talker = Talker(answer(b"User-agent: *\nDisallow: /"))
    async with talker.serving() as server:
        await client.get(f"{server.url}/0", **AGENT)
        talker.go.set()
        await talker.said.wait()
        found = await fetch_robots(
            client, f"{server.url}/robots.txt", **AGENT, gate=lambda url: at_once, reader=RulesReader()
        )

    assert found.record.text == "/robots.txt"


async def test_a_408_that_meets_the_next_request_does_not_count(client):
    late = answer(b"too late", "Connection: keep-alive", status="408 Request Timeout")

    async def serve(reader, writer):
        while True:
            number = len(server.requests)
            writer.write(answer(b"page") if server.connections == 2 or number == 1 else late)
            await writer.drain()
            server.requests.append(await reader.readuntil(b"\r\n\r\n"))

    async with raw_server(serve) as server:
        await client.get(server.url, **AGENT)
        got = await client.get(server.url, **AGENT)

    assert (got.status, got.body, server.connections) == (200, b"page", 2)


async def test_a_408_on_a_fresh_connection_is_the_answer(client):
    async with raw_server(answer(status="408 Request Timeout")) as server:
        got = await client.get(server.url, **AGENT)

    assert (got.status, len(server.requests)) == (408, 1)


@pytest.mark.parametrize("behind", [UNASKED, b"silty", b"HTTP/1.1 200 OK\r\nContent-Length: 7, 8\r\n\r\n"])
async def test_what_meets_the_next_request_is_not_its_answer_where_that_can_be_told(client, behind):
    async def serve(reader, writer):
        writer.write(answer(b"/0" if server.connections == 1 else b"fresh"))
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        server.requests.append(head)
        writer.write(behind + answer(head.split()[1]))  # in one packet, and after the request
        await writer.drain()

    async with raw_server(serve) as server:
        await client.get(f"{server.url}/0", **AGENT)
        got = await client.get(f"{server.url}/1", **AGENT)

    assert (got.body, server.connections) == (b"fresh", 2)


async def test_a_host_that_once_spoke_out_of_turn_gets_a_fresh_connection_each_time(client):
    talker = Talker(UNASKED, glued=True)
    async with talker.serving() as server:
        bodies = [(await client.get(f"{server.url}/{number}", **AGENT)).body for number in range(4)]
        assert (bodies, server.connections) == ([b"/0", b"/1", b"/2", b"/3"], 4)


@pytest.mark.parametrize("behind", [answer(status="408 Late"), b"\r\n"])
async def test_a_goodbye_and_a_line_end_are_no_talk(client, behind):
    talker = Talker(behind, glued=True)
    async with talker.serving() as server:
        bodies = [(await client.get(f"{server.url}/{number}", **AGENT)).body for number in range(4)]

    assert (bodies, server.connections) == ([b"/0", b"/1", b"/2", b"/3"], 2)
