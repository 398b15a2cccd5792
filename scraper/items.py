"""Items as a spider may give them: each a dict that JSON can say, all of a page within bounds.

Takes what an extractor gives, gives it on with its JSON, or raises `NotJson` where it was given. A crawl and the test
of a spider look at items by this one rule. What JSON cannot say exactly is refused, not bent: bytes would become
base64, NaN null, the key 1 the key "1".
"""

import dataclasses
import math
import re
from collections.abc import Generator, Iterator
from typing import Any, NoReturn

import msgspec

from contract.codec import clean
from contract.errors import Refused
from contract.pages import Item

#: All items of a page together, as bytes of JSON. Bounds the message that carries them.
MAX_ITEMS_BYTES = 8 * 1024 * 1024
Given = Generator[tuple[str, dict[str, Any]], None, None]
_NUL = b"\\u0000"
_NO_WAY = re.compile(r"Encoding objects of type (\S+) is unsupported")
_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Item)


class NotJson(Refused):
    """Raised for an item that cannot be written as JSON; names the field."""


def checked(items: Given) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """Type, data and JSON of each item; raises `NotJson`, and whatever the user's functions raise."""
    room = MAX_ITEMS_BYTES
    for kind, data in items:
        try:
            encoded = as_json(Item(type=kind, data=data))
            room -= len(encoded)
            if room < 0:
                raise NotJson(f"the items of one page are more than {MAX_ITEMS_BYTES} bytes of JSON")
        except NotJson as error:
            _raise_there(items, error)
        yield kind, data, encoded


def _raise_there(items: Given, error: NotJson) -> NoReturn:
    """Have an error raised where the item was given, which is the line to be mended; other functions go on."""
    items.throw(error)
    for _ in items:
        pass
    raise error


def as_json(item: Item) -> bytes:
    """An item as JSON: dates and Decimals become text, sets lists, unsafe characters U+FFFD; raises `NotJson`."""
    try:
        encoded = _encoded(item)
        # The walk costs more than all else here, and few items need it: most come back as they were given.
        inexact = _decoder.decode(encoded).data != item.data and _inexact(item.data)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise NotJson(_blame(item, error)) from None
    if inexact:
        raise NotJson(_blame_inexact(item, inexact))
    return encoded


def _encoded(item: Item) -> bytes:
    try:
        encoded = _encoder.encode(item)
    except UnicodeEncodeError:
        return _encoder.encode(Item(type=item.type, data=clean(item.data)))
    return _encoder.encode(clean(msgspec.json.decode(encoded))) if _NUL in encoded else encoded


def _inexact(value: Any) -> str:
    """What in a value JSON has no word for, though its encoder finds one; empty if there is nothing of the kind."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if strange := [key for key in one if not isinstance(key, str)]:
                return f"there is the key {strange[0]!r} in it; make keys text"
            left.extend(one.values())
        elif isinstance(one, list | tuple | set | frozenset):
            left.extend(one)
        elif isinstance(one, float) and not math.isfinite(one):
            return f"there is {one} in it, which is no number of JSON; give None where there is none"
        elif isinstance(one, bytes | bytearray | memoryview):
            return f"there is a {type(one).__name__} in it; make it text, a number, a list or a dict"
        elif dataclasses.is_dataclass(one):
            left.extend(getattr(one, field.name) for field in dataclasses.fields(one))
        elif isinstance(one, msgspec.Struct):
            left.extend(getattr(one, name) for name in one.__struct_fields__)
    return ""


def _blame_inexact(item: Item, why: str) -> str:
    name = next((name for name, value in item.data.items() if isinstance(name, str) and _inexact(value)), None)
    where = "an item" if name is None else f"field {name!r}"
    return f"{item.type}: {where} cannot be written as JSON: {why}"


def _blame(item: Item, error: Exception) -> str:
    for name, value in item.data.items():
        try:
            _encoder.encode(value)
        except UnicodeEncodeError:
            continue
        except (TypeError, ValueError, OverflowError, RecursionError) as its_error:
            return f"{item.type}: field {name!r} cannot be written as JSON: {_why(its_error)}"
    return f"{item.type}: an item cannot be written as JSON: {_why(error)}"


def _why(error: Exception) -> str:
    found = _NO_WAY.fullmatch(str(error))
    return f"there is a {found[1]} in it; make it text, a number, a list or a dict" if found else str(error)
