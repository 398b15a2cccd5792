"""Cursors: the place of the last row of a page, as a word that means nothing to whoever keeps it.

Base64 of JSON. One that was not made here, or that belongs to another listing, is a problem of the field `cursor`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, TypeVar

import msgspec
from fastapi import Query

from penstock.api.problems import Trouble

T = TypeVar("T")

#: Rows of a page unless asked for otherwise, and at most.
DEFAULT_LIMIT, MOST_ROWS = 100, 1_000
#: Longer than any cursor of ours: a place is a time and a digest, or the longest host.
_LONGEST = 4_000

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows of a page.")]
Cursor = Annotated[
    str | None, Query(max_length=_LONGEST, description="`next` of the page before; without one, the first page.")
]


def cursor_of(place: object) -> str:
    """The cursor for a place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str | None, kind: type[T]) -> T | None:
    """The place that a cursor stands for, None without one; raises `Trouble` for what is no cursor of this kind."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(raw, type=kind)
        if "\\u0000" in raw.decode():  # PostgreSQL knows no such text
            raise ValueError
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise Trouble(422, "cursor: not a cursor of this listing", word="invalid", field="cursor") from None
    return place
