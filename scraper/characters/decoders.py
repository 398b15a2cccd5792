"""Bytes → text, for every encoding of the Encoding Standard.

Takes a body and an encoding's name, gives its text; what cannot be read becomes U+FFFD. The rest is told by the rooms
beside: `multi_byte` (Chinese, Japanese, Korean), `escaped` (ISO-2022-JP). A byte order mark is the caller's business.
"""

import codecs
from functools import cache

from scraper.characters import escaped, multi_byte
from scraper.characters.indexes import NONE, upper_half
from scraper.characters.labels import REPLACEMENT

_ERROR = multi_byte.ERROR
_ASCII = "".join(map(chr, range(0x80)))
#: Python's codecs that do as the standard says, errors included.
_OF_PYTHON = {"utf-8": "utf-8", "utf-16be": "utf-16-be", "utf-16le": "utf-16-le"}


def decode(body: bytes, encoding: str) -> str:
    """The text of a body in an encoding, by its name in `labels`."""
    if codec := _OF_PYTHON.get(encoding):
        return body.decode(codec, "replace")
    if encoding == REPLACEMENT:
        return _ERROR if body else ""
    if encoding == "iso-2022-jp":
        return escaped.decode(body)
    if decoder := multi_byte.DECODERS.get(encoding):
        return body.decode("ascii") if body.isascii() else decoder.decode(body)
    return codecs.charmap_decode(body, "strict", single_byte(encoding))[0]


@cache
def single_byte(encoding: str) -> str:
    """The characters of the bytes 00 to FF in a single-byte encoding; U+FFFD where a byte means nothing."""
    if encoding == "x-user-defined":
        return _ASCII + "".join(map(chr, range(0xF780, 0xF800)))
    name = "iso-8859-8" if encoding == "iso-8859-8-i" else encoding
    return _ASCII + upper_half(name).replace(NONE, _ERROR)
