"""JSON-LD blocks of a page.

Takes the texts of its scripts, gives the objects in them and what went wrong. Pages are generous with invalid JSON, so
a block that cannot be read is skipped and said, never an error of the page.
"""

import json
from collections.abc import Iterable
from typing import Any

from contract.codec import clean

#: Longer blocks are skipped, and all blocks of a page together are bounded by four of these.
MAX_BLOCK_CHARS = 500_000
_MAX_CHARS = 4 * MAX_BLOCK_CHARS
#: Deeper objects are skipped: no vocabulary needs them, and readers of JSON have stacks.
MAX_DEPTH = 100
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
            value = _read(text)
        except RecursionError:
            flags["jsonld_too_deep"] = None
        except ValueError:
            flags["jsonld_invalid"] = None
        else:
            found.extend(value if isinstance(value, list) else [value])
    return found, list(flags)


def _read(text: str) -> Any:
    # strict=False: line breaks within strings are common. NaN and infinities are no JSON, so they become null.
    value = json.loads(text, strict=False, parse_constant=lambda _: None, parse_int=_integer)
    if _depth(value) > MAX_DEPTH:
        raise RecursionError
    return clean(value)


def _integer(digits: str) -> int | float:
    number = int(digits) if len(digits) < 20 else float(digits)
    return number if abs(number) < _MAX_INTEGER else float(number)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [child for one in level for child in _children(one)]:
        depth += 1
        if depth > MAX_DEPTH:
            break
    return depth


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
