"""Which characters a body's bytes stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.characters.choice import Encoding, encoding_of_body
from scraper.characters.labels import ENCODINGS, encoding_named
from scraper.characters.media_type import MediaType, media_type
from scraper.html.document import document_of
from scraper.html.text import collapsed, decoded, encoding_of, markup

RUSSIAN = "Привет, мир"


def meta(label: str) -> bytes:
    return f'<html><head><meta charset="{label}">'.encode()


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        # a byte order mark wins over everything
        (b"\xef\xbb\xbfx", "text/html; charset=windows-1251", "utf-8"),
        (b"\xff\xfex\0", "text/html; charset=utf-8", "utf-16le"),
        (b"\xfe\xff\0x", "", "utf-16be"),
        # the header wins over the page
        (meta("gbk"), "text/html; charset=utf-8", "utf-8"),
        (meta("utf-8"), "text/html; charset=GBK", "gbk"),
        (b"x", 'text/html;charset="windows-1251"', "windows-1251"),
        (b"x", 'text/html; CHARSET="koi8-r" ; x=y', "koi8-r"),
        (b"x", "text/html; charset=x-user-defined", "x-user-defined"),
        (b"x", "text/html; charset=latin1", "windows-1252"),
        (b"x", "text/html; charset=us-ascii", "windows-1252"),
        # then the page
        (meta("windows-1251"), "text/html", "windows-1251"),
        (b"<META CHARSET=sjis>", "", "shift_jis"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">', "", "euc-kr"),
        (b'<meta content="text/html; charset=euc-kr" http-equiv=content-type>', "", "euc-kr"),
        (b'<meta content="text/html; charset=euc-kr">', "", "utf-8"),
        (b'<!-- <meta charset="gbk"> --><meta charset="big5">', "", "big5"),
        (b'<meta name="x"><meta charset="big5">', "", "big5"),
        (meta("utf-16"), "", "utf-8"),
        (b" " * 1024 + meta("gbk"), "", "utf-8"),
        # then what it is
        ("é".encode(), "", "utf-8"),
        ("é".encode()[:1] + b"", "", "utf-8"),
        ("é".encode("latin-1") + b" and more", "", "windows-1252"),
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
    assert encoding_of(b"\xff\xffabc", f"text/html; charset={label}") == "windows-1252"


def test_a_label_is_compared_in_ascii_and_without_the_space_around_it():
    assert encoding_named("\n KOI8-R\t") == "koi8-r"
    # The Kelvin sign becomes a k in lower case, a no-break space is no white space of the standard.
    assert encoding_named("\u212aoi8-r") is None
    assert encoding_named("\xa0koi8-r") is None


@pytest.mark.parametrize(
    ("content_type", "essence", "charset"),
    [
        # Chromium 156 takes each of these for what stands here.
        ("text/html; charset=gbk; charset=windows-1251", "text/html", "gbk"),
        ("text/html;charset=;charset=gbk", "text/html", "gbk"),
        ('text/html; foo="a; charset=koi8-r"; charset=gbk', "text/html", "gbk"),
        ("text/html, text/html; charset=gbk", "text/html", "gbk"),
        ("text/html; charset=gbk, text/html", "text/html", "gbk"),
        ("text/html; charset=gbk, text/html; charset=koi8-r", "text/html", "koi8-r"),
        ("text/html; charset=gbk, text/plain", "text/plain", None),
        ("text/plain; charset=gbk, text/html", "text/html", None),
        ("text/html; charset=gbk, */*", "text/html", "gbk"),
        ("text/html; charset=gbk, foo", "text/html", "gbk"),
        ('text/html; charset="gbk', "text/html", "gbk"),
        ('text/html; charset="gb\\k"', "text/html", "gbk"),
        ('text/html; charset="gbk"x; y=z', "text/html", "gbk"),
        ("text/html; charset =gbk", "text/html", None),
        ("text/html; charset= gbk", "text/html", " gbk"),
        ("text/html;;charset=gbk;", "text/html", "gbk"),
        ("text/html;xcharset=gbk", "text/html", None),
        ("text/html charset=gbk", "", None),
        ("; charset=gbk", "", None),
        ("", "", None),
        ("TEXT/HTML;CHARSET=GBK", "text/html", "GBK"),
        ('text/html; a="x, text/plain"; charset=gbk', "text/html", "gbk"),
    ],
)
def test_a_content_type_is_read_as_the_standard_says(content_type, essence, charset):
    assert media_type(content_type) == MediaType(essence, charset)


@pytest.mark.parametrize(
    ("start", "encoding"),
    [
        (b"<meta charset=gbk charset=koi8-r>", "gbk"),
        (b"<meta charset=nope charset=koi8-r>", "windows-1252"),
        (b"<!--><meta charset=gbk>", "gbk"),
        (b"<!---><meta charset=gbk>", "gbk"),
        (b"<!-- --!><meta charset=gbk>", "gbk"),
        (b'<a href="<meta charset=gbk>">', "windows-1252"),
        (b'<a href="x>y"><meta charset=gbk>', "gbk"),
        (b'<meta name=">" charset=gbk>', "gbk"),
        (b'</a href="<meta charset=gbk>"><meta charset=koi8-r>', "koi8-r"),
        (b"<? <meta charset=gbk> ?>", "windows-1252"),
        (b"<meta content=\"text/html; charset='gbk'\" http-equiv=Content-Type>", "gbk"),
        (b'<meta content="charset charset=gbk" http-equiv="content-type">', "gbk"),
        (b'<meta content="charset=\'gbk" http-equiv=content-type>', "windows-1252"),
        (b'<meta content="charset=gbk" charset=koi8-r http-equiv=content-type>', "koi8-r"),
        (b"<meta http-equiv=refresh content='charset=gbk'>", "windows-1252"),
        (b"<meta/charset=gbk>", "gbk"),
        (b"<meta\x0ccharset =  gbk >", "gbk"),
        (b"<metax charset=gbk>", "windows-1252"),
        (b"<meta charset=gbk/>", "windows-1252"),
        (b'<meta charset="gbk>', "windows-1252"),
        (b"<meta charset=x-user-defined>", "windows-1252"),
        (b"<meta charset=nope><meta charset=gbk>", "gbk"),
        (b'<?xml version="1.0" encoding="gbk"?>', "gbk"),
        (b"<?xml version='1.0' encoding = 'gbk' ?><html>", "gbk"),
        (b' <?xml version="1.0" encoding="gbk"?>', "windows-1252"),
        (b'<?xml version="1.0" encoding="gbk"?><meta charset=koi8-r>', "koi8-r"),
        (b'<?xml encoding="gbk', "windows-1252"),
        # behind the 1,024 bytes, in text that is no markup, in a body
        (b" " * 1100 + b"<meta charset=gbk>", "gbk"),
        (b"<p>" + b" " * 1100 + b"<META HTTP-EQUIV=Content-Type CONTENT='x; CHARSET=GBK'>", "gbk"),
        (b"<!--" + b" " * 1100 + b"--><meta charset=gbk>", "gbk"),
        (b"<script>'" + b" " * 1100 + b"<meta charset=gbk>'</script>", "windows-1252"),
        (b"<title><meta charset=gbk></title><meta charset=koi8-r>", "koi8-r"),
        (b"<script>'<meta charset=gbk>'</script><meta charset=koi8-r>", "koi8-r"),
        (b"<meta charset=koi8-r>" + b" " * 1100 + b"<meta charset=gbk>", "koi8-r"),
    ],
)
def test_a_document_declares_its_encoding_as_the_html_standard_says(start, encoding):
    assert document_of(start + b"<p>\xe9</p>", "text/html")[1].name == encoding


def test_a_header_is_not_changed_by_what_the_parser_meets():
    body = b" " * 1100 + b"<meta charset=gbk>"

    assert document_of(body, "text/html; charset=koi8-r")[1] == Encoding("koi8-r", "header")
    assert document_of(b"\xef\xbb\xbf" + body)[1] == Encoding("utf-8", "mark")


def test_a_page_that_declares_itself_late_is_read_again():
    body = b"<title>\xcf\xf0\xe8\xe2\xe5\xf2</title><style>" + b" " * 1100 + b"</style><meta charset=windows-1251>"

    assert document_of(body)[0].css_first("title").text() == "Привет"


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        (b'<?xml version="1.0" encoding="windows-1251"?><html/>', "application/xhtml+xml", "windows-1251"),
        ('<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16-le"), "text/xml", "utf-16le"),
        (b'<?xml version="1.0" encoding="utf-16"?><a/>', "application/rss+xml", "utf-8"),
        (b"<meta charset=gbk>\xe9.", "application/xhtml+xml", "windows-1252"),
        (b"<meta charset=gbk>\xe9.", "text/plain", "windows-1252"),
        (b"<?xml encoding='gbk'?>", "application/xml; charset=koi8-r", "koi8-r"),
    ],
)
def test_xml_declares_itself_by_its_declaration_alone_and_plain_text_not_at_all(body, content_type, encoding):
    assert encoding_of_body(body, content_type).name == encoding


def test_an_encoding_that_hides_markup_is_not_read():
    assert decoded(b"<script>", encoding_of(b"<script>", "text/html; charset=iso-2022-kr")) == "\ufffd"


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert decoded(b"\xef\xbb\xbfx", "utf-8") == "x"
    assert decoded("\ufeffx".encode("utf-16le"), "utf-16le") == "x"


@pytest.mark.parametrize("encoding", ["windows-1251", "koi8-r", "utf-8", "utf-16le", "iso-8859-5"])
def test_a_parser_of_utf_8_gets_the_page_in_utf_8(encoding):
    codec = encoding.replace("16le", "16-le")
    assert markup(RUSSIAN.encode(codec), encoding) == RUSSIAN.encode()


def test_the_halves_of_a_character_are_not_joined_over_an_element():
    document, _ = document_of(b"<p>\xc3<b></b>\xa9</p>", "text/html; charset=utf-8")

    assert document.css_first("p").text() == "\ufffd\ufffd"


@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_under_any_header_become_text(body, content_type):
    text = decoded(body, encoding_of(body, content_type))

    text.encode("utf-8", "surrogatepass")
    markup(body, encoding_of(body, content_type))
    document_of(body, content_type)


@given(st.binary(max_size=100), st.sampled_from(sorted(ENCODINGS)))
def test_any_bytes_can_be_read_by_any_label(body, label):
    decoded(body, encoding_of(body, f"text/html; charset={label}"))


WHITE = "".join(mark for mark in map(chr, range(0x110000)) if mark.isspace())


@given(st.text(alphabet=st.sampled_from(" \n\tab\x01é" + WHITE), max_size=30))
def test_white_space_collapses_as_it_does_between_words(text):
    assert collapsed(text) == " ".join(text.split())
