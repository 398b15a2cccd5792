"""The hostile pages: each does what its name says, and none of them hurts the site that serves it."""

import asyncio
import gzip
import re
import zlib
from collections.abc import AsyncIterator

import brotli
import pytest
import pytest_asyncio
import zstandard

import scraper.errors
from penstock.site import RunningSite, SiteOptions, running_site
from penstock.site.hostile import CATALOGUE, GOOD_PAGES, good_body, good_path, index_body
from penstock.site.hostile_encodings import br_bomb, gzip_bomb, zstd_bomb
from penstock.site.hostile_markup import formatting_bomb

MIB = 1024 * 1024
#: More than this is not read of an answer that may have no end.
ENOUGH_BYTES = 12 * MIB
GET = "GET {} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br, zstd\r\nConnection: close\r\n\r\n"


@pytest_asyncio.fixture
async def site() -> AsyncIterator[RunningSite]:
    async with running_site(SiteOptions(pages=1)) as running:
        yield running


async def ask(site: RunningSite, path: str, *, enough: int = ENOUGH_BYTES) -> bytes:
    """What the site sends for a path until it closes, or until there was enough of it; b"" after a reset."""
    reader, writer = await asyncio.open_connection(*site.hosts[0].split(":"))
    writer.write(GET.format(path).encode())
    received = bytearray()
    try:
        while len(received) < enough and (data := await reader.read(MIB)):
            received += data
    except ConnectionResetError:
        pass
    finally:
        writer.close()
    return bytes(received)


async def ask_hostile(site: RunningSite, name: str, *, enough: int = ENOUGH_BYTES) -> bytes:
    return await ask(site, f"/hostile/{name}", enough=enough)


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def known_outcomes() -> set[str]:
    """`fetched`, and the reasons of all failures that a fetch can end in."""
    kinds = [scraper.errors.FetchError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {"fetched"} | {kind.reason for kind in kinds}


def test_every_outcome_is_one_that_a_fetch_can_have():
    for case in CATALOGUE.values():
        assert {case.outcome, *case.or_else} <= known_outcomes(), case


def test_the_index_links_every_listed_page_and_all_good_ones():
    paths = re.findall(rb'href="([^"]+)"', index_body())

    assert len(paths) == len(set(paths))
    assert {path.decode() for path in paths} == {
        *(f"/hostile/{name}" for name, case in CATALOGUE.items() if case.listed),
        *(good_path(number) for number in range(1, GOOD_PAGES + 1)),
    }


def test_names_are_fit_for_a_path():
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in CATALOGUE)


async def test_good_pages_are_as_good_after_every_quick_hostile_page_was_asked_for(site):
    for name, case in CATALOGUE.items():
        if case.quick:
            await ask_hostile(site, name, enough=MIB)

    for number in (1, GOOD_PAGES):
        assert body_of(await ask(site, good_path(number))) == good_body(number)
    assert (await ask(site, good_path(GOOD_PAGES + 1))).startswith(b"HTTP/1.1 404")
    assert site.site.in_flight.total() == 0
    asked = {record.path for record in site.log.records}
    assert asked >= {f"/hostile/{name}" for name, case in CATALOGUE.items() if case.quick}


async def test_the_log_knows_the_status_that_a_script_sent(site):
    answer = await ask_hostile(site, "status_999")

    assert answer.startswith(b"HTTP/1.1 999 ")
    assert [record.status for record in site.log.records] == [999]


@pytest.mark.parametrize("name", ["gzip_bomb", "br_bomb", "zstd_bomb", "gzip_gzip_bomb"])
async def test_a_bomb_is_small_on_the_wire(site, name):
    assert len(await ask_hostile(site, name)) < 300_000


def gunzipped_bytes(packed: bytes) -> int:
    unpacker, total = zlib.decompressobj(wbits=31), 0
    while not unpacker.eof:
        total += len(unpacker.decompress(packed, MIB))
        packed = unpacker.unconsumed_tail
    return total


def unzstd_bytes(packed: bytes) -> int:
    unpacker = zstandard.ZstdDecompressor().stream_reader(packed)
    return sum(len(piece) for piece in iter(lambda: unpacker.read(MIB), b""))


def unbrotli_bytes(packed: bytes) -> int:
    unpacker = brotli.Decompressor()
    total = len(unpacker.process(packed, output_buffer_limit=MIB))
    while not unpacker.is_finished():
        total += len(unpacker.process(b"", output_buffer_limit=MIB))
    return total


@pytest.mark.parametrize(
    ("bomb", "measure"),
    [(gzip_bomb, gunzipped_bytes), (br_bomb, unbrotli_bytes), (zstd_bomb, unzstd_bytes)],
)
def test_a_bomb_grows_to_200_mib(bomb, measure):
    assert 200 * MIB < measure(bomb()) < 201 * MIB


@pytest.mark.parametrize(
    ("name", "decode"),
    [
        ("gzip_in_gzip", lambda body: gzip.decompress(gzip.decompress(body))),
        ("deflate_zlib", zlib.decompress),
        ("deflate_raw", lambda body: zlib.decompress(body, wbits=-15)),
        ("br", brotli.decompress),
        ("zstd", lambda body: zstandard.ZstdDecompressor().decompress(body)),
        ("gzip_two_members", gzip.decompress),
        ("gzip_but_plain", bytes),
        ("encoding_identity", bytes),
    ],
)
async def test_sound_encodings_decode_to_the_same_page(site, name, decode):
    page = decode(body_of(await ask_hostile(site, name)))

    assert page.startswith(b"<!doctype html>")
    assert page.endswith(b"</html>")


@pytest.mark.parametrize("name", ["gzip_truncated", "gzip_without_trailer", "br_truncated", "zstd_truncated"])
async def test_a_truncated_body_has_the_length_that_its_header_says(site, name):
    answer = await ask_hostile(site, name)

    assert int(re.search(rb"Content-Length: (\d+)", answer)[1]) == len(body_of(answer))


@pytest.mark.parametrize("name", ["endless_body", "endless_chunks", "length_of_10_tb", "endless_headers"])
async def test_an_endless_answer_goes_on_until_nobody_listens(site, name):
    assert len(await ask_hostile(site, name)) >= ENOUGH_BYTES


@pytest.mark.parametrize("name", ["dripping_body", "dripping_headers"])
async def test_a_dripping_answer_comes_byte_by_byte(site, name):
    start = asyncio.get_running_loop().time()

    assert len(await ask_hostile(site, name, enough=3)) == 3
    assert 0.35 < asyncio.get_running_loop().time() - start < 2


@pytest.mark.parametrize("name", ["silence", "stalled_body"])
async def test_a_client_can_leave_an_answer_that_does_not_come(site, name):
    asking = asyncio.create_task(ask_hostile(site, name))
    while not site.site.in_flight.total():
        await asyncio.sleep(0)
    asking.cancel()
    while not site.log.records:
        await asyncio.sleep(0)

    assert site.site.in_flight.total() == 0


async def test_a_page_that_breaks_twice_is_whole_the_third_time(site):
    answers = [await ask_hostile(site, "reset_twice") for _ in range(3)]

    assert [answer.endswith(b"</html>") and b"100000" not in answer for answer in answers] == [False, False, True]
    assert [record.attempt for record in site.log.records] == [1, 2, 3]


async def test_redirects_hop_thirty_times(site):
    path, hops = "/hostile/redirect_hops", 0
    while found := re.search(rb"\r\nLocation: (\S+)", await ask(site, path)):
        path, hops = found[1].decode(), hops + 1

    assert hops == 30


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("redirect_file", b"file:///etc/passwd"),
        ("redirect_metadata", b"http://169.254.169.254/latest/"),
        ("redirect_utf8", b"/hostile/good/1?caf\xc3\xa9=\xe2\x98\x83"),
        ("redirect_empty", b""),
    ],
)
async def test_a_location_is_sent_as_it_stands(site, name, location):
    assert b"\r\nLocation: " + location + b"\r\n" in await ask_hostile(site, name)


@pytest.mark.parametrize(
    ("name", "least"), [("header_150_kb", 150_000), ("headers_8000", 100_000), ("cookie_1_mb", 1_000_000)]
)
async def test_oversized_headers_are_sent_whole(site, name, least):
    assert len((await ask_hostile(site, name)).partition(b"\r\n\r\n")[0]) > least


async def test_early_hints_come_by_the_thousand(site):
    assert (await ask_hostile(site, "early_hints_20000")).count(b" 103 ") == 20_000


async def test_a_title_keeps_its_control_characters(site):
    assert b"\x1b]0;taken over\x07" in await ask_hostile(site, "title_escape")
    assert b"nul \x00 in it" in await ask_hostile(site, "title_nul")


async def test_a_million_links_fit_below_the_limit_of_a_body(site):
    page = gzip.decompress(body_of(await ask_hostile(site, "million_links")))

    assert page.count(b"<a href=") == 1_000_000
    assert len(page) < 20 * MIB


def test_the_formatting_bomb_is_no_more_than_a_page():
    assert len(formatting_bomb()) < 90_000
