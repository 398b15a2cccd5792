"""Databases that a test may destroy: the file in a data folder, and one of its own on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import make_url, text

from storage.sql.database import make_engine

_numbers = itertools.count()


@dataclass(frozen=True)
class Database:
    """A kind of database: what the guide calls it, how a crawl finds it, and how it is destroyed."""

    name: str
    settings: dict[str, str]
    destroy: Callable[[], None]


#: It goes with its folder.
SQLITE = Database("SQLite", {}, lambda: None)


@contextlib.contextmanager
def on_postgresql(server: str, *, name: str = "") -> Iterator[Database]:
    """An empty database on this server, gone behind the block; destroyed means empty again."""
    name = name or f"backup{next(_numbers)}"
    drop, create = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}"
    run(server, drop, create)
    url = server.replace("/postgres?", f"/{name}?")
    yield Database(
        "PostgreSQL", {"PENSTOCK_DATABASE_URL": url, **_for_its_programs(url)}, lambda: run(server, drop, create)
    )
    run(server, drop)


def _for_its_programs(url: str) -> dict[str, str]:
    """The same address as PostgreSQL's own programs take it from the environment."""
    said = make_url(url)
    host = said.host or said.query["host"]
    assert said.username
    assert said.database
    assert isinstance(host, str)
    return {"PGHOST": host, "PGUSER": said.username, "PGDATABASE": said.database}


def run(server: str, *statements: str) -> None:
    """Run statements on the server, each in a transaction of its own."""
    engine = make_engine(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
