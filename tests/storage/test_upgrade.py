"""An upgrade of the tables beneath rows, recorders and a kill -9: nothing is lost, and nothing is half done."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, select, update

from contract.bus import Bus
from contract.bus.dead_letters import dead_letters
from contract.errors import Refused
from contract.settings import Settings
from storage import record
from storage.read_models import queries
from storage.sql import schema, tables
from storage.sql.database import make_engine, open_database, writing
from tests import builders
from tests.builders import CRAWL
from tests.storage.helpers import contents, progress_where, publish_fetched, recording, write
from tests.storage.test_schema import MESSAGES

EARLIER = schema.REVISIONS[:-1]
#: Carries a database over, and is killed when it comes to the statement with this word in it.
UPGRADE_AND_DIE = """
import os, signal, sys
from sqlalchemy import Engine, event
from contract.settings import Settings
from storage.sql.database import open_database

@event.listens_for(Engine, "before_cursor_execute")
def before(connection, cursor, statement, *rest):
    if sys.argv[2] in statement:
        os.kill(os.getpid(), signal.SIGKILL)

open_database(Settings(database_url=sys.argv[1]))
"""


@pytest.fixture
def settings(redis_url: str, database_url: str, tmp_path: Path) -> Settings:
    return Settings(redis_url=redis_url, database_url=database_url, data=str(tmp_path))


def put_back(engine: Engine, revision: str) -> None:
    """Make the tables what they were at an earlier revision."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parents[1] / "migrations"))
    config.set_main_option("path_separator", "os")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def revision_of(engine: Engine) -> str:
    with engine.connect() as connection:
        return connection.execute(select(schema.VERSION_TABLE)).scalar_one()


@pytest.mark.parametrize("revision", EARLIER)
def test_from_each_earlier_revision_an_upgrade_keeps_what_was_recorded(settings, tmp_path, revision):
    engine = open_database(settings)
    write(engine, tmp_path, *MESSAGES)
    before = contents(engine, tables.metadata.sorted_tables)
    put_back(engine, revision)
    assert revision_of(engine) == revision
    engine.dispose()

    engine = open_database(settings)

    assert contents(engine, tables.metadata.sorted_tables) == before
    engine.dispose()


@pytest.mark.parametrize("word", ["events_by_about", "pages_by_settled", "UPDATE penstock_schema"])
def test_an_upgrade_that_is_killed_has_changed_nothing_and_the_next_one_is_whole(settings, tmp_path, word):
    engine = open_database(settings)
    write(engine, tmp_path, *MESSAGES)
    before = contents(engine, tables.metadata.sorted_tables)
    put_back(engine, EARLIER[0])

    killed = subprocess.run([sys.executable, "-c", UPGRADE_AND_DIE, settings.sql_url, word], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert revision_of(engine) == EARLIER[0]
    engine.dispose()
    engine = open_database(settings)
    assert contents(engine, tables.metadata.sorted_tables) == before
    engine.dispose()


async def test_a_recorder_beneath_which_the_tables_were_upgraded_leaves_the_rest_to_a_newer_one(bus: Bus, settings):
    await publish_fetched(bus, builders.page_fetched("http://a.test/1"))
    older = asyncio.create_task(record.run(settings, asyncio.Event()))
    await progress_where(bus, lambda numbers: numbers.get("fetched") == 1)
    _stamp(settings, "9999")
    await publish_fetched(bus, builders.page_fetched("http://a.test/2"))
    await publish_fetched(bus, builders.page_fetched("http://a.test/3"))
    with pytest.raises(
        Refused, match=r"^the database has become revision 9999, and this Penstock writes \d+; stop it$"
    ):
        await older

    _stamp(settings, schema.REVISIONS[-1])  # as a recorder of the newer version would find it
    async with recording(settings):
        await progress_where(bus, lambda numbers: numbers.get("fetched") == 3)
    engine = make_engine(settings.sql_url)
    urls = sorted(row["url"] for row in queries.pages(engine, CRAWL))
    engine.dispose()
    assert urls == [f"http://a.test/{n}" for n in (1, 2, 3)]
    assert [letter async for letter in dead_letters(bus)] == []


def _stamp(settings: Settings, revision: str) -> None:
    engine = make_engine(settings.sql_url)
    with writing(engine) as connection:
        connection.execute(update(schema.VERSION_TABLE).values(version_num=revision))
    engine.dispose()
