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
_RUN = re.compile(rb"\x1b\$[@B]([\x21-\x7e]+)\x1b\(B(?!\x1b)")
#: What must not be left of a body when its runs are out, if it is to be as plain as that.
_NOT_PLAIN = (b"\x0e", b"\x0f", b"\x1b")
#: A run is read as EUC-JP, which has the same pairs with their high bits set.
_HIGH = bytes(byte | 0x80 for byte in range(256))
_UNIT = re.compile(rb"[\x21-\x7e][^\x1b]|.", re.DOTALL)
_ERROR = ERROR.encode()


def decode(body: bytes) -> str:
    """The text of a body."""
    if body.isascii():
        plain = _RUN.sub(_as_euc_jp, body)
        if not any(byte in plain for byte in _NOT_PLAIN):
            return DECODERS["euc-jp"].decode(plain)
    return _by_table(body)


def _as_euc_jp(run: re.Match[bytes]) -> bytes:
    # Half a pair at its end is left to the table, with the escapes that tell so.
    return run[0] if len(run[1]) % 2 else run[1].translate(_HIGH)


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
