"""PgBouncer before PostgreSQL: sessions are kept apart, or it is refused in one line; nothing is left behind on it."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from psycopg import connect
from sqlalchemy import make_url, text

from contract.errors import Refused
from contract.lifetime import die_with_parent
from contract.settings import Settings
from penstock.doctor.examine import examine
from storage.rebuild import rebuild
from storage.sql import pooler
from storage.sql.database import make_engine, open_database, writing
from tests.storage.helpers import contents, write
from tests.storage.test_rebuild import EVENTS


@pytest.fixture
def database(postgres_server):
    """A database of this test's own: a pooler takes no search_path."""
    admin = make_engine(postgres_server)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE pooled"))
        yield postgres_server.replace("/postgres?", "/pooled?")
        connection.execute(text("DROP DATABASE pooled WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def pooled(database, tmp_path_factory):
    """Start PgBouncer before that database in one mode or another, with so many connections; gives an address."""
    program = shutil.which("pgbouncer")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no pgbouncer on PATH (apt-get install pgbouncer)")
    started = []

    def start(mode: str, *, size: int = 5) -> str:
        owner = Path(make_url(database).query["host"]).owner()  # who may use PostgreSQL's socket
        port, folder = free_port(), tmp_path_factory.mktemp("bouncer")
        (folder / "users").write_text('"postgres" ""\n')
        (folder / "ini").write_text(configured(database, mode, size, port, folder))
        words = [program, *(["-u", owner] if os.getuid() == 0 else []), str(folder / "ini")]
        for path in (folder.parent.parent, folder.parent, folder):
            path.chmod(0o755)
        started.append(subprocess.Popen(words, preexec_fn=die_with_parent, stderr=subprocess.DEVNULL))
        address = f"postgresql://postgres@127.0.0.1:{port}/pooled"
        until_it_answers(address)
        return address

    yield start
    for process in started:
        process.kill()
        process.wait()


def configured(database: str, mode: str, size: int, port: int, folder: Path) -> str:
    """A pgbouncer.ini."""
    return f"""
[databases]
pooled = host={make_url(database).query["host"]} dbname=pooled user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {size}
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until_it_answers(address: str) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            return connect(address, connect_timeout=5).close()
        except OSError:
            pass
        except Exception:
            if time.monotonic() > until:
                raise
        time.sleep(0.01)


@pytest.mark.parametrize("size", [1, 5])
async def test_one_that_shares_out_transactions_is_refused_at_start_and_by_the_doctor(pooled, database, tmp_path, size):
    given = {"database_url": pooled("transaction", size=size), "data": str(tmp_path)}

    with pytest.raises(Refused, match=r"^the pooler before PostgreSQL shares out single [^\n]*session[^\n]*$"):
        open_database(Settings(**given))
    [found] = [one for one in await examine(given) if one.what == "database"]

    assert found.level == "bad"
    assert found.finding.startswith("the pooler before PostgreSQL shares out single transactions")
    direct = make_engine(database)
    with direct.connect() as connection:
        limits = text("SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
        assert connection.execute(limits).scalar_one() == 0
    direct.dispose()


def test_one_that_keeps_sessions_is_used_without_prepared_statements_and_left_clean(pooled, tmp_path):
    engine = open_database(Settings(database_url=pooled("session", size=3), data=str(tmp_path)))
    write(engine, tmp_path / "archive", *EVENTS)
    before = contents(engine)
    for _ in range(3):
        assert rebuild(engine) == len(EVENTS)
        assert contents(engine) == before
    with writing(engine) as connection:
        for _ in range(8):  # psycopg would prepare it from the sixth time on
            connection.execute(text("SELECT count(*) FROM pages"))
        assert connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")).scalar_one() == 0
    engine.dispose()


def test_one_that_is_not_there_costs_nothing(database):
    engine = make_engine(database)
    with engine.connect() as connection:
        assert not pooler.is_pooled(connection.connection.dbapi_connection)
    engine.dispose()


def test_a_rebuild_leaves_no_table_on_its_connection(engine, tmp_path, monkeypatch):
    write(engine, tmp_path / "archive", *EVENTS)
    monkeypatch.setattr("sqlalchemy.Connection.invalidate", lambda connection: None)  # as if it were shared

    rebuild(engine)

    with engine.connect() as connection:
        query = {
            "sqlite": "SELECT count(*) FROM sqlite_temp_master",
            "postgresql": "SELECT count(*) FROM pg_class WHERE relpersistence = 't'",
        }[engine.dialect.name]
        assert connection.execute(text(query)).scalar_one() == 0
