"""Every short sequence of bytes in every encoding is read as the Encoding Standard says, and so is text behind errors.

`encodings/digests.json` holds what the decoders of two browsers make of them: Chromium's `TextDecoder`, and where that
one differs from the standard, `encoding_rs`, which is Firefox's. That is so for four sequences of Big5 (8862, 8864,
88A3, 88A5, which mean two characters), for some three bytes of EUC-JP from 8F on, and for ISO-2022-JP's escapes that
the end cuts off.
"""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from scraper.characters.decoders import decode
from scraper.characters.indexes import identifiers
from scraper.characters.labels import ENCODINGS
from scraper.characters.multi_byte import DECODERS
from tests.scraper.encodings.walk import FAMILIES, digests

FOLDER = Path(__file__).parent / "encodings"
DIGESTS: dict[str, dict[str, str]] = json.loads((FOLDER / "digests.json").read_text())
#: Where Chromium is not the standard.
NOT_OF_CHROMIUM = {
    "big5": {"two", "lines", "three", "noise"},
    "euc-jp": {"three", "noise"},
    "iso-2022-jp": {"three", "escapes"},
}
#: What says something of an encoding that the other families do not, and is quickly walked.
QUICK = {"gb18030": {"four"}, "gbk": {"four"}, "euc-jp": {"ends"}, "iso-2022-jp": {"escapes"}}


def quick(encoding: str) -> set[str]:
    pairs = {"two"} if encoding in DECODERS or encoding in ("utf-8", "iso-2022-jp") else set()
    return {"one", "lines", "noise"} | pairs | QUICK.get(encoding, set())


def test_all_encodings_of_the_standard_are_walked():
    assert set(DIGESTS) == set(ENCODINGS.values()) - {"replacement"}
    assert len(set(ENCODINGS.values())) == 40


@pytest.mark.parametrize("encoding", sorted(DIGESTS))
def test_sequences_are_read_as_browsers_read_them(encoding):
    found = digests(partial(decode, encoding=encoding), quick(encoding))

    assert found == {family: DIGESTS[encoding][family] for family in found}


@pytest.mark.soak
@pytest.mark.parametrize("encoding", sorted(DIGESTS))
def test_all_sequences_are_read_as_browsers_read_them(encoding):
    assert digests(partial(decode, encoding=encoding), set(FAMILIES)) == DIGESTS[encoding]


@pytest.fixture
def chromium() -> str:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium: install the package chromium, or say in CHROMIUM where it is")
    return found


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_the_digests_are_those_of_chromium_but_where_it_is_known_to_differ(chromium):
    script = (FOLDER / "walk.js").read_text().partition("\n")[2]
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, headless=True, args=flags)
        page = await browser.new_page()
        # Digests want a page with a secure origin; this one comes from here.
        await page.route("**/*", lambda route: route.fulfill(body="", content_type="text/html"))
        await page.goto("https://judge.test/")
        theirs = {encoding: await page.evaluate(script, encoding) for encoding in DIGESTS}
        await browser.close()

    differing = {
        encoding: {family for family in FAMILIES if theirs[encoding][family] != DIGESTS[encoding][family]}
        for encoding in DIGESTS
    }
    assert {encoding: families for encoding, families in differing.items() if families} == NOT_OF_CHROMIUM


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        # what Python's codecs do not know, and what stands behind it
        ("euc-jp", b"\xad\xa1\xad\xea\xfc\xe2\xa4\xa2", "①㈱髙あ"),
        ("iso-2022-jp", b'\x1b$B-!$"\x1b(Ba', "①あa"),
        ("gb18030", b"\x80\xa8\xbc\x81\x35\xf4\x37", "€ḿ\ue7c7"),
        ("big5", b"\xa1\x45\xa2\x41\xa1\xfe\x87\x7a", "‧∕／㡵"),
        ("big5", b"\x88\x62\x88\xa5", "\u00ca\u0304\u00ea\u030c"),
        ("shift_jis", b"\x80\xa0\xfd\x81\x40", "\x80\ufffd\ufffd\u3000"),
        ("euc-jp", b"~\x8f\xa2\xb7", "~～"),
        # an error leaves the ASCII byte behind it, and takes any other with it
        ("euc-kr", b'\xc9<b class="\xfe">', '\ufffd<b class="\ufffd">'),
        ("euc-kr", b"\xc9\xff\xb0\xa1", "\ufffd가"),
        ("euc-jp", b"\x8f\xa1<", "\ufffd<"),
        ("gb18030", b"\x81\x30\x81\xff\xb0\xa1", "\ufffd0\ufffd啊"),
        ("gb18030", b"a\x81\x30\x81", "a\ufffd"),
        # two escapes with nothing between, one that is cut off, and what Chromium takes from one text into the next
        ("iso-2022-jp", b"\x1b(B\x1b(Ba", "\ufffda"),
        ("iso-2022-jp", b"\x1b$B$", "\ufffd"),
        ("iso-2022-jp", b"\x1b(J\\~\x1b(I1", "¥‾ｱ"),
        ("windows-1252", b"\x80\x81\x9d", "€\x81\x9d"),
        ("windows-874", b"\x80\x81\xa1", "€\x81ก"),
        ("koi8-u", b"\xae\xbe", "ўЎ"),
        ("x-user-defined", b"a\x80\xff", "a\uf780\uf7ff"),
        ("utf-16le", b"\x00\xd8a", "\ufffd"),
        ("utf-16be", b"\xdc\x00\x00a\x00", "\ufffda\ufffd"),
        ("utf-8", b"\xf0\x9f\xff\xc3\xa9\xe2\x82", "\ufffd\ufffdé\ufffd"),
        ("replacement", b"<script>", "\ufffd"),
    ],
)
def test_what_an_odd_sequence_means(encoding, body, text):
    assert decode(body, encoding) == text


@pytest.mark.parametrize("encoding", sorted(DECODERS))
def test_a_long_body_that_is_all_errors_is_read_in_bounded_work(encoding):
    body, at, calls = b"\xc9\xff<" * 1_000, 0, 0
    while at < len(body):
        _, at = DECODERS[encoding]._some_by_table(body, at)
        calls += 1

    assert calls < len(body) / 10


def test_the_tables_are_those_of_a_named_state_of_the_standard():
    assert identifiers()["jis0208"] == "cbaa91f3deb7d0841faf5c33041fc15a285da0e87e64ab802c4bf04b7c4da861"
