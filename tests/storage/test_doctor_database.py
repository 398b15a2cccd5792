"""What the doctor learns of a database, of each kind."""

import time

from sqlalchemy import text

from contract.settings import Settings
from penstock.doctor.archive import check_archive
from penstock.doctor.asking import ask_archive, ask_database
from penstock.doctor.database import check_database
from storage.sql.database import make_engine, writing


def bad_ones(findings):
    """What was looked at and is bad."""
    return [one.what for one in findings if one.level == "bad"]


def test_a_database_as_this_code_makes_it_is_well(engine, tmp_path):
    with engine.connect() as connection:
        found = check_database(ask_database(connection))
        archive = check_archive(ask_archive(Settings(data=str(tmp_path)), connection))

    assert [one for one in found if one.level != "ok"] == []
    assert found[0].finding.startswith(("SQLite 3.", "PostgreSQL "))
    assert "archive segments" not in bad_ones(archive)


def test_tables_of_another_revision_are_found(engine):
    for revision in ("0001", "9999"):
        with writing(engine) as connection:
            connection.execute(text(f"UPDATE penstock_schema SET version_num = '{revision}'"))
        with engine.connect() as connection:
            assert bad_ones(check_database(ask_database(connection))) == ["database tables"]


def test_an_empty_database_is_well(database_url):
    engine = make_engine(database_url)
    with engine.connect() as connection:
        assert bad_ones(check_database(ask_database(connection))) == []
    engine.dispose()


def test_a_server_whose_clock_is_off_is_found(postgres_url):
    engine = make_engine(postgres_url)
    with engine.connect() as connection:
        facts = ask_database(connection, now=lambda: time.time() - 60)
    engine.dispose()

    assert bad_ones(check_database(facts)) == ["database clock"]
