"""Text → bytes, for every encoding of the Encoding Standard; it serves the queries of links and forms.

Takes text, an encoding's name and what to put for a character that the encoding lacks, gives bytes.
Source: https://encoding.spec.whatwg.org/
"""

from collections.abc import Callable, Iterator
from functools import cache

from scraper.characters.decoders import single_byte
from scraper.characters.indexes import index, range_pointer
from scraper.characters.labels import REPLACEMENT, UTF_16
from scraper.characters.units import KATAKANA, characters

#: Where Big5's index has a character twice, the first counts, but for these.
_BIG5_LAST = frozenset("═╞╡╪十卅")
#: Big5's sequences before this one are Hong Kong's, which are read and never written.
_BIG5_FIRST = b"\xa1"
#: Shift_JIS writes IBM's characters where IBM has them, not where NEC has some of them, too.
_SHIFT_JIS_NEC = range(8272, 8836)
#: gb18030 writes these private characters, which it reads otherwise by now.
_GB18030_PRIVATE = {
    **{chr(0xE78D + offset): bytes((0xA6, 0xD9 + offset)) for offset in range(7)},
    "\ue794": b"\xa6\xec",
    "\ue795": b"\xa6\xed",
    "\ue796": b"\xa6\xf3",
    "\ue81e": b"\xfe\x59",
    "\ue826": b"\xfe\x61",
    "\ue82b": b"\xfe\x66",
    "\ue82c": b"\xfe\x67",
    "\ue832": b"\xfe\x6d",
    "\ue843": b"\xfe\x7e",
    "\ue854": b"\xfe\x90",
    "\ue864": b"\xfe\xa0",
}
#: In Japanese encodings: characters that are written as others.
_JAPANESE = {"−": "－"}
_YEN = {"¥": b"\\", "‾": b"~"}
_KANJI, _ROMAN, _TO_ASCII = b"\x1b$B", b"\x1b(J", b"\x1b(B"

Unmappable = Callable[[str], bytes]


def encode(text: str, encoding: str, unmappable: Unmappable) -> bytes:
    """The text in an encoding; `unmappable` says what stands for a character that it has not."""
    if encoding in ("utf-8", REPLACEMENT, *UTF_16):
        return text.encode("utf-8", "replace")
    if encoding == "iso-2022-jp":
        return b"".join(_escaped(text, unmappable))
    table = _table(encoding)
    return b"".join(
        character.encode() if character < "\x80" else table.get(character) or _other(character, encoding, unmappable)
        for character in text
    )


def _other(character: str, encoding: str, unmappable: Unmappable) -> bytes:
    if encoding != "gb18030" or character == "\ue5e5" or "\ud800" <= character <= "\udfff":
        return unmappable(character)
    pointer = range_pointer(character)
    first, rest = divmod(pointer, 12_600)
    second, rest = divmod(rest, 1_260)
    return bytes((first + 0x81, second + 0x30, rest // 10 + 0x81, rest % 10 + 0x30))


@cache
def _table(encoding: str) -> dict[str, bytes]:
    if encoding in ("gbk", "gb18030"):
        table = _first(characters("gb18030")) | _GB18030_PRIVATE
        return table if encoding == "gbk" else table | {"€": b"\xa2\xe3"}
    if encoding == "big5":
        return _big5()
    if encoding == "euc-kr":
        return _first(characters(encoding))
    if encoding in ("euc-jp", "shift_jis"):
        return _japanese(encoding)
    upper = enumerate(single_byte(encoding)[0x80:], 0x80)
    return _first((bytes((byte,)), character) for byte, character in upper if character != "\ufffd")


def _first(pairs: Iterator[tuple[bytes, str]]) -> dict[str, bytes]:
    table: dict[str, bytes] = {}
    for unit, character in pairs:
        table.setdefault(character, unit)
    return table


def _big5() -> dict[str, bytes]:
    pairs = [(unit, character) for unit, character in characters("big5") if unit >= _BIG5_FIRST]
    last = {character: unit for unit, character in pairs if character in _BIG5_LAST}
    return _first(iter(pairs)) | last


def _japanese(encoding: str) -> dict[str, bytes]:
    if encoding == "shift_jis":
        nec = {(pointer // 188 + 0xC1 - (0x40 if pointer // 188 < 0x1F else 0)) for pointer in _SHIFT_JIS_NEC}
        private = range(0xE000, 0xF8FF)
        table = _first(
            (unit, character)
            for unit, character in characters(encoding)
            if not (len(unit) == 2 and unit[0] in nec) and ord(character) not in private
        )
    else:
        table = _first((unit, character) for unit, character in characters(encoding) if unit[0] != 0x8F)
    return table | {wrote: table[written] for wrote, written in _JAPANESE.items()} | _YEN


def _escaped(text: str, unmappable: Unmappable) -> Iterator[bytes]:
    """ISO-2022-JP: before each character, the escape to where it is written."""
    table, katakana, state = _table("euc-jp"), index("iso-2022-jp-katakana"), _TO_ASCII
    half = {character: katakana[number] for number, (_, character) in enumerate(KATAKANA)}
    for character in text:
        needed, written = _state_for(half.get(character, character), table, state)
        if written is None:
            written = unmappable("\ufffd" if character in "\x0e\x0f\x1b" else character)
        if needed != state:
            yield needed
            state = needed
        yield written
    if state != _TO_ASCII:
        yield _TO_ASCII


def _state_for(character: str, table: dict[str, bytes], state: bytes) -> tuple[bytes, bytes | None]:
    """The escape under which a character is written, and its bytes; None where it cannot be written."""
    if character in _YEN:
        return _ROMAN, _YEN[character]
    if character < "\x80":
        if character in "\x0e\x0f\x1b":
            return (_TO_ASCII if state == _KANJI else state), None
        return (_ROMAN if state == _ROMAN and character not in "\\~" else _TO_ASCII), character.encode()
    pair = table.get(character)
    if pair is None or pair[0] == 0x8E:
        return (_TO_ASCII if state == _KANJI else state), None
    return _KANJI, bytes(byte & 0x7F for byte in pair)
