"""The byte sequences of the Chinese, Japanese and Korean encodings, each with its character.

Takes the indexes, gives `units(name)`: a table made when it is first asked for (about 10 ms and 4 MB), from which both
decoders and encoders read. Source: https://encoding.spec.whatwg.org/#indexes
"""

from collections.abc import Iterator
from functools import cache

from scraper.characters.indexes import NONE, index, of_range

_ERROR = "\ufffd".encode()
#: Two of Big5's sequences in each of two rows mean two characters, and so are in no index.
_BIG5_PAIRS = {1133: "\u00ca\u0304", 1135: "\u00ca\u030c", 1164: "\u00ea\u0304", 1166: "\u00ea\u030c"}
#: Pointers of Shift_JIS that mean private characters, as Windows has them from U+E000 on.
_SHIFT_JIS_PRIVATE = range(8836, 10716)
#: Half-width katakana, from U+FF61 to U+FF9F, are the single bytes of Shift_JIS from A1 on.
KATAKANA = tuple((0xA1 + offset, chr(0xFF61 + offset)) for offset in range(63))


class Units(dict[bytes, bytes]):
    """The sequences of an encoding, each with its character in UTF-8; asked for others, what an error there gives."""

    def __missing__(self, unit: bytes) -> bytes:
        if len(unit) == 4:
            character = of_range(_four_pointer(unit))
            return character.encode() if character else _ERROR
        # An ASCII byte at the end is no part of the error: it may be a quote or a bracket.
        return _ERROR + unit[-1:] if len(unit) > 1 and unit[-1] < 0x80 else _ERROR


def _four_pointer(unit: bytes) -> int:
    first, second, third, fourth = unit
    return ((first - 0x81) * 10 + second - 0x30) * 1260 + (third - 0x81) * 10 + fourth - 0x30


@cache
def units(name: str) -> Units:
    """The table of an encoding."""
    return Units((unit, character.encode()) for unit, character in characters(name))


def characters(name: str) -> Iterator[tuple[bytes, str]]:
    """All sequences of an encoding above 7F, but the four-byte ones of gb18030, by pointer, each with its character."""
    yield from _SINGLES.get(name, ())
    for pointer, character in enumerate(index(_INDEXES.get(name, name))):
        if character != NONE and (unit := _TWO_BYTES[name](pointer)):
            yield unit, character
    if name == "big5":
        yield from ((_big5(pointer), pair) for pointer, pair in _BIG5_PAIRS.items())
    elif name == "shift_jis":
        yield from ((_shift_jis(pointer), chr(0xE000 + i)) for i, pointer in enumerate(_SHIFT_JIS_PRIVATE))
    elif name == "euc-jp":
        found = enumerate(index("jis0212"))
        yield from ((b"\x8f" + _euc_jp(pointer), character) for pointer, character in found if character != NONE)


def _big5(pointer: int) -> bytes:
    lead, trail = divmod(pointer, 157)
    return bytes((lead + 0x81, trail + (0x40 if trail < 0x3F else 0x62)))


def _euc_kr(pointer: int) -> bytes:
    lead, trail = divmod(pointer, 190)
    return bytes((lead + 0x81, trail + 0x41))


def _gb18030(pointer: int) -> bytes:
    lead, trail = divmod(pointer, 190)
    return bytes((lead + 0x81, trail + (0x40 if trail < 0x3F else 0x41)))


def _shift_jis(pointer: int) -> bytes:
    lead, trail = divmod(pointer, 188)
    return bytes((lead + (0x81 if lead < 0x1F else 0xC1), trail + (0x40 if trail < 0x3F else 0x41)))


def _euc_jp(pointer: int) -> bytes:
    # The index goes further than two bytes of this encoding can say.
    return bytes((pointer // 94 + 0xA1, pointer % 94 + 0xA1)) if pointer < 94 * 94 else b""


_INDEXES = {"shift_jis": "jis0208", "euc-jp": "jis0208"}
_TWO_BYTES = {"big5": _big5, "euc-kr": _euc_kr, "gb18030": _gb18030, "shift_jis": _shift_jis, "euc-jp": _euc_jp}
_SINGLES: dict[str, tuple[tuple[bytes, str], ...]] = {
    "gb18030": ((b"\x80", "€"),),
    "shift_jis": ((b"\x80", "\x80"), *((bytes((byte,)), character) for byte, character in KATAKANA)),
    "euc-jp": tuple((bytes((0x8E, byte)), character) for byte, character in KATAKANA),
}
