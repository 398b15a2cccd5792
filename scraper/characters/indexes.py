"""The index tables of the Encoding Standard, as published.

Gives the code points by pointer of its large indexes, the upper halves of its single-byte encodings, and the ranges of
gb18030's four-byte sequences. Read from `indexes.bin` when one is first asked for; `tools/encoding_indexes.py` makes
that file. Source: https://encoding.spec.whatwg.org/#indexes
"""

import bisect
import zlib
from functools import cache
from itertools import accumulate
from pathlib import Path

import msgspec

#: What stands for a pointer without a code point; no index has U+0000.
NONE = "\0"
_PATH = Path(__file__).with_name("indexes.bin")
#: Four-byte sequences of gb18030 that mean nothing: those from the first to before the second, and from the third on.
_NO_RANGE = (39_420, 189_000, 1_237_576)
#: The one pointer that the ranges do not tell, and its code point.
_ODD_POINTER, _ODD_POINT = 7_457, 0xE7C7


class _Content(msgspec.Struct, frozen=True):
    identifiers: dict[str, str]
    large: dict[str, bytes]
    small: dict[str, str]
    ranges: list[tuple[int, int]]


@cache
def _content() -> _Content:
    return msgspec.msgpack.decode(zlib.decompress(_PATH.read_bytes()), type=_Content)


@cache
def index(name: str) -> str:
    """The characters of an index by pointer, `NONE` where it has none."""
    if name not in _content().large:
        return _content().small[name]
    planes = _content().large[name]
    third = len(planes) // 3
    parts = zip(planes[:third], planes[third : 2 * third], planes[2 * third :], strict=True)
    differences = (high << 16 | middle << 8 | low for high, middle, low in parts)
    return "".join(chr(point & 0xFFFFFF) for point in accumulate(differences))


def upper_half(name: str) -> str:
    """The 128 characters of bytes 80 to FF in a single-byte encoding, `NONE` where it has none."""
    return index(name).ljust(128, NONE)


def of_range(pointer: int) -> str | None:
    """The character of a four-byte pointer of gb18030."""
    first, last, end = _NO_RANGE
    if first <= pointer < last or pointer >= end:
        return None
    if pointer == _ODD_POINTER:
        return chr(_ODD_POINT)
    offset, point = _content().ranges[bisect.bisect(_content().ranges, pointer, key=lambda entry: entry[0]) - 1]
    return chr(point + pointer - offset)


def range_pointer(character: str) -> int:
    """The four-byte pointer of a character that gb18030 has in no shorter form."""
    point = ord(character)
    if point == _ODD_POINT:
        return _ODD_POINTER
    pointer, offset = _content().ranges[bisect.bisect(_content().ranges, point, key=lambda entry: entry[1]) - 1]
    return pointer + point - offset


def identifiers() -> dict[str, str]:
    """What the standard calls the state of each index: a hash that changes with it."""
    return dict(_content().identifiers)
