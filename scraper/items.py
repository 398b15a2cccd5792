"""Items as a spider may give them: each a dict that JSON can say, all of a page within bounds.

Takes what an extractor gives, gives it on with its JSON, or raises `NotJson` where it was given. A crawl and the test
of a spider look at items by this one rule.
"""

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
_encoder = msgspec.json.Encoder()


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
    """An item as JSON: dates become text, sets lists, NaN null, unsafe characters U+FFFD; raises `NotJson`."""
    try:
        encoded = _encoder.encode(item)
        return _encoder.encode(clean(msgspec.json.decode(encoded))) if _NUL in encoded else encoded
    except UnicodeEncodeError:
        return _encoder.encode(Item(type=item.type, data=clean(item.data)))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise NotJson(_blame(item, error)) from None


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
