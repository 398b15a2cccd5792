"""A view in SQL for each type of item: `items_book` has the url, the times and a column for each field.

Takes an engine; owns the views that bear its mark, and leaves others alone. They hold nothing, so they are always as
true as the tables below them; made anew when a crawl ends, for only then are its fields known.
"""

import json
import logging
from collections.abc import Iterable

from sqlalchemy import Connection, Engine, select, text

from storage.read_models.columns import column_names
from storage.sql import tables
from storage.sql.database import writing

log = logging.getLogger("storage.read_models.item_views")

#: What a view of ours begins with, after which it may be replaced.
MARK = "/* made by Penstock */"
#: Columns that each of them has, with where they come from.
_FIXED = {
    "url": "page.url",
    "crawl": "item.crawl",
    "crawl_name": "crawl.name",
    "fetched_at": "page.settled_at",
    "parsed_at": "page.parsed_at",
    "data": "item.data",
}
#: Items of a type that are looked at for their fields, and fields of it that have columns.
_LOOKED_AT, _MOST_COLUMNS = 1_000, 200
#: PostgreSQL cuts longer names off.
_LONGEST_NAME = 63


def refresh(engine: Engine) -> list[str]:
    """Have a view for each type of item that is recorded; returns their names."""
    item = tables.items.c
    with engine.connect() as connection:
        types = connection.execute(select(item.type).distinct().order_by(item.type)).scalars().all()
        wanted = {f"items_{type}": _statement(connection, type, _fields(connection, type)) for type in types}
    made = []
    with writing(engine) as connection:
        for name, body in wanted.items():
            if len(name.encode()) <= _LONGEST_NAME and _is_free(connection, name):
                connection.execute(text(f"DROP VIEW IF EXISTS {_quoted(name)}"))
                connection.exec_driver_sql(_for_driver(connection, f"CREATE VIEW {_quoted(name)} AS {body}"))
                _mark(connection, name)
                made.append(name)
    return made


def _for_driver(connection: Connection, statement: str) -> str:
    # PostgreSQL's driver takes a percent sign for the place of a value, SQLite's for itself.
    return statement if connection.dialect.name == "sqlite" else statement.replace("%", "%%")


def _fields(connection: Connection, type: str) -> list[str]:
    query = select(tables.items.c.data).where(tables.items.c.type == type).limit(_LOOKED_AT)
    fields: dict[str, None] = {}
    for data in connection.execute(query).scalars():
        fields.update(dict.fromkeys(json.loads(data)))
    return list(fields)[:_MOST_COLUMNS]


def _statement(connection: Connection, type: str, fields: Iterable[str]) -> str:
    names = column_names([field for field in fields if not set(field) & set('"\\\0')], fixed=_FIXED)
    own = {name: source for name, source in _FIXED.items() if name != "data"}
    columns = [f"{source} AS {name}" for name, source in own.items()]
    columns += [
        f"{_value(connection, field)} AS {_quoted(name)}"
        for field, name in names.items()
        if len(name.encode()) <= _LONGEST_NAME
    ]
    return (
        f"{MARK} SELECT {', '.join(columns)}, item.data AS data FROM items item "
        "JOIN pages page ON page.key = item.page AND page.parsed_event = item.event "
        f"LEFT JOIN crawls crawl ON crawl.id = item.crawl WHERE item.type = {_text(type)}"
    )


def _value(connection: Connection, field: str) -> str:
    if connection.dialect.name == "sqlite":
        path = f'$."{field}"'
        return f"json_extract(item.data, {_text(path)})"
    return f"(item.data::jsonb ->> {_text(field)})"


def _is_free(connection: Connection, name: str) -> bool:
    """Whether nobody else has a table or view of this name."""
    if connection.dialect.name == "sqlite":
        query = text("SELECT sql FROM sqlite_master WHERE name = :name")
    else:
        found_as = "to_regclass(quote_ident(:name))"
        query = text(f"SELECT coalesce(obj_description({found_as}), '') WHERE {found_as} IS NOT NULL")
    found = connection.execute(query, {"name": name}).scalar_one_or_none()
    if found is not None and MARK not in found:
        log.warning("%s is somebody else's: no view of these items is made", name, extra={"action": "view_taken"})
        return False
    return True


def _mark(connection: Connection, name: str) -> None:
    # SQLite keeps the statement as it was written, PostgreSQL only what it means.
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"COMMENT ON VIEW {_quoted(name)} IS {_text(MARK)}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
