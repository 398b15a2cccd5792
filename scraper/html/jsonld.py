"""JSON-LD blocks of a page.

Takes the texts of its scripts, gives the objects in them and what went wrong. Pages are generous with invalid JSON, so
a block that cannot be read is skipped and said, never an error of the page. What wraps JSON (comments, CDATA marks,
a byte order mark), what is one too many (a comma, a semicolon) and several values in one block are no hindrance.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any

from contract.codec import clean

#: Longer blocks are skipped, and all blocks of a page together are bounded by four of these.
MAX_BLOCK_CHARS = 500_000
_MAX_CHARS = 4 * MAX_BLOCK_CHARS
#: Deeper objects are skipped: no vocabulary needs them, and readers of JSON have stacks.
MAX_DEPTH = 100
_STRING = r'("[^"\\]*(?:\\.[^"\\]*)*")'
_WRAPPING = re.compile(
    _STRING + r"|(?:/\*|//)?[ \t]*<!\[CDATA\[(?:\s*\*/)?|(?:/\*|//)?[ \t]*\]\]>(?:\s*\*/)?|<!--|(?://[ \t]*)?-->"
    r"|/\*.*?\*/|//[^\n]*|[\0\u00a0\u200b\u2028\u2029\ufeff]",
    re.DOTALL,
)
_TRAILING_COMMA = re.compile(_STRING + r"|,(?=\s*[}\],])", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BETWEEN = re.compile(r"[\s,;\ufeff]*")
#: What JSON writers can write as a number.
_MAX_INTEGER = 2**63


def read_jsonld(texts: Iterable[str]) -> tuple[list[Any], list[str]]:
    """The objects in these texts, and flags: `jsonld_invalid`, `jsonld_too_large`, `jsonld_too_deep`."""
    found: list[Any] = []
    flags: dict[str, None] = {}
    room = _MAX_CHARS
    for text in texts:
        room -= len(text)
        if len(text) > MAX_BLOCK_CHARS or room < 0:
            flags["jsonld_too_large"] = None
            continue
        try:
            found.extend(_objects(_values(text)))
        except RecursionError:
            flags["jsonld_too_deep"] = None
        except NotRead as error:
            found.extend(_objects(error.before))
            flags["jsonld_invalid"] = None
    return found, list(flags)


class NotRead(ValueError):
    """Raised for what is no JSON however it is taken; holds the values before it."""

    def __init__(self, before: list[Any]) -> None:
        super().__init__("no JSON")
        self.before = before


def _values(text: str) -> list[Any]:
    try:
        # strict=False: line breaks within strings are common.
        return [_checked(_decoder.decode(text))]
    except json.JSONDecodeError:
        return _one_by_one(_without_wrapping(text))


def _one_by_one(text: str) -> list[Any]:
    """Values one behind the other, as some pages have them, with or without something between."""
    values: list[Any] = []
    at = _BETWEEN.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        try:
            value, at = _decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            raise NotRead(values) from None
        values.append(_checked(value))
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
    if not values:
        raise NotRead(values)
    return values


def _without_wrapping(text: str) -> str:
    if '"' not in text:
        text = unescape(text)
    return _TRAILING_COMMA.sub(_string_or_nothing, _WRAPPING.sub(_string_or_nothing, text))


def _string_or_nothing(found: re.Match[str]) -> str:
    # A backslash before a letter that needs none is JavaScript.
    return _ESCAPE.sub(lambda one: one[0] if one[1] in '"\\/bfnrtu' else one[1], found[1]) if found[1] else " "


def _checked(value: Any) -> Any:
    if _depth(value) > MAX_DEPTH:
        raise RecursionError
    return clean(value)


def _objects(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """The objects among the values, and in lists of them; a text or a number says nothing."""
    for value in values:
        if isinstance(value, dict):
            yield value
        elif isinstance(value, list):
            yield from _objects(value)


def _nothing(word: str) -> None:
    """NaN and infinities are no JSON, so they become null."""


def _integer(digits: str) -> int | float | None:
    """Of more than 300 digits is what no float holds."""
    number = int(digits) if len(digits) < 20 else _real(digits)
    return number if number is None or abs(number) < _MAX_INTEGER else float(number)


def _real(digits: str) -> float | None:
    """`1e999` is an infinity too."""
    number = float(digits)
    return number if math.isfinite(number) else None


_decoder = json.JSONDecoder(strict=False, parse_constant=_nothing, parse_int=_integer, parse_float=_real)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [child for one in level for child in _children(one)]:
        depth += 1
        if depth > MAX_DEPTH:
            break
    return depth


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
