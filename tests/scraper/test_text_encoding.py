"""Which characters a body's bytes stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.html.labels import DECODERS
from scraper.html.text import collapsed, decoded, encoding_of, markup

RUSSIAN = "Привет, мир"


def meta(label: str) -> bytes:
    return f'<html><head><meta charset="{label}">'.encode()


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        # a byte order mark wins over everything
        (b"\xef\xbb\xbfx", "text/html; charset=windows-1251", "utf-8"),
        (b"\xff\xfex\0", "text/html; charset=utf-8", "utf-16-le"),
        (b"\xfe\xff\0x", "", "utf-16-be"),
        # the header wins over the page
        (meta("gbk"), "text/html; charset=utf-8", "utf-8"),
        (meta("utf-8"), "text/html; charset=GBK", "gb18030"),
        (b"x", 'text/html;charset="windows-1251"', "cp1251"),
        (b"x", "text/html; CHARSET = 'koi8-r' ; x=y", "koi8-r"),
        (b"x", "text/html; charset=latin1", "cp1252"),
        (b"x", "text/html; charset=us-ascii", "cp1252"),
        # then the page
        (meta("windows-1251"), "text/html", "cp1251"),
        (b"<META CHARSET=sjis>", "", "cp932"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">', "", "cp949"),
        (b'<meta content="text/html; charset=euc-kr" http-equiv=content-type>', "", "cp949"),
        (b'<meta content="text/html; charset=euc-kr">', "", "utf-8"),
        (b'<!-- <meta charset="gbk"> --><meta charset="big5">', "", "big5hkscs"),
        (b'<meta name="x"><meta charset="big5">', "", "big5hkscs"),
        (meta("utf-16"), "", "utf-8"),
        (b" " * 1024 + meta("gbk"), "", "utf-8"),
        # then what it is
        ("é".encode(), "", "utf-8"),
        ("é".encode()[:1] + b"", "", "utf-8"),
        ("é".encode("latin-1") + b" and more", "", "cp1252"),
        (b"", "", "utf-8"),
    ],
)
def test_the_encoding_is_found_in_the_order_of_the_standard(body, content_type, encoding):
    assert encoding_of(body, content_type) == encoding


@pytest.mark.parametrize(
    "label", ["no-such", "zlib_codec", "rot13", "utf-7", "utf-8\0", "idna", "base64", "", "\ud800"]
)
def test_a_word_that_is_no_label_counts_as_not_said(label):
    assert encoding_of(b"+ADw-script+AD4-", f"text/html; charset={label}") == "utf-8"
    assert encoding_of(b"\xff\xffabc", f"text/html; charset={label}") == "cp1252"


def test_every_decoder_is_one_that_gives_text():
    for decoder in set(DECODERS.values()) - {"replacement"}:
        assert b"plain".ljust(6).decode(decoder, "replace")
    assert not {"utf-7", "rot13", "zlib"} & set(DECODERS.values())


def test_an_encoding_that_hides_markup_is_not_read():
    assert decoded(b"<script>", encoding_of(b"<script>", "text/html; charset=iso-2022-kr")) == "\ufffd"


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert decoded(b"\xef\xbb\xbfx", "utf-8") == "x"
    assert decoded("\ufeffx".encode("utf-16-le"), "utf-16-le") == "x"


@pytest.mark.parametrize("encoding", ["windows-1251", "koi8-r", "utf-8", "utf-16le", "iso-8859-5"])
def test_a_parser_of_utf_8_gets_the_page_in_utf_8(encoding):
    found = markup(RUSSIAN.encode(DECODERS[encoding]), f"text/html; charset={encoding}")

    assert (found if isinstance(found, bytes) else found.encode()) == RUSSIAN.encode()


@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_under_any_header_become_text(body, content_type):
    text = decoded(body, encoding_of(body, content_type))

    text.encode("utf-8", "surrogatepass")
    markup(body, content_type)


@given(st.binary(max_size=100), st.sampled_from(sorted(DECODERS)))
def test_any_bytes_can_be_read_by_any_label(body, label):
    decoded(body, encoding_of(body, f"text/html; charset={label}"))


WHITE = "".join(mark for mark in map(chr, range(0x110000)) if mark.isspace())


@given(st.text(alphabet=st.sampled_from(" \n\tab\x01é" + WHITE), max_size=30))
def test_white_space_collapses_as_it_does_between_words(text):
    assert collapsed(text) == " ".join(text.split())
