"""Rows to fold into: load those of some keys, save them changed."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, select

from storage.sql import bulk
from storage.store.event_store import chunks

Row = dict[str, Any]


def load(connection: Connection, table: Table, keys: Sequence[Any]) -> dict[Any, Row]:
    """The rows of these keys that exist, by key; `table` has a primary key of one column."""
    [key] = table.primary_key.columns
    found: dict[Any, Row] = {}
    for some in chunks(keys):
        wanted = bulk.among(key, connection.dialect.name, some)
        for row in connection.execute(select(table).where(wanted)).mappings():
            found[row[key]] = dict(row)
    return found


def save(connection: Connection, table: Table, rows: Mapping[Any, Row]) -> None:
    """Write whole rows, whether they exist or not."""
    _write(connection, table, [rows[key] for key in sorted(rows)], _upsert(table, connection.dialect.name))


def add(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows that never change; those that exist stay."""
    _write(connection, table, rows, _adding(table, connection.dialect.name))


def sum_up(connection: Connection, table: Table, rows: Sequence[Row], *, columns: tuple[str, ...]) -> None:
    """Add to these columns of rows, which begin at 0."""
    _write(connection, table, rows, _summing(table, connection.dialect.name, columns))


def columns(table: Table, *, besides: Iterable[str] = ()) -> Row:
    """A row with nothing in it."""
    return {column.name: None for column in table.columns if column.name not in besides}


def _write(connection: Connection, table: Table, rows: Sequence[Row], statement: Any) -> None:
    if rows:
        connection.execute(statement, bulk.parameters(table, connection.dialect.name, rows))


@cache
def _upsert(table: Table, dialect: str) -> Any:
    statement, keys = bulk.insert_into(table, dialect), [column.name for column in table.primary_key.columns]
    changes = {each.name: statement.excluded[each.name] for each in table.columns if each.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


@cache
def _adding(table: Table, dialect: str) -> Any:
    return bulk.insert_into(table, dialect).on_conflict_do_nothing()


@cache
def _summing(table: Table, dialect: str, columns: tuple[str, ...]) -> Any:
    statement, keys = bulk.insert_into(table, dialect), [each.name for each in table.primary_key.columns]
    changes = {name: table.c[name] + statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)
