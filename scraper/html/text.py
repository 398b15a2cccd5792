"""Bytes → characters, as browsers do it.

Takes a body and its Content-Type header, gives the decoder's name and the text. The order is that of the standards:
byte order mark, the header's charset, a `<meta>` in the first 1024 bytes, and where nothing is declared UTF-8 if the
body is that, else windows-1252. A word that is no label of the standard counts as not said.
Sources: https://encoding.spec.whatwg.org/, https://html.spec.whatwg.org/#determining-the-character-encoding
"""

import re

from scraper.html.labels import DECODERS, REPLACEMENT

#: How far a declaration may stand from the beginning of a body, in bytes.
PRESCAN_BYTES = 1024
_LAST_RESORT = "cp1252"
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le"))

_CHARSET = re.compile(r"""charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;,"']+))""", re.IGNORECASE)
_COMMENT_OR_META = re.compile(rb"<!--.*?(?:-->|\Z)|<meta(?=[\s/])([^>]*)", re.IGNORECASE | re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s/=>"']+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""")


def encoding_of(body: bytes, content_type: str = "") -> str:
    """The name of the decoder for a body; one of Python's, or `replacement`."""
    for bom, decoder in _BOMS:
        if body.startswith(bom):
            return decoder
    return _from_header(content_type) or _from_meta(body[:PRESCAN_BYTES]) or _undeclared(body)


def decoded(body: bytes, encoding: str) -> str:
    """The text of a body, without its byte order mark; what cannot be read becomes U+FFFD."""
    if encoding == REPLACEMENT:
        return "\ufffd" if body else ""
    return body.decode(encoding, "replace").removeprefix("\ufeff")


def markup(body: bytes, content_type: str = "") -> bytes | str:
    """What an HTML parser that reads UTF-8 wants: UTF-8 bodies as they are, all others as text."""
    encoding = encoding_of(body, content_type)
    if encoding == "utf-8":
        return body.removeprefix(_BOMS[0][0])
    return decoded(body, encoding).encode("utf-8", "replace")


def _from_header(content_type: str) -> str | None:
    found = _CHARSET.search(content_type)
    return _decoder(_value(found.groups())) if found else None


def _from_meta(start: bytes) -> str | None:
    for found in _COMMENT_OR_META.finditer(start):
        if found[1] and (decoder := _declared(found[1].decode("latin-1"))):
            # A page that can be scanned as ASCII is not in UTF-16, whatever it says.
            return "utf-8" if decoder.startswith("utf-16") else decoder
    return None


def _declared(attributes: str) -> str | None:
    named = {found[1].lower(): _value(found.groups()[1:]) for found in _ATTRIBUTE.finditer(attributes)}
    if "charset" in named:
        return _decoder(named["charset"])
    if named.get("http-equiv", "").lower() == "content-type":
        return _from_header(named.get("content", ""))
    return None


def _value(groups: tuple[str | None, ...]) -> str:
    return next((group for group in groups if group is not None), "")


def _decoder(label: str) -> str | None:
    return DECODERS.get(label.strip("\t\n\f\r ").lower())


def _undeclared(body: bytes) -> str:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        # A body that was cut off within its last character is still UTF-8.
        whole = error.reason == "unexpected end of data" and error.start >= len(body) - 3
        return "utf-8" if whole else _LAST_RESORT
    return "utf-8"


def collapsed(text: str) -> str:
    """The text with each run of white space made one space, and none at its ends."""
    # The same as " ".join(text.split()), in less than half the time where lines have single spaces only.
    lines = " ".join(filter(None, map(str.strip, text.split("\n"))))
    return " ".join(lines.split()) if any(space in lines for space in _ODD_SPACES) else lines


#: What is left of a line's white space that is no single space: two of them, and all that `str.split` takes for one.
_ODD_SPACES = ("  ", *(mark for mark in map(chr, range(1, 0x3001)) if mark.isspace() and mark != " "))
