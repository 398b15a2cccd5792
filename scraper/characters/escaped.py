"""The decoder of ISO-2022-JP, whose escape sequences say how the bytes behind them are read.

Source: https://encoding.spec.whatwg.org/#iso-2022-jp-decoder
"""

import codecs
import re
from functools import cache

from scraper.characters.indexes import NONE, index
from scraper.characters.multi_byte import DECODERS, ERROR

_ESCAPE = re.compile(rb"\x1b(\([BJI]|\$[@B])")
#: A plain run of Japanese between ASCII, as nearly all text has it. An escape right behind another would be an error.
_RUN = re.compile(rb"\x1b\$[@B]((?:[\x21-\x7e]{2})+)\x1b\(B(?!\x1b)")
#: What must not be left of a body when its runs are out, if it is to be as plain as that.
_NOT_PLAIN = re.compile(rb"[\x0e\x0f\x1b\x80-\xff]")
#: A run is read as EUC-JP, which has the same pairs with their high bits set.
_HIGH = bytes(byte | 0x80 for byte in range(256))
_UNIT = re.compile(rb"[\x21-\x7e][^\x1b]|.", re.DOTALL)
_ERROR = ERROR.encode()


def decode(body: bytes) -> str:
    """The text of a body."""
    plain = _RUN.sub(b"", body)
    if _NOT_PLAIN.search(plain) or not body.isascii():
        return _by_table(body)
    return DECODERS["euc-jp"].decode(_RUN.sub(lambda found: found[1].translate(_HIGH), body))


def _by_table(body: bytes) -> str:
    escape, *parts = b"(B", *_ESCAPE.split(body)
    read = [_read(parts[0], escape)]
    for number in range(1, len(parts), 2):
        between = parts[number + 1]
        last = number + 2 >= len(parts)
        read.append(_read(between, parts[number]))
        if not between and not last:
            # Two escapes with nothing between: so that nobody can hide a character from a filter by them.
            read.append(ERROR)
    return "".join(read)


def _read(part: bytes, escape: bytes) -> str:
    if escape[:1] == b"$":
        table = _pairs()
        return _UNIT.sub(lambda found: table.get(found[0], _ERROR), part).decode()
    return codecs.charmap_decode(part, "strict", _single(escape))[0]


@cache
def _pairs() -> dict[bytes, bytes]:
    pairs = enumerate(index("jis0208")[: 94 * 94])
    return {
        bytes((pointer // 94 + 0x21, pointer % 94 + 0x21)): character.encode()
        for pointer, character in pairs
        if character != NONE
    }


@cache
def _single(escape: bytes) -> str:
    """The characters of single bytes behind an escape."""
    if escape == b"(I":
        return "".join(chr(0xFF61 - 0x21 + byte) if 0x21 <= byte <= 0x5F else ERROR for byte in range(256))
    wrong = (0x0E, 0x0F, 0x1B)
    ascii = [chr(byte) if byte < 0x80 and byte not in wrong else ERROR for byte in range(256)]
    if escape == b"(J":
        ascii[0x5C], ascii[0x7E] = "¥", "‾"
    return "".join(ascii)
