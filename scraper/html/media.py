"""Whether a body is HTML, or XML.

Takes a Content-Type header and a body, gives a yes or no. A type that says something is believed, except where the
body is plainly something else; one that says nothing is sniffed.
Source: https://mimesniff.spec.whatwg.org/#rules-for-identifying-an-unknown-mime-type
"""

import re

from scraper.characters.media_type import media_type

_HTML = frozenset(("text/html", "application/xhtml+xml"))
_XML = frozenset(("text/xml", "application/xml"))
_SAYS_NOTHING = frozenset(("", "unknown/unknown", "application/unknown", "*/*"))
#: How much of a body is looked at, in bytes.
_SNIFFED_BYTES = 1024

_LOOKS_LIKE_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\f\r ]*<"
    rb"(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--)[\t\n\f\r >]",
    re.IGNORECASE,
)
_XHTML_ROOT = re.compile(rb"<html[\s>]", re.IGNORECASE)
#: Beginnings of PDF, PNG, GIF, JPEG, ZIP, gzip and WebP: files that servers label as HTML when they know no better.
_OTHER_FILES = (b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b\x08", b"RIFF")


def essence(content_type: str) -> str:
    """The `type/subtype` of a Content-Type header, in lower case; empty where it has none."""
    return media_type(content_type).essence


def is_xml(content_type: str, body: bytes) -> bool:
    """Whether these bytes, served under this type, are to be read as XML."""
    kind = essence(content_type)
    if kind in _SAYS_NOTHING or "/" not in kind:
        return body.removeprefix(b"\xef\xbb\xbf").startswith(b"<?xml")
    return (kind in _XML or kind.endswith("+xml")) and not body.startswith(_OTHER_FILES)


def is_html(content_type: str, body: bytes) -> bool:
    """Whether these bytes, served under this type, are a document with links."""
    kind = essence(content_type)
    if kind in _HTML:
        return not body.startswith(_OTHER_FILES)
    start = body[:_SNIFFED_BYTES]
    if kind in _SAYS_NOTHING or "/" not in kind:
        return _LOOKS_LIKE_HTML.match(start) is not None
    return kind in _XML and _XHTML_ROOT.search(start) is not None
