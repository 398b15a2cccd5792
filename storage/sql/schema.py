"""The state of the tables: made where there are none, upgraded where they are old, refused where they are newer.

Takes a connection, for `make_current` that of the one writer there may be; owns `penstock_schema`, whose one row names
the revision. A database that is empty gets the tables as they are; Alembic, which takes a while to import, only carries
old ones over.
"""

import logging
from pathlib import Path
from types import ModuleType

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select

from contract.errors import Refused
from storage.sql import tables

log = logging.getLogger("storage.sql.schema")

#: Every revision there was, oldest first; each is a file in `migrations/versions/`.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
#: The tables that nothing else can be made from again.
RECORD = (tables.events, tables.bodies, tables.segments)
VERSION_TABLE = Table("penstock_schema", MetaData(), Column("version_num", String(32), primary_key=True))
_REVISION = VERSION_TABLE.c.version_num


def is_current(connection: Connection) -> bool:
    """Whether nothing is to be done. Raises `Refused` for a database of a newer Penstock."""
    names = _names(connection)
    return _revision(connection, names) == REVISIONS[-1] and names >= tables.metadata.tables.keys()


def is_empty(connection: Connection) -> bool:
    """Whether none of our tables is there."""
    return _names(connection).isdisjoint(tables.metadata.tables)


def make_current(connection: Connection) -> None:
    """Have all tables as this code knows them; raises `Refused` for a database that this code cannot use."""
    names = _names(connection)
    revision = _revision(connection, names)
    if revision is None and names.isdisjoint(tables.metadata.tables):
        tables.metadata.create_all(connection)
        return _stamp(connection, REVISIONS[-1])
    if revision is None:
        _check_is_first(connection, names)
        _stamp(connection, REVISIONS[0])
    if revision != REVISIONS[-1]:
        log.warning("upgrading the database; this may take a minute", extra={"action": "upgrade"})
        _upgrade(connection)
    return _add_read_models(connection)


def check_unchanged(connection: Connection) -> None:
    """Raise `Refused` where another Penstock has upgraded the tables since this process has looked at them."""
    revision = connection.execute(select(_REVISION)).scalar_one_or_none()
    if revision != REVISIONS[-1]:
        raise Refused(f"the database has become revision {revision}, and this Penstock writes {REVISIONS[-1]}; stop it")


def _names(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _revision(connection: Connection, names: set[str]) -> str | None:
    if VERSION_TABLE.name not in names:
        return None
    revision = connection.execute(select(_REVISION)).scalar_one_or_none()
    if revision is not None and revision not in REVISIONS:
        raise Refused(f"the database was written by a newer Penstock (revision {revision}); upgrade this one")
    return revision


def _stamp(connection: Connection, revision: str) -> None:
    VERSION_TABLE.create(connection, checkfirst=True)
    connection.execute(insert(VERSION_TABLE).values(version_num=revision))


def _check_is_first(connection: Connection, names: set[str]) -> None:
    """A database without a stamp is of the first revision, or not ours."""
    first: MetaData = _first_revision().metadata
    for table in first.sorted_tables:
        columns = {each["name"] for each in inspect(connection).get_columns(table.name)} if table.name in names else ()
        if columns != set(table.columns.keys()):
            raise Refused(
                f"the database has tables that are not Penstock's ({table.name} is not what it should be); "
                "choose another database, or another folder with --data"
            )


def _first_revision() -> ModuleType:
    from storage.migrations.versions import v0001_tables

    return v0001_tables


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _add_read_models(connection: Connection) -> None:
    """A read model that an older version did not have begins empty."""
    names = _names(connection)
    missing = [table for table in tables.metadata.sorted_tables if table.name not in names]
    for table in missing:
        if table in RECORD:
            raise Refused(f"the database has lost its table {table.name}; restore a backup, or choose another database")
        if table is tables.recorders:
            continue  # which tells the same by being empty as by being away
        log.warning("%s is a read model that begins empty; fill it: penstock rebuild", table.name,
                    extra={"action": "read_model_added"})  # fmt: skip
    tables.metadata.create_all(connection, missing)
