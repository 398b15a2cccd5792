"""A link's query is sent in its document's encoding, its path as UTF-8; what stands here is what Chromium 156 sends."""

import hashlib
import json
from pathlib import Path

import pytest

from scraper.characters.encoders import encode
from scraper.characters.labels import ENCODINGS
from scraper.characters.queries import form_query, with_query_in
from tests.scraper.pages import page_of

#: Digests of what each encoding makes of each character of the Basic Multilingual Plane, and of some behind it.
WRITTEN: dict[str, str] = json.loads((Path(__file__).parent / "encodings/written.json").read_text())
CHARACTERS = [*range(0x80, 0xD800), *range(0xE000, 0x10000), *range(0x1F300, 0x1F400), *range(0x20000, 0x2A000, 3)]
#: A walk over the encoders: letters of all kinds after one another, so that ISO-2022-JP changes its state between.
WORDS = "¥\\~日ｱ−①☃é😀"


def links_of(html: str, charset: str) -> list[str]:
    """The links of an ASCII page that says the rest by references."""
    body = html.encode("ascii", "xmlcharrefreplace")
    return page_of(body, content_type=f"text/html; charset={charset}").links()


@pytest.mark.parametrize(
    ("charset", "query"),
    [
        ("windows-1251", "q=%EF%F0%E8%E2%E5%F2"),
        ("koi8-r", "q=%D0%D2%C9%D7%C5%D4"),
        ("shift_jis", "q=%84%81%84%82%84y%84r%84u%84%84"),
        ("iso-2022-jp", "q=%1B$B%27a%27b%27Z%27S%27V%27d%1B(B"),
        ("gb18030", "q=%A7%E1%A7%E2%A7%DA%A7%D3%A7%D6%A7%E4"),
        ("windows-1252", "q=" + "".join(f"%26%23{ord(letter)}%3B" for letter in "привет")),
        ("utf-8", "q=%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82"),
        ("utf-16le", "q=%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82"),
    ],
)
def test_a_query_is_sent_in_the_encoding_of_its_document(charset, query):
    html = '<a href="/п?q=привет#й">'
    body = html.encode("utf-16-le") if charset == "utf-16le" else html.encode("ascii", "xmlcharrefreplace")

    [link] = page_of(body, content_type=f"text/html; charset={charset}").links()

    assert link == f"http://site.test/%D0%BF?{query}"


@pytest.mark.parametrize(
    ("href", "link"),
    [
        ("?q=привет мир&x='1'<>", "/folder/page.html?q=%EF%F0%E8%E2%E5%F2%20%EC%E8%F0&x=%271%27%3C%3E"),
        ("?a=%D0%B9й", "/folder/page.html?a=%D0%B9%E9"),
        ("й?\n й \t", "/folder/%D0%B9?%20%E9"),
        ("?☃", "/folder/page.html?%26%239731%3B"),
        ("/й#?й", "/%D0%B9"),
        ("//site.test?й", "/?%E9"),
    ],
)
def test_only_the_query_is_spelled_otherwise(href, link):
    assert links_of(f'<a href="{href}">', "windows-1251") == [f"http://site.test{link}"]


def test_whatever_leads_from_a_page_is_spelled_alike():
    page = page_of(
        '<meta http-equiv=refresh content="0;url=/a?й"><a href="/b?й">'.encode("cp1251"),
        content_type="text/html; charset=windows-1251",
    )

    assert page.all_links.refresh == "http://site.test/a?%E9"
    assert page.follow("/c?й", css="a").urls == ("http://site.test/c?%E9", "http://site.test/b?%E9")
    assert page.urljoin("/d?й") == "http://site.test/d?%E9"


@pytest.mark.parametrize(
    ("encoding", "query"),
    [
        ("windows-1251", "q=%EF%F0+%E8&%EA%26=a%3Db%2Bc*-._%7E%27&s=%26%239731%3B%26%23165%3B"),
        (
            "iso-2022-jp",
            "q=%1B%24B%27a%27b%1B%28B+%1B%24B%27Z%1B%28B&%1B%24B%27%5C%1B%28B%26=a%3Db%2Bc*-._%7E%27&s=%26%239731%3B%1B%28J%5C%1B%28B",
        ),
        ("utf-8", "q=%D0%BF%D1%80+%D0%B8&%D0%BA%26=a%3Db%2Bc*-._%7E%27&s=%E2%98%83%C2%A5"),
    ],
)
def test_a_form_sends_its_fields_in_the_encoding_of_its_document(encoding, query):
    assert form_query([("q", "пр и"), ("к&", "a=b+c*-._~'"), ("s", "☃¥")], encoding) == query


@pytest.mark.parametrize(
    ("encoding", "text", "written"),
    [
        ("shift_jis", "\x80¥‾ｱ−纊￢", b"\x80\\~\xb1\x81\x7c\xfa\x5c\x81\xca"),
        ("euc-jp", "¥‾ｱ−纊", b"\\~\x8e\xb1\xa1\xdd\xf9\xa1"),
        ("iso-2022-jp", "¥a\\ｱ☃日¥", b'\x1b(J\\a\x1b(B\\\x1b$B%"\x1b(B?\x1b$BF|\x1b(J\\\x1b(B'),
        ("iso-2022-jp", "\x0e日\x1b", b"?\x1b$BF|\x1b(B?"),
        ("gbk", "€\ue5e5\ue78d☃", b"\x80?\xa6\xd9?"),
        ("gb18030", "€\ue5e5\ue7c7ḿ😀", b"\xa2\xe3?\x815\xf47\xa8\xbc\x949\xfc6"),
        ("big5", "═十㐀嘅", b"\xf9\xf9\xa4\x51?\xfb\x48"),
        ("euc-kr", "가힣", b"\xb0\xa1\xc6\x52"),
        ("x-user-defined", "\uf780\uf7ffé", b"\x80\xff?"),
        ("replacement", "é", b"\xc3\xa9"),
    ],
)
def test_what_a_character_is_written_as(encoding, text, written):
    assert encode(text, encoding, lambda _: b"?") == written


@pytest.mark.parametrize("encoding", sorted(set(ENCODINGS.values())))
def test_what_is_written_holds_no_byte_that_a_url_may_not_hold(encoding):
    assert with_query_in(f"?{WORDS}", encoding).replace(WORDS, "").isascii()
    assert form_query([(WORDS, WORDS)], encoding).isascii()


@pytest.mark.parametrize("encoding", sorted(WRITTEN))
def test_every_character_is_written_as_chromium_writes_it(encoding):
    written = b"\n".join(encode(chr(point), encoding, lambda _: b"&") for point in CHARACTERS)

    assert hashlib.sha256(written).hexdigest()[:16] == WRITTEN[encoding]
