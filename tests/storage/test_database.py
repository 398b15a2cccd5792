"""The way to SQL, and what a person is told when there is none."""

import threading

import pytest
from sqlalchemy import inspect, text

from contract.errors import Refused, Unreachable
from contract.settings import Settings
from storage.read_models import queries
from storage.sql.database import NothingRecorded, make_engine, open_database, open_recorded, writing
from storage.sql.schema import VERSION_TABLE
from storage.sql.tables import metadata


def test_tables_are_made_where_they_are_missing(database_url, tmp_path):
    settings = Settings(database_url=database_url, data=str(tmp_path))

    for _ in range(2):
        engine = open_database(settings)
        assert set(inspect(engine).get_table_names()) == {*metadata.tables, VERSION_TABLE.name}
        engine.dispose()


def test_the_data_folder_is_made(tmp_path):
    engine = open_database(Settings(data=str(tmp_path / "a" / "b")))

    assert (tmp_path / "a" / "b" / "penstock.db").is_file()
    engine.dispose()


def test_a_reader_makes_no_database(tmp_path):
    with pytest.raises(NothingRecorded, match=r"^nothing has been recorded in [^\n]*$"):
        open_recorded(Settings(data=str(tmp_path / "a")))

    assert list(tmp_path.iterdir()) == []


def test_a_reader_fills_no_empty_database(database_url, tmp_path):
    engine = make_engine(database_url)
    engine.connect().close()

    with pytest.raises(NothingRecorded):
        open_recorded(Settings(database_url=database_url, data=str(tmp_path)))

    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_reader_opens_what_a_writer_has_made(database_url, tmp_path):
    settings = Settings(database_url=database_url, data=str(tmp_path))
    open_database(settings).dispose()

    engine = open_recorded(settings)
    assert queries.crawls(engine) == []
    engine.dispose()


def test_sqlite_lets_readers_read_while_somebody_writes(sqlite_engine):
    with writing(sqlite_engine) as writer, sqlite_engine.connect() as reader:
        writer.execute(text("INSERT INTO tallies VALUES ('c', 'outcome', 'fetched', 1)"))

        assert reader.execute(text("SELECT count(*) FROM tallies")).scalar_one() == 0
        assert reader.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert reader.execute(text("PRAGMA synchronous")).scalar_one() == 2  # a commit is on the disk


def test_there_is_one_writer_at_a_time(engine):
    order, inside = [], threading.Event()

    def second():
        inside.wait()
        with writing(engine):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with writing(engine):
        inside.set()
        thread.join(0.1)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


@pytest.mark.parametrize(
    "address", ["nonsense", "mysql://host/x", "unknown+driver://x", "sqlite+nodriver:///x", "postgresql://h:port/x"]
)
def test_an_address_of_no_use_is_refused_in_one_line(address, tmp_path):
    with pytest.raises(Refused) as refused:
        open_database(Settings(database_url=address, data=str(tmp_path)))

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("at", ["file", "/proc/no"])
def test_a_folder_that_cannot_be_made_is_refused_in_one_line(at, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Refused, match=r"^cannot make the data folder [^\n]*--data$"):
        open_database(Settings(data=str(tmp_path / at / "folder")))


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path):
    (tmp_path / "penstock.db").write_text("not a database, but long enough to be taken for one" * 100)

    with pytest.raises(Refused, match=r"^cannot write to the database [^\n]*not a database[^\n]*$"):
        open_database(Settings(data=str(tmp_path)))


def test_a_server_that_does_not_answer_is_unreachable_and_its_password_stays_secret(tmp_path):
    address = f"postgresql://me:secret@/x?host={tmp_path}"

    with pytest.raises(Unreachable) as unreachable:
        open_database(Settings(database_url=address, data=str(tmp_path)))

    assert "secret" not in str(unreachable.value)
    assert "\n" not in str(unreachable.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_psycopg(scheme):
    assert make_engine(f"{scheme}://host/x").url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg2", "pg8000"])
def test_a_driver_in_the_address_is_to_be_left_out(driver):
    with pytest.raises(Refused, match=rf"leave the driver out of the database's address: postgresql:, not .*{driver}"):
        make_engine(f"postgresql+{driver}://ann@host/x")
