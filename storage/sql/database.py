"""The way to SQL: an engine for SQLite (WAL) or PostgreSQL (psycopg 3), with all tables in place.

Takes settings, gives a SQLAlchemy `Engine`. Whoever writes does so in `writing(engine)`: one writer at a time, over all
processes, so that what is read in it cannot change before it is written, and positions become visible in their order.
Readers never wait. A commit that was answered is on the disk: Redis forgets what it has.
"""

import contextlib
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from contract.errors import Refused, Unreachable
from contract.logs import masked
from contract.settings import Settings
from storage.sql import schema

#: How long a writer waits for the one before it; longer than any batch takes.
LOCK_SECONDS = 10
#: How long to wait for another process that upgrades a large database.
_UPGRADE_SECONDS = 1_800.0
#: SQLite does not wait for its lock where it turns a new file to WAL.
_LOOK_SECONDS = 0.02
#: SQLite's memory for pages of the file. A recorder keeps the inner pages of all indexes at a million pages in it; who
#: reads from one end to the other needs little.
_CACHE_KIB, READER_CACHE_KIB = 65_536, 8_192
#: Who is at work, as PostgreSQL's operator sees it.
_NAME = "penstock"
_SCHEMES = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


class NothingRecorded(Refused):
    """Raised where somebody wants to read, and nothing has been recorded yet."""


def open_database(settings: Settings, *, cache_kib: int = _CACHE_KIB, name: str = _NAME) -> Engine:
    """An engine, all tables in place; raises `Refused` for what a person must mend, `Unreachable` for a mute server."""
    engine = make_engine(settings.sql_url, cache_kib=cache_kib, name=name)
    if engine.dialect.name == "sqlite" and engine.url.database:
        _make_folder(Path(engine.url.database).parent)
    return _made_ready(engine)


def open_recorded(settings: Settings) -> Engine:
    """An engine for a reader; raises `NothingRecorded` (and makes no file) where no recorder has ever been."""
    engine = make_engine(settings.sql_url, cache_kib=READER_CACHE_KIB)
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
        if settings.folder.is_file():
            raise Refused(f"the data folder {settings.folder} is a file, not a folder; choose another with --data")
        raise NothingRecorded(f"nothing has been recorded in {settings.folder}; begin with: penstock crawl URL")
    with _explaining(engine), engine.connect() as connection:
        if schema.is_empty(connection):
            raise NothingRecorded("nothing has been recorded in this database; begin with: penstock crawl URL")
    return _made_ready(engine)


def _made_ready(engine: Engine) -> Engine:
    """Whoever comes first makes or upgrades the tables, in one transaction; all others wait for that."""
    deadline = time.monotonic() + _UPGRADE_SECONDS
    with _explaining(engine):
        while True:
            try:
                return _made_ready_once(engine)
            except OperationalError as error:
                if not _is_locked(error) or time.monotonic() > deadline:
                    raise
            time.sleep(_LOOK_SECONDS)


def _is_locked(error: OperationalError) -> bool:
    return "locked" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "55P03"


def _made_ready_once(engine: Engine) -> Engine:
    if not _is_current(engine):
        with writing(engine, long=True) as connection:
            schema.make_current(connection)
    return engine


def _is_current(engine: Engine) -> bool:
    with engine.connect() as connection:
        return schema.is_current(connection)


def make_engine(address: str, *, cache_kib: int = _CACHE_KIB, name: str = _NAME) -> Engine:
    """An engine for an address, nothing opened yet; raises `Refused` if it is none that we can use."""
    try:
        url = make_url(address)
        scheme, _, driver = url.drivername.partition("+")
        if scheme in (*_SCHEMES, "sqlite") and driver not in ("", "psycopg", "pysqlite"):
            raise Refused(f"leave the driver out of the database's address: {scheme}:, not {url.drivername}:")
        url = url.set(drivername=_SCHEMES.get(url.drivername, url.drivername))
        if url.get_backend_name() not in ("sqlite", "postgresql"):
            raise Refused(f"cannot use a {url.get_backend_name()} database; give a sqlite: or postgresql: address")
        return _sqlite(url, cache_kib) if url.get_backend_name() == "sqlite" else _postgres(url, name)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise Refused(f"not the address of a database: {masked(address)!r} ({error})") from None
    except ModuleNotFoundError as error:
        raise Refused(
            f"the driver for this database is missing ({error}): pip install 'penstock-crawler[postgres]'"
        ) from None


@contextlib.contextmanager
def writing(engine: Engine, *, long: bool = False) -> Iterator[Connection]:
    """A transaction of the one writer there may be; committed at the end of the block, or rolled back.

    It waits LOCK_SECONDS for the one before it, then the driver's error says so; a `long` one may take any time.
    """
    with engine.execution_options(writes="long" if long else True).begin() as connection:
        yield connection


def _sqlite(url: URL, cache_kib: int) -> Engine:
    engine = create_engine(url)
    event.listen(engine, "connect", partial(_on_sqlite_connect, cache_kib=cache_kib))

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(url: URL, name: str) -> Engine:
    from storage.sql import postgres

    engine = postgres.make_engine(url, name=name)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        if writes := connection.get_execution_options().get("writes", False):
            postgres.begin_writing(connection, lock_seconds=LOCK_SECONDS, long=writes == "long")

    return engine


def _on_sqlite_connect(connection: Any, _record: Any, *, cache_kib: int) -> None:
    connection.isolation_level = None  # BEGIN is ours: Python's own one comes too late to lock
    for pragma in (
        f"busy_timeout={LOCK_SECONDS * 1000}",
        "page_size=8192",  # of a file yet to be made: most events and items fit into one page
        "journal_mode=WAL",
        "synchronous=FULL",  # what Redis is told to forget must be on the disk; NORMAL syncs no commit
        f"cache_size=-{cache_kib}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "it is a file, not a folder" if folder.is_file() else error.strerror
        raise Refused(f"cannot make the data folder {folder}: {why}; choose another with --data") from None


@contextlib.contextmanager
def _explaining(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        engine.dispose()
        raise _explained(engine.url, error) from error
    except Refused:
        engine.dispose()
        raise


def _explained(url: URL, error: DBAPIError) -> Exception:
    reason = str(error.orig).strip().partition("\n")[0]
    if url.get_backend_name() == "sqlite":
        return Refused(f"cannot write to the database {url.database}: {reason}; choose another folder with --data")
    return Unreachable(f"cannot use the database {url.render_as_string(hide_password=True)}: {reason}")
