"""A real PostgreSQL that fails in every way that one can: the recorder waits, says so once, and goes on."""

import asyncio
import contextlib
import os
import signal

import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contract.errors import Refused, Unreachable
from contract.settings import Settings
from storage.batch import is_passing
from storage.read_models import queries
from storage.sql import tables
from storage.sql.database import make_engine, open_database, writing
from tests.builders import CRAWL
from tests.storage.helpers import contents, progress_where, recording, write
from tests.storage.test_forget import crawl
from tests.storage.test_record import archived, is_complete, pending, publish_crawl, said

PAGES = 400


@pytest.fixture
def settings(redis_url, postgres_url, tmp_path):
    return Settings(redis_url=redis_url, database_url=postgres_url, data=str(tmp_path))


@pytest.fixture
def operator(postgres_server):
    """What somebody does to the server, outside of any transaction."""
    engine = make_engine(postgres_server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield lambda statement: connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def engine(postgres_url, settings):
    made = open_database(settings)
    yield made
    made.dispose()


# -- outages


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_a_server_that_is_restarted_in_mid_crawl_loses_nothing(bus, settings, engine, postgres, how, caplog):
    async with recording(settings):
        await publish_crawl(bus, pages=PAGES)
        await some_pages(engine)
        if how == "killed":
            os.kill(postgres.get_pid(), signal.SIGQUIT)
        await asyncio.to_thread(postgres.stop)
        await publish_crawl(bus, pages=PAGES)
        await said(caplog, "waiting for the database")
        await asyncio.to_thread(postgres.start)
        await progress_where(bus, is_complete)
        while await pending(bus):
            await asyncio.sleep(0.01)

    assert_recorded_once(engine, settings)
    assert caplog.text.count("waiting for the database") == 1
    assert "Traceback" not in caplog.text


async def test_connections_that_are_cut_in_mid_crawl_lose_nothing(bus, settings, engine, operator, caplog):
    async with recording(settings):
        await publish_crawl(bus, pages=PAGES)
        for _ in range(5):
            await some_pages(engine)
            operator("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'storage.record'")
            await publish_crawl(bus, pages=PAGES)
        await progress_where(bus, is_complete)
        while await pending(bus):
            await asyncio.sleep(0.01)

    assert_recorded_once(engine, settings)
    assert "Traceback" not in caplog.text


async def test_a_server_that_is_read_only_for_a_while_is_waited_for(bus, settings, engine, operator, caplog):
    async with recording(settings):
        await publish_crawl(bus, pages=1)
        await some_pages(engine)
        operator("ALTER SYSTEM SET default_transaction_read_only = on")
        operator("SELECT pg_reload_conf()")
        try:
            await publish_crawl(bus, pages=PAGES)
            await said(caplog, "waiting for the database: cannot execute")
        finally:
            operator("ALTER SYSTEM RESET default_transaction_read_only")
            operator("SELECT pg_reload_conf()")
        await progress_where(bus, lambda numbers: numbers.get("fetched") == PAGES)

    assert caplog.text.count("waiting for the database") == 1


def test_a_connection_to_a_server_that_is_read_only_is_not_used_again(engine):
    def backend(connection):
        return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()

    with engine.connect() as connection:
        first = backend(connection)
    with engine.connect() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(DBAPIError):
            connection.execute(tables.tallies.delete())

    with engine.connect() as connection:
        assert backend(connection) != first


@pytest.mark.parametrize(
    "word",
    [
        *("DiskFull", "OutOfMemory", "TooManyConnections", "QueryCanceled", "LockNotAvailable", "DeadlockDetected"),
        *("SerializationFailure", "IdleInTransactionSessionTimeout", "AdminShutdown", "InsufficientPrivilege"),
    ],
)
def test_trouble_of_the_server_passes_and_the_same_batch_goes_through_later(engine, tmp_path, word):
    with broken_by(engine, getattr(errors, word).sqlstate), pytest.raises(DBAPIError) as raised:
        write(engine, tmp_path, *crawl(CRAWL))
    assert is_passing(raised.value)

    assert write(engine, tmp_path, *crawl(CRAWL)).events == len(crawl(CRAWL))


def test_a_database_that_is_not_in_utf_8_is_refused_in_one_line(postgres_server, operator, tmp_path):
    operator("CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        with pytest.raises(Refused, match=r"^the database bytes is in SQL_ASCII; make it anew with ENCODING 'UTF8'$"):
            open_database(Settings(database_url=postgres_server.replace("/postgres?", "/bytes?"), data=str(tmp_path)))
    finally:
        operator("DROP DATABASE bytes")


def test_a_server_with_too_many_connections_is_said_to_be_unreachable_in_one_line(postgres_url, operator, tmp_path):
    operator("DROP ROLE IF EXISTS narrow")
    operator("CREATE ROLE narrow LOGIN CONNECTION LIMIT 0")
    try:
        with pytest.raises(Unreachable, match=r"^cannot use the database [^\n]*too many connections[^\n]*$"):
            open_database(Settings(database_url=postgres_url.replace("postgres:@", "narrow@"), data=str(tmp_path)))
    finally:
        operator("DROP ROLE narrow")


# -- limits


def test_a_connection_has_limits_and_a_name_whatever_the_server_says(engine, operator):
    limits = ("statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout", "transaction_isolation")
    with engine.connect() as reader, writing(engine) as writer:
        assert shown(reader, *limits) == ["5min", "1h", "0", "read committed"]
        assert shown(writer, *limits) == ["1min", "30s", "10s", "read committed"]
        assert shown(writer, "application_name") == ["penstock"]
    with writing(engine, long=True) as writer:
        assert shown(writer, *limits) == ["0", "0", "10s", "read committed"]
    with engine.connect() as reader:
        assert shown(reader, *limits) == ["5min", "1h", "0", "read committed"]


def test_the_address_may_say_something_else(postgres_server):
    engine = make_engine(postgres_server + "&application_name=mine&connect_timeout=3")
    with engine.connect() as connection:
        assert shown(connection, "application_name") == ["mine"]
    engine.dispose()


@pytest.mark.parametrize(("set_to", "is_then"), [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")])
def test_what_is_recorded_is_on_the_disk_whatever_the_server_is_set_to(postgres_url, set_to, is_then):
    engine = make_engine(f"{postgres_url}%20-csynchronous_commit%3D{set_to}")
    with writing(engine) as writer:
        assert shown(writer, "synchronous_commit") == [is_then]
    engine.dispose()


def test_a_writer_that_is_frozen_is_thrown_out_and_the_next_one_goes_on(engine):
    with pytest.raises(DBAPIError) as raised:
        freeze(engine)

    assert is_passing(raised.value)


def freeze(engine):
    """Be a writer that says nothing for too long, and then something."""
    with writing(engine) as frozen:
        frozen.execute(text("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
        with writing(engine) as another:
            another.execute(tables.tallies.delete())
        frozen.execute(tables.tallies.delete())


def shown(connection, *names):
    return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]


@contextlib.contextmanager
def broken_by(engine, state):
    """A database whose last statement of a batch fails with this error inside the block."""
    with engine.begin() as connection:
        connection.execute(
            text(f"""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'it is broken' USING ERRCODE = '{state}'; END $$;
            CREATE TRIGGER fails BEFORE INSERT ON tallies EXECUTE FUNCTION fail();
            """)
        )
    yield
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER fails ON tallies; DROP FUNCTION fail()"))


async def some_pages(engine):
    """Wait until some pages are recorded."""
    while not await asyncio.to_thread(lambda: next(iter(queries.pages(engine)), None)):
        await asyncio.sleep(0.01)


def assert_recorded_once(engine, settings):
    assert len(contents(engine)["pages"]) == len(archived(settings)) == PAGES
    assert len(contents(engine, [tables.events])["events"]) == 2 * PAGES + 2
