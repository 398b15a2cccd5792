"""Many rows in one statement, in the way that each database takes fastest.

Takes tables and rows, gives statements and their parameters; owns nothing. SQLite gets the rows one by one from a
prepared statement. PostgreSQL gets an array for each column and makes rows of them (`unnest`): one round trip, and one
text of the statement, so that it is parsed and planned once.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, any_, bindparam, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite

#: A statement that inserts, to be told what to do about rows that exist.
Insert = sqlite.Insert | postgresql.Insert


@cache
def insert_into(table: Table, dialect: str) -> Any:
    """INSERT of all columns but the one that the database counts up; its parameters are made by `parameters`."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from storage.sql.arrays import ArrayOf, kind

    columns = _given(table)
    arrays = [cast(bindparam(each.name, type_=ArrayOf(kind(each).name)), ArrayOf(kind(each).name)) for each in columns]
    names = [each.name for each in columns]
    rows = func.unnest(*arrays).table_valued(*names).render_derived()
    return postgresql.insert(table).from_select(names, select(*(rows.c[name] for name in names)))


def parameters(table: Table, dialect: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    """What `insert_into` is executed with; rows have all columns of it."""
    if dialect == "sqlite":
        return rows
    from storage.sql.arrays import kind

    return {each.name: kind(each).array([row[each.name] for row in rows]) for each in _given(table)}


def among(column: Column[Any], dialect: str, values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a column has one of these values."""
    if dialect == "sqlite":
        return column.in_(values)
    from storage.sql.arrays import ArrayOf, kind

    its = kind(column)
    return column == any_(cast(bindparam("values", its.array(values), type_=ArrayOf(its.name)), ArrayOf(its.name)))


def _given(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column is not table.autoincrement_column]
