"""Odd answers are read as browsers read them, whatever the packets look like, and never two answers from one.

The right values are what Chromium 156 and curl 7.88 make of the same bytes; where they differ, the comment says whom we
follow and why.
"""

import asyncio
import gzip
import socket
import struct

import pytest

from contract.settings import Settings
from scraper.errors import FetchError
from scraper.http.client import Client
from scraper.robots.reader import RulesReader
from scraper.robots.verdict import fetch_robots
from tests.scraper.raw_server import answer, raw_server

SETTINGS = Settings(allow_private=True, deadline_seconds=10)
AGENT = {"user_agent": "Penstock/0.1"}
BODY = b"<p>hello, this is a body</p>"
N = len(BODY)
LENGTH = f"Content-Length: {N}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNK = b"%x\r\n" % N + BODY + b"\r\n"
CHUNKS = CHUNK + b"0\r\n\r\n"


def said(*lines, status="HTTP/1.1 200 OK", body=BODY, end="\r\n"):
    """An answer of exactly these lines."""
    return end.join([status, *lines, "", ""]).encode("latin-1") + body


#: name: (bytes, flags); each is status 200 and BODY.
READ = {
    "plain": (said(LENGTH), ()),
    # what follows a complete answer is dropped (RFC 9112 §6.3)
    "junk behind the length": (said(LENGTH, body=BODY + b"JUNK"), ("stray_bytes",)),
    "junk behind the length, and close": (said(LENGTH, "Connection: close", body=BODY + b"JUNK"), ("stray_bytes",)),
    "an answer behind the length": (said(LENGTH) + answer(b"another"), ("stray_bytes",)),
    "junk behind the chunks": (said(CHUNKED, body=CHUNKS + b"JUNK"), ("stray_bytes",)),
    # lengths
    "a length twice": (said(LENGTH, LENGTH), ("length_repeated",)),
    "a length twice in one line": (said(f"Content-Length: {N}, {N}"), ("length_repeated",)),
    "a length with zeros": (said(f"Content-Length: 000{N}"), ()),
    "a length in tabs": (said(f"Content-Length:\t{N}\t"), ()),
    "a length right behind the colon": (said(f"Content-Length:{N}"), ()),
    "a length in the next line": (said("Content-Length:", f" {N}"), ("folded_header",)),
    "chunked beside a length": (said(LENGTH, CHUNKED, body=CHUNKS), ("length_ignored",)),
    "chunked beside conflicting lengths": (
        said(LENGTH, "Content-Length: 7", CHUNKED, body=CHUNKS),
        ("length_ignored",),
    ),
    **{  # no length: until the connection ends, as Chromium
        f"a length of {word!r}": (said(f"Content-Length: {word}"), ("length_ignored",))
        for word in ("", "-1", "many", f"+{N}", f"{N}.0", f"{N} bytes", "9" * 30, "0x1c")
    },
    "a comma behind the length": (said(f"Content-Length: {N},"), ()),  # as curl; an empty element is none
    # lines of the head
    "a line without colon": (said("silt", LENGTH), ("bad_header",)),
    "a line without colon at the end": (said(LENGTH, "silt and more"), ("bad_header",)),
    "the status line twice": (said("HTTP/1.1 404 Not Found", LENGTH), ("bad_header",)),
    "a byte above 7F in a name": (said("X-Caf\xe9: 1", LENGTH), ("bad_header",)),
    "a byte above 7F in a value": (said("X-A: caf\xe9 \xff", LENGTH), ()),
    "odd characters in a name": (said("X(A)@: 1", LENGTH), ("bad_header",)),
    "spaces in a name": (said("X A: 1", LENGTH), ("bad_header",)),
    "no name": (said(": 1", LENGTH), ("bad_header",)),
    "a space before the colon": (said(f"Content-Length : {N}"), ()),
    "a folded line": (said("X-A: one", "  two", LENGTH), ("folded_header",)),
    "a first line that begins with a space": (said("  X-A: 1", LENGTH), ("bad_header",)),
    "a line of a space": (said(" ", LENGTH), ()),
    "bare line feeds": (said("X-A: 1", LENGTH, end="\n"), ()),
    "mixed line ends": (b"HTTP/1.1 200 OK\nX-A: 1\r\nContent-Length: %d\n\r\n" % N + BODY, ()),
    "controls in a value": (said("X-A: a\x01\x7f\rb", LENGTH), ()),
    "no header at all": (said(), ()),
    "no header at all, bare line feeds": (said(end="\n"), ()),
    # the status line
    "no phrase": (said(LENGTH, status="HTTP/1.1 200"), ()),
    "a phrase in Latin-1": (said(LENGTH, status="HTTP/1.1 200 Gef\xfcllt"), ()),
    "HTTP/1.0": (said(LENGTH, status="HTTP/1.0 200 OK"), ()),
    "HTTP/1.0 with keep-alive": (said(LENGTH, "Connection: Keep-Alive", status="HTTP/1.0 200 OK"), ()),
    "HTTP/1.0 in chunks": (
        said(CHUNKED, status="HTTP/1.0 200 OK", body=CHUNKS),
        (),
    ),  # as curl; Chromium shows the sizes
    "HTTP/1.0 and chunks in name only": (said(CHUNKED, status="HTTP/1.0 200 OK"), ()),
    **{
        f"the status line {line!r}": (said(LENGTH, status=line), ("bad_status_line",))
        for line in (
            *("http/1.1 200 OK", "HTTP/1.2 200 OK", "HTTP/2 200 OK", "HTTP/37.5 200 OK", "HTTP 200 OK", "HTTP/ 200 OK"),
            *("HTTP/1.1\t200\tOK", "HTTP/1.1 OK"),
        )
    },
    "two spaces in the status line": (said(LENGTH, status="HTTP/1.1  200  OK"), ("bad_status_line",)),
    "a phrase glued to the status": (said(LENGTH, status="HTTP/1.1 200OK"), ("bad_status_line",)),
    "line ends before it": (b"\r\n\r\n\r\n" + said(LENGTH), ()),
    "four bytes before it": (b"JUNK" + said(LENGTH), ()),
    # before it
    "100": (b"HTTP/1.1 100 Continue\r\n\r\n" + said(LENGTH), ()),
    "103 with a length": (b"HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\n" + said(LENGTH), ()),
    "101": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" + said(LENGTH), ()),
    # chunks
    "extensions": (said(CHUNKED, body=b'%x;a=b;c="d;e"\r\n' % N + BODY + b"\r\n0;x\r\n\r\n"), ()),
    "a size with zeros": (said(CHUNKED, body=b"0" * 20 + CHUNK + b"0000\r\n\r\n"), ()),
    "a size with spaces": (said(CHUNKED, body=b"%x  \r\n" % N + BODY + b"\r\n0 \r\n\r\n"), ()),
    "a size, a space, an extension": (said(CHUNKED, body=b"%x ; a=b\r\n" % N + BODY + b"\r\n0\r\n\r\n"), ()),
    "chunks with bare line feeds": (said(CHUNKED, body=b"%x\n" % N + BODY + b"\n0\n\n"), ()),
    "trailers": (said(CHUNKED, body=CHUNK + b"0\r\nX-T: 1\r\nsilt\r\n\r\n"), ()),
    "many chunks": (said(CHUNKED, body=b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"), ()),
    "the last line is missing": (said(CHUNKED, body=CHUNK + b"0\r\n"), ("end_missing",)),  # whole by RFC 9112 §8
    # transfer codings
    "Transfer-Encoding: identity": (said("Transfer-Encoding: identity"), ()),
    "Transfer-Encoding: identity and a length": (said("Transfer-Encoding: identity", LENGTH), ()),
    "Transfer-Encoding: Chunked": (said("TRANSFER-ENCODING: Chunked", body=CHUNKS), ()),
    "Transfer-Encoding: chunked, identity": (said("Transfer-Encoding: chunked, identity", body=CHUNKS), ()),
    "Transfer-Encoding: chunked twice": (said(CHUNKED, CHUNKED, body=CHUNKS), ()),
    "Transfer-Encoding: unknown": (said("Transfer-Encoding: x-silt", LENGTH), ()),
}

REFUSED = {
    "conflicting lengths": (said(LENGTH, "Content-Length: 7"), "protocol_error"),
    "conflicting lengths in one line": (said(f"Content-Length: {N}, 7"), "protocol_error"),
    "a length and a word": (said(f"Content-Length: {N}, many"), "protocol_error"),
    "a NUL in a value": (said("X-A: a\0b", LENGTH), "protocol_error"),
    "a NUL in the phrase": (said(LENGTH, status="HTTP/1.1 200 a\0b"), "protocol_error"),
    "a size that is none": (said(CHUNKED, body=b"zz\r\n" + BODY), "protocol_error"),
    "chunks in name only": (said(CHUNKED), "protocol_error"),
    "a size too large": (said(CHUNKED, body=b"f" * 20 + b"\r\n" + BODY), "protocol_error"),
    "a chunk longer than its size": (said(CHUNKED, body=b"5\r\n" + BODY + b"\r\n0\r\n\r\n"), "protocol_error"),
    "an endless size": (said(CHUNKED, body=b"0" * 40_000), "protocol_error"),
    # cut: one word, wherever
    "cut chunks": (said(CHUNKED, body=CHUNK[:-9]), "truncated"),
    "the last chunk is missing": (said(CHUNKED, body=CHUNK), "truncated"),
    "half of the last chunk": (said(CHUNKED, body=CHUNK + b"0"), "truncated"),
    "a cut body": (said(f"Content-Length: {N + 9}"), "truncated"),
    # Chromium takes a head without its end for a page without body, but not over TLS: no page is made of it here.
    "cut in the head": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A", "truncated"),
    "cut before the blank line": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", "truncated"),
    "cut in the status line": (b"HTTP/1.1 20", "truncated"),
    "cut in the first word": (b"HT", "truncated"),
    "nothing": (b"", "protocol_error"),
    # no HTTP
    "five bytes before it": (b"JUNKJ" + said(LENGTH), "not_http"),
    "HTTP/0.9": (BODY, "not_http"),
    "ICY": (said(LENGTH, status="ICY 200 OK"), "not_http"),
    "a few bytes": (b"no", "not_http"),
    "four digits": (said(LENGTH, status="HTTP/1.1 2000 OK"), "unknown_status"),
    "two digits": (said(LENGTH, status="HTTP/1.1 20 OK"), "unknown_status"),
    # limits
    "a long head": (said("X-A: " + "x" * 70_000, LENGTH), "headers_too_large"),
    "a head of many lines": (said(*["X-A: 1"] * 300, LENGTH), "headers_too_large"),
    "long trailers": (said(CHUNKED, body=CHUNK + b"0\r\n" + b"X-T: 1\r\n" * 20_000), "headers_too_large"),
    "many interim answers": (b"HTTP/1.1 103 Early\r\n\r\n" * 17 + said(LENGTH), "protocol_error"),
}


@pytest.fixture
async def client():
    async with Client(SETTINGS) as opened:
        yield opened


def pieces_of(raw, kind):
    """The bytes as they come: at once, byte by byte, or the head alone first."""
    if kind == "bytes":
        return [raw[n : n + 1] for n in range(len(raw))]
    cut = raw.find(b"\n\r\n") + 3
    return [raw] if kind == "whole" else [raw[:cut], raw[cut:]]


def serving(raw, kind):
    """A server that answers once in these pieces, each of them read before the next is sent, and closes."""

    async def script(reader, writer):
        for piece in pieces_of(raw, kind):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    return raw_server(script)


@pytest.mark.parametrize("kind", ["whole", "head", "bytes"])
@pytest.mark.parametrize("name", READ)
async def test_an_odd_answer_is_read_as_by_browsers(client, name, kind):
    raw, flags = READ[name]
    async with serving(raw, kind) as server:
        got = await client.get(server.url, **AGENT)

    assert (got.status, got.body) == (200, BODY)
    # Whether what is behind the end comes in time to be flagged is the packets' affair; that it is dropped is not.
    assert got.flags == flags or (flags == ("stray_bytes",) and got.flags == () and kind != "whole")


@pytest.mark.parametrize("kind", ["whole", "head", "bytes"])
@pytest.mark.parametrize("name", REFUSED)
async def test_what_no_browser_can_make_sense_of_is_refused(client, name, kind):
    raw, reason = REFUSED[name]
    if kind == "bytes":
        raw = raw[:2_000] if len(raw) > 2_000 else raw
        if len(raw) == 2_000:
            pytest.skip("limits do not depend on the packets")
    async with serving(raw, kind) as server:
        with pytest.raises(FetchError) as caught:
            await client.get(server.url, **AGENT)

    assert caught.value.reason == reason
    assert caught.value.asked


@pytest.mark.parametrize(
    "raw",
    [
        READ["junk behind the length"][0],
        READ["an answer behind the length"][0],
        READ["junk behind the chunks"][0],
        READ["chunked beside a length"][0],
        said(status="HTTP/1.1 204 No Content"),
        said(LENGTH, status="HTTP/1.1 204 No Content"),
        said(LENGTH, status="HTTP/1.1 205 Reset Content"),
        said(status="HTTP/1.1 304 Not Modified"),
        said("Content-Length: 5", status="HTTP/1.1 404 Not Found"),
        said(LENGTH, status="HTTP/2 200 OK"),
    ],
)
async def test_a_connection_whose_framing_left_a_doubt_is_not_used_again(client, raw):
    async with raw_server(raw) as server:
        first = await client.get(server.url, **AGENT)
        second = await client.get(server.url, **AGENT)

    assert (first.status, first.body) == (second.status, second.body)
    assert server.connections == 2


@pytest.mark.parametrize("name", ["a length twice", "a line without colon", "a folded line", "extensions", "100"])
async def test_a_connection_whose_answer_was_odd_and_clear_is_used_again(client, name):
    async with raw_server(READ[name][0]) as server:
        for _ in range(3):
            assert (await client.get(server.url, **AGENT)).body == BODY

    assert server.connections == 1


@pytest.mark.parametrize("status", ["204 No", "205 No", "304 No"])
async def test_what_has_no_body_ends_with_its_head(client, status):
    async with raw_server(said("Connection: keep-alive", status=f"HTTP/1.1 {status}")) as server:
        got = await client.get(server.url, **AGENT)

    assert (got.status, got.body) == (int(status[:3]), b"")


async def test_names_and_values_come_as_they_were_sent(client):
    raw = said("x-Odd: caf\xe9", "X-A: one", "\ttwo", "X-B : b ", "silt", LENGTH, status="HTTP/1.1 200 Gef\xfcllt")
    async with raw_server(raw) as server:
        got = await client.get(server.url, **AGENT)

    assert got.headers == [("x-Odd", "caf\xe9"), ("X-A", "one two"), ("X-B", "b"), ("Content-Length", str(N))]
    assert got.reason == "Gef\xfcllt"


async def test_a_body_until_the_end_of_a_connection_that_breaks_is_flagged(client):
    async def vanish(reader, writer):
        writer.write(said())
        await writer.drain()
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await took.wait()
        writer.transport.abort()

    took = asyncio.Event()
    async with raw_server(vanish) as server:
        asking = asyncio.create_task(client.get(server.url, **AGENT))
        while not server.requests:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        took.set()
        got = await asking

    assert (got.body, got.flags) == (BODY, ("ended_by_reset",))


async def test_a_body_in_a_transfer_coding_is_undone(client):
    packed = gzip.compress(BODY)
    body = b"%x\r\n" % len(packed) + packed + b"\r\n0\r\n\r\n"
    async with raw_server(said("Transfer-Encoding: gzip, chunked", body=body)) as server:
        got = await client.get(server.url, **AGENT)

    assert (got.body, got.wire) == (BODY, len(packed))


async def test_a_host_that_speaks_before_it_is_asked_is_understood(client):
    async def busy(reader, writer):
        writer.write(answer(b"busy", "Connection: close", status="503 Busy"))
        await writer.drain()
        said.set()
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    said = asyncio.Event()
    server = await asyncio.start_server(busy, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        got = await client.get(url, **AGENT, before_send=said.wait)

    assert got.status == 503


@pytest.mark.parametrize("status", ["HTTP/1.1 200 Gef\xfcllt", "HTTP/1.1 200", "http/1.1 200 OK"])
async def test_a_robots_txt_is_read_by_the_same_reader(client, status):
    raw = said("silt", "Content-Length: 26, 26", status=status, body=b"User-agent: *\nDisallow: /x" + b"JUNK")
    async with raw_server(raw) as server:
        found = await fetch_robots(
            client,
            f"{server.url}/robots.txt",
            user_agent="Penstock",
            gate=lambda url: lambda: asyncio.sleep(0),
            reader=RulesReader(),
        )

    assert (found.record.verdict, found.record.text) == ("rules", "User-agent: *\nDisallow: /x")


@pytest.mark.parametrize("kind", ["length", "chunks", "close"])
async def test_an_encoding_that_is_cut_within_a_whole_body_is_no_failure_of_the_network(client, kind):
    page = b"<p>" + bytes(range(32, 127)) * 900
    packed = gzip.compress(page)[:-40]
    head, body = {
        "length": ([f"Content-Length: {len(packed)}"], packed),
        "chunks": ([CHUNKED], b"%x\r\n" % len(packed) + packed + b"\r\n0\r\n\r\n"),
        "close": ([], packed),
    }[kind]
    async with serving(said("Content-Encoding: gzip", *head, body=body), "whole") as server:
        if kind == "close":  # more may have been on its way: it is asked for again
            with pytest.raises(FetchError, match="ends before its end"):
                await client.get(server.url, **AGENT)
            return
        got = await client.get(server.url, **AGENT)

    assert page.startswith(got.body)
    assert len(got.body) > 1_000
    assert got.flags == ("encoding_cut",)
