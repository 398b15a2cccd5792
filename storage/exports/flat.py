"""Items as a table: one column for each field of their data, for spreadsheets and SQL.

Takes a way to read the items again, gives columns and rows. The items are read twice, for nobody knows the columns
before the last item, and none is kept: memory holds the columns alone.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from contract.errors import Refused
from storage.exports.parquet import typed
from storage.read_models.columns import column_names

#: Columns that every table of items begins with.
FIXED = ("type", "crawl", "url", "fetched_at")
#: Columns that a table may have. Items that are dictionaries by some id would make one column of each.
MAX_COLUMNS = 2_000
_BIGGEST = 2**63
_NUMBERS = {"BIGINT", "DOUBLE"}


class Table(msgspec.Struct, frozen=True):
    """Column and type of each field, FIXED before them; types are SQL's, for Parquet."""

    columns: dict[str, str]
    rows: Iterator[dict[str, Any]]


def table_of(read: Callable[[], Iterator[Mapping[str, Any]]]) -> Table:
    """The table of what `read` gives; raises `Refused` for too many fields."""
    kinds: dict[str, set[str]] = {}
    for item in read():
        for field, value in item["data"].items():
            kinds.setdefault(field, set()).update(_kind(value))
        if len(kinds) > MAX_COLUMNS:
            raise Refused(f"the items have more than {MAX_COLUMNS:,} different fields; write them without --flat")
    names = column_names(kinds, fixed=FIXED)
    columns = typed(FIXED) | {names[field]: _type(kinds[field]) for field in kinds}
    return Table(columns, _rows(read(), names))


def _kind(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, bool):
        return ("BOOLEAN",)
    if isinstance(value, int):
        return ("BIGINT" if -_BIGGEST <= value < _BIGGEST else "VARCHAR",)
    return ("DOUBLE" if isinstance(value, float) else "JSON" if isinstance(value, dict | list) else "VARCHAR",)


def _type(kinds: set[str]) -> str:
    if kinds and kinds <= _NUMBERS:
        return "DOUBLE" if "DOUBLE" in kinds else "BIGINT"
    return next(iter(kinds)) if len(kinds) == 1 else "VARCHAR"


def _rows(items: Iterator[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for item in items:
        data = item["data"]
        if unknown := [field for field in data if field not in names]:
            raise Refused(f"items with a further field, {unknown[0]!r}, were recorded meanwhile; write them again")
        yield {name: item[name] for name in FIXED} | {name: data.get(field) for field, name in names.items()}
