"""The state of the tables: from zero, from an older revision, from a newer one."""

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select, text, update

from contract.crawls import CrawlFinished, CrawlPaused, CrawlResumed
from contract.errors import Refused
from contract.settings import Settings
from storage.migrations.versions import v0001_tables as first
from storage.sql import tables
from storage.sql.database import make_engine, open_database, writing
from storage.sql.schema import REVISIONS, VERSION_TABLE
from storage.store import event_store
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import contents, write

#: Columns of 0006.
WISHES = ("robots", "canonical", "train_ai", "search", "ai_input", "license")
MESSAGES = [
    builders.crawl_started(),
    builders.page_excluded(URL + "/private"),
    builders.page_failed(),
    builders.page_fetched(attempt=2),
    builders.page_parsed(detail="long " * 1_000),
    builders.robots_fetched(),
    builders.life(CrawlPaused, 2, time="2026-11-23T18:00:00.000Z"),
    builders.life(CrawlResumed, 3),
    builders.life(CrawlPaused, 2, crawl="ended"),
    builders.life(CrawlFinished, 3, crawl="ended", fetched=4, failed=0, excluded=1),
]


@pytest.fixture
def settings(database_url, tmp_path):
    return Settings(database_url=database_url, data=str(tmp_path))


@pytest.mark.parametrize("state", ["nothing", "no stamp", "0001"])
def test_any_older_state_becomes_what_the_code_wants(settings, state):
    if state != "nothing":
        _make_first(settings, stamp=None if state == "no stamp" else state)

    engine = open_database(settings)

    assert _differences(engine) == []
    assert _revision(engine) == REVISIONS[-1]
    engine.dispose()


@pytest.mark.parametrize("stamp", [None, "0001"])
def test_an_upgrade_keeps_what_was_recorded(settings, tmp_path, stamp):
    engine = open_database(settings)
    write(engine, tmp_path, *MESSAGES)
    before = contents(engine, tables.metadata.sorted_tables)
    _downgrade(engine, stamp)
    engine.dispose()

    engine = open_database(settings)

    assert contents(engine, tables.metadata.sorted_tables) == before
    assert len(list(event_store.read(engine, about=tables.mark(CRAWL, URL)))) == 3
    engine.dispose()


def test_recorders_that_start_at_once_upgrade_once(settings):
    _make_first(settings, stamp=None)

    assert _at_once(lambda: open_database(settings).dispose(), times=4) == []

    engine = make_engine(settings.sql_url)
    assert (_revision(engine), _differences(engine)) == (REVISIONS[-1], [])
    engine.dispose()


def test_recorders_that_start_at_once_make_the_tables_once(settings):
    assert _at_once(lambda: open_database(settings).dispose(), times=4) == []


def test_a_database_of_a_newer_penstock_is_refused_and_left_alone(settings):
    engine = open_database(settings)
    with writing(engine) as connection:
        connection.execute(update(VERSION_TABLE).values(version_num="9999"))

    with pytest.raises(Refused, match=r"^the database was written by a newer Penstock \(revision 9999\)[^\n]*$"):
        open_database(settings)

    assert _revision(engine) == "9999"
    engine.dispose()


def test_the_tables_of_somebody_else_are_refused_and_left_alone(settings):
    engine = make_engine(settings.sql_url)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE items (id INTEGER)"))

    with pytest.raises(Refused, match=r"^the database has tables that are not Penstock's[^\n]*$"):
        open_database(settings)

    assert inspect(engine).get_table_names() == ["items"]
    engine.dispose()


def test_other_tables_beside_ours_are_no_matter(settings):
    engine = make_engine(settings.sql_url)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
    engine.dispose()

    open_database(settings).dispose()


def test_a_read_model_that_is_missing_begins_empty(settings, caplog):
    engine = open_database(settings)
    tables.hosts.drop(engine)

    open_database(settings).dispose()

    assert _differences(engine) == []
    assert "fill it: penstock rebuild" in caplog.text
    engine.dispose()


def test_a_database_that_lost_its_record_is_refused(settings):
    engine = open_database(settings)
    tables.events.drop(engine)

    with pytest.raises(Refused, match=r"^the database has lost its table events[^\n]*$"):
        open_database(settings)
    engine.dispose()


def test_every_revision_is_a_script_and_every_script_a_revision():
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)

    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS


def test_alembic_is_imported_only_where_something_is_to_be_upgraded(sqlite_url, tmp_path):
    code = (
        "import sys; from contract.settings import Settings; from storage.sql.database import open_database;"
        "open_database(Settings(database_url=sys.argv[1])).dispose(); print('alembic' in sys.modules)"
    )

    def imported():
        return subprocess.run([sys.executable, "-c", code, sqlite_url], capture_output=True, check=True).stdout.strip()

    assert [imported(), imported()] == [b"False", b"False"]
    _downgrade(make_engine(sqlite_url), "0001")
    assert imported() == b"True"


def _make_first(settings: Settings, *, stamp: str | None) -> None:
    engine = make_engine(settings.sql_url)
    with writing(engine) as connection:
        first.metadata.create_all(connection)
        if stamp:
            VERSION_TABLE.create(connection)
            connection.execute(VERSION_TABLE.insert().values(version_num=stamp))
    engine.dispose()


def _downgrade(engine: Engine, stamp: str | None) -> None:
    with writing(engine) as connection:
        connection.execute(text("DROP INDEX events_by_about"))
        connection.execute(text("DROP INDEX pages_by_settled"))
        connection.execute(text("DELETE FROM tallies WHERE kind = 'retried'"))
        connection.execute(text("ALTER TABLE events DROP COLUMN about"))
        connection.execute(text("ALTER TABLE crawls DROP COLUMN version"))
        for name in WISHES:
            connection.execute(text(f"ALTER TABLE pages DROP COLUMN {name}"))
        # The state went by the times alone.
        connection.execute(text("UPDATE crawls SET paused_at = '2026-11-23T18:00:00.000Z'"))
        connection.execute(text("UPDATE crawls SET state = 'paused' WHERE finished_at IS NULL"))
        if stamp:
            connection.execute(update(VERSION_TABLE).values(version_num=stamp))
        else:
            VERSION_TABLE.drop(connection)


def _differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE.name})
        return list(compare_metadata(context, tables.metadata))


def _revision(engine: Engine) -> str:
    with engine.connect() as connection:
        return connection.execute(select(VERSION_TABLE)).scalar_one()


def _at_once(act: Callable[[], None], *, times: int) -> list[Exception]:
    """What went wrong where this was done by several threads at once."""
    errors, barrier = [], threading.Barrier(times)

    def run() -> None:
        barrier.wait()
        try:
            act()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
