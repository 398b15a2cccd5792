"""Event store → read models, from the beginning: what can be lost by a fault in a projection can be had again.

The events are folded into tables of this connection alone (SQLite's and PostgreSQL's temporary ones), while everybody
reads the old models and a recorder goes on. At the end, one transaction of the one writer folds what was recorded in
the meantime and puts the new rows in the place of the old. So no reader ever sees half a model, a rebuild that is
killed leaves nothing behind, and two of them do the same thing twice.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable, DropTable

from contract.errors import Refused
from storage.read_models.fold import PROJECTIONS, Projection
from storage.sql import tables
from storage.store import event_store
from storage.store.event_store import Stored

#: Events folded in one transaction; they and the rows that they touch lie in memory.
EVENTS_A_TRANSACTION = 1_000
#: Where each database keeps a connection's own tables.
_OWN = {"sqlite": "temp", "postgresql": "pg_temp"}
#: KiB of SQLite's memory for them; what does not fit lies in a file that nobody else sees.
_CACHE_KIB = 65_536

#: Called with the number of events folded, and how many there are by now.
OnProgress = Callable[[int, int], None]


def rebuild(engine: Engine, model: str | None = None, *, on_progress: OnProgress = lambda done, total: None) -> int:
    """Make a read model anew, or all; returns the number of events. Raises `Refused` for a model that is unknown."""
    chosen = chosen_projections(model)
    with _own_tables(engine, chosen) as connection:
        position, done = 0, 0
        for batch in _batches(engine, after=0):
            with connection.begin():
                _fold(connection, chosen, batch)
            position, done = batch[-1].position, done + len(batch)
            on_progress(done, done + _left(engine, position))
        done += _swap(connection, chosen, after=position)
    on_progress(done, done)
    return done


def chosen_projections(model: str | None) -> list[Projection]:
    """The projections of this name, or all; raises `Refused` with the names there are."""
    if model is None:
        return list(PROJECTIONS.values())
    if model not in PROJECTIONS:
        raise Refused(f"no read model {model!r}; there are: {', '.join(PROJECTIONS)}")
    return [PROJECTIONS[model]]


@contextlib.contextmanager
def _own_tables(engine: Engine, chosen: Sequence[Projection]) -> Iterator[Connection]:
    """A connection to which the projections' tables are empty ones of its own."""
    with engine.connect() as connection:
        connection.execution_options(schema_translate_map={None: _OWN[engine.dialect.name]})
        try:
            with connection.begin():
                if engine.dialect.name == "sqlite":
                    connection.exec_driver_sql(f"PRAGMA temp.cache_size=-{_CACHE_KIB}")
                for table in _tables(chosen):
                    connection.execute(CreateTable(table))
            yield connection
        finally:
            # Whoever gets it next, from our pool or through a pooler, must not meet these tables.
            with contextlib.suppress(DBAPIError):
                _drop(connection, chosen)
            connection.invalidate()


def _drop(connection: Connection, chosen: Sequence[Projection]) -> None:
    connection.rollback()
    with connection.begin():
        for table in _tables(chosen):
            connection.execute(DropTable(table, if_exists=True))


def _tables(chosen: Sequence[Projection]) -> list[Table]:
    return [table for projection in chosen for table in projection.TABLES]


def _batches(engine: Engine, *, after: int) -> Iterator[list[Stored]]:
    events = event_store.read(engine, after=after)
    while batch := list(itertools.islice(events, EVENTS_A_TRANSACTION)):
        yield batch


def _left(engine: Engine, position: int) -> int:
    with engine.connect() as connection:
        last = connection.execute(select(func.max(tables.events.c.position))).scalar_one()
        # Positions have few gaps, and counting a million rows at each step would cost more than folding them.
        return max(0, (last or 0) - position)


def _fold(connection: Connection, chosen: Sequence[Projection], batch: Sequence[Stored]) -> None:
    recorded = [stored.recorded() for stored in batch]
    for projection in chosen:
        projection.fold(connection, recorded)


def _swap(connection: Connection, chosen: Sequence[Projection], *, after: int) -> int:
    """Fold what came last and put the rows in their place; returns how many events came last."""
    late = 0
    connection.execution_options(writes="long")
    with connection.begin():
        for batch in _batches(connection.engine, after=after):
            _fold(connection, chosen, batch)
            late += len(batch)
        schema = _schema(connection)
        for table in _tables(chosen):
            own, shared = f"{_OWN[connection.dialect.name]}.{table.name}", f'"{schema}".{table.name}'
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            connection.exec_driver_sql(f"DELETE FROM {shared}")
            # In the order of folding, so that what was recorded together lies together, as a recorder leaves it.
            connection.exec_driver_sql(f"INSERT INTO {shared} ({names}) SELECT {names} FROM {own}")
    return late


def _schema(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return "main"
    return str(connection.exec_driver_sql("SELECT current_schema()").scalar_one())
