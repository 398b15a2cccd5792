"""Columns of many rows as PostgreSQL's binary arrays: one parameter for a column, whatever the number of rows.

Takes values of a column's type, gives `Array`s that psycopg sends as they are. psycopg makes arrays of lists too, but
asks each value what it is: 30 µs for a row of `pages`, which takes 8 here.
Source: PostgreSQL's array_send and the send functions of the element types (`src/backend/utils/adt`).
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from psycopg import pq
from psycopg.adapt import AdaptersMap, Dumper, PyFormat
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, Text
from sqlalchemy.types import TypeEngine, UserDefinedType

_NULL = b"\xff\xff\xff\xff"
_length = struct.Struct("!i").pack
#: One dimension, NULLs allowed, the element's type, the number of elements, the first one is number 1.
_head = struct.Struct("!iiIii").pack


class Array(msgspec.Struct, frozen=True):
    """An array as it goes over the wire; `oid` is that of its type."""

    oid: int
    data: bytes

    def __repr__(self) -> str:
        return f"<Array of type {self.oid}, {len(self.data)} bytes>"


class Kind(msgspec.Struct, frozen=True):
    """A type of elements: its name and numbers in PostgreSQL, and what makes the parts of an array of values."""

    name: str
    oid: int
    array_oid: int
    parts: Callable[[Sequence[Any]], list[bytes]]

    def array(self, values: Sequence[Any]) -> Array:
        """The values, some of which may be None, as one array; raises OverflowError for a number that is too large."""
        try:
            parts = self.parts(values)
        except struct.error as error:
            raise OverflowError(f"no {self.name}: {error}") from None
        return Array(self.array_oid, _head(1, 1, self.oid, len(values), 1) + b"".join(parts))


def kind(column: Column[Any]) -> Kind:
    """What the values of this column are."""
    return next(found for known, found in _KINDS if isinstance(column.type, known))


class ArrayOf(UserDefinedType[Any]):
    """An array's type, as SQLAlchemy spells it."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """The type in SQL."""
        return f"{self.name}[]"


def register(adapters: AdaptersMap) -> None:
    """Have a connection of psycopg send arrays."""
    adapters.register_dumper(Array, _Dumper)


class _Dumper(Dumper):
    format = pq.Format.BINARY

    def get_key(self, obj: Array, format: PyFormat) -> Any:
        return (Array, obj.oid)

    def upgrade(self, obj: Array, format: PyFormat) -> "_Dumper":
        made = _Dumper(Array)
        made.oid = obj.oid
        return made

    def dump(self, obj: Array) -> bytes:
        return obj.data


def _bytes(values: Sequence[bytes | None]) -> list[bytes]:
    return [_NULL if value is None else _length(len(value)) + value for value in values]


def _texts(values: Sequence[str | None]) -> list[bytes]:
    return _bytes([None if value is None else value.encode() for value in values])


def _fixed(format: str) -> Callable[[Sequence[Any]], list[bytes]]:
    size, pack = struct.calcsize("!" + format), struct.Struct("!i" + format).pack
    return lambda values: [_NULL if value is None else pack(size, value) for value in values]


#: The more special type first. The numbers are those of `pg_type`, and the same in every database.
_KINDS: Sequence[tuple[type[TypeEngine[Any]], Kind]] = (
    (LargeBinary, Kind("BYTEA", 17, 1001, _bytes)),
    (Text, Kind("TEXT", 25, 1009, _texts)),
    (BigInteger, Kind("BIGINT", 20, 1016, _fixed("q"))),
    (Boolean, Kind("BOOLEAN", 16, 1000, _fixed("?"))),
    (Integer, Kind("INTEGER", 23, 1007, _fixed("i"))),
    (Float, Kind("FLOAT8", 701, 1022, _fixed("d"))),
)
