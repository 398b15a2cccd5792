"""Rows to fold into: load those of some keys, save them changed."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.event_store import chunks

Row = dict[str, Any]


def load(connection: Connection, table: Table, keys: Sequence[Any]) -> dict[Any, Row]:
    """The rows of these keys that exist, by key; `table` has a primary key of one column."""
    [key] = table.primary_key.columns
    found: dict[Any, Row] = {}
    for some in chunks(keys):
        for row in connection.execute(select(table).where(key.in_(some))).mappings():
            found[row[key]] = dict(row)
    return found


def save(connection: Connection, table: Table, rows: Mapping[Any, Row]) -> None:
    """Write whole rows, whether they exist or not."""
    if rows:
        connection.execute(_upsert(table, connection.dialect.name), [rows[key] for key in sorted(rows)])


def add(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows that never change; those that exist stay."""
    if rows:
        connection.execute(_insert(table, connection.dialect.name).on_conflict_do_nothing(), rows)


def sum_up(connection: Connection, table: Table, rows: Sequence[Row], *, columns: tuple[str, ...]) -> None:
    """Add to these columns of rows, which begin at 0."""
    if rows:
        connection.execute(_adding(table, connection.dialect.name, columns), rows)


def columns(table: Table, *, besides: Iterable[str] = ()) -> Row:
    """A row with nothing in it."""
    return {column.name: None for column in table.columns if column.name not in besides}


@cache
def _upsert(table: Table, dialect: str) -> Any:
    statement, keys = _insert(table, dialect), [column.name for column in table.primary_key.columns]
    changes = {name: statement.excluded[name] for name in [column.name for column in table.columns] if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


@cache
def _adding(table: Table, dialect: str, columns: tuple[str, ...]) -> Any:
    statement, keys = _insert(table, dialect), [each.name for each in table.primary_key.columns]
    changes = {name: table.c[name] + statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


def _insert(table: Table, dialect: str) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
