"""Read models can be dropped and made again from the event store, while others read and write."""

import subprocess
import sys
import threading

import pytest
from sqlalchemy import text

from contract.errors import Refused
from storage.archive.segments.files import FileArchive
from storage.batch import write as write_batch
from storage.read_models.fold import PROJECTIONS
from storage.rebuild import rebuild
from storage.sql import tables
from storage.sql.database import writing
from tests import builders
from tests.builders import URL
from tests.storage.helpers import READ_MODELS, arrival, contents, write

LATER = "2026-11-23T12:00:09.000Z"
EVENTS = [
    builders.crawl_started(),
    *(builders.page_fetched(f"{URL}/{number}") for number in range(5)),
    *(builders.page_parsed(f"{URL}/{number}") for number in range(5)),
    builders.page_parsed(f"{URL}/0", id="again", time=LATER, spider_version="2", title="long ü " * 500),
    builders.page_failed(f"{URL}/gone"),
    builders.page_failed(f"{URL}/gone", attempt=2, reason="server_error", status=503),
    builders.page_excluded(f"{URL}/private", reason="robots"),
    builders.robots_fetched(crawl_delay_ms=500),
    builders.crawl_finished(fetched=5, failed=1, excluded=1),
]


@pytest.fixture
def recorded(engine, tmp_path):
    """A crawl that was recorded in several batches."""
    for start in range(0, len(EVENTS), 4):
        write(engine, tmp_path / "archive", *EVENTS[start : start + 4])
    return engine


def test_everything_is_as_it_was(recorded):
    before = dump(recorded)

    assert rebuild(recorded) == len(EVENTS)

    assert dump(recorded) == before


@pytest.mark.parametrize("model", PROJECTIONS)
def test_one_model_is_made_again_and_the_others_are_left_alone(recorded, model):
    before = dump(recorded)
    for name, projection in PROJECTIONS.items():
        for table in projection.TABLES:
            spoil(recorded, table.name, kept=name != model)

    rebuild(recorded, model)

    mine = {table.name for table in PROJECTIONS[model].TABLES}
    after = dump(recorded)
    assert {name: after[name] for name in mine} == {name: before[name] for name in mine}
    assert all(after[name] == before[name][:-1] for name in before if name not in mine)


def test_progress_reaches_the_number_of_events(sqlite_engine, tmp_path):
    write(sqlite_engine, tmp_path, *(builders.page_excluded(f"{URL}/{number}") for number in range(2_500)))
    said = []

    rebuild(sqlite_engine, on_progress=lambda done, total: said.append((done, total)))

    assert said == [(1_000, 2_500), (2_000, 2_500), (2_500, 2_500), (2_500, 2_500)]


def test_what_is_recorded_in_the_meantime_is_not_lost(recorded, tmp_path):
    """A recorder goes on: one event comes at each step, and the last ones right before the end."""
    late = [builders.page_fetched(f"{URL}/late/{number}") for number in range(50)]
    began, done = threading.Event(), threading.Event()

    def go_on():
        began.wait()
        with FileArchive(tmp_path / "archive", recorded) as archive:
            for message in late:
                write_batch(recorded, archive, [arrival(message)])
        done.set()

    thread = threading.Thread(target=go_on)
    thread.start()
    rounds = 0
    while not done.is_set() or rounds < 2:
        rebuild(recorded, on_progress=lambda *_: began.set())
        rounds += 1
    thread.join()

    after = dump(recorded)
    assert len(after["pages"]) == 7 + 50
    rebuild(recorded)
    assert dump(recorded) == after


def test_readers_see_the_old_rows_until_the_new_ones_are_there(recorded):
    seen = []

    rebuild(recorded, on_progress=lambda *_: seen.append(len(contents(recorded)["pages"])))

    assert set(seen) == {7}


def test_a_rebuild_that_breaks_off_leaves_everything_as_it_was(recorded):
    before = dump(recorded)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(recorded, on_progress=stop)

    assert dump(recorded) == before
    rebuild(recorded)
    assert dump(recorded) == before


def test_an_unknown_model_is_refused_with_the_names_there_are(sqlite_engine):
    with pytest.raises(
        Refused, match=r"^no read model 'page'; there are: crawls, failures, hosts, items, pages, seeds, timeline$"
    ):
        rebuild(sqlite_engine, "page")


def test_a_projection_needs_one_file(tmp_path, sqlite_url):
    """A module that nothing else names: its table is made, filled by a rebuild, and kept up by the recorder."""
    (tmp_path / "titles.py").write_text(PROJECTION)
    code = """
import sys
from storage.read_models import projections
projections.__path__.append(sys.argv[1])
from pathlib import Path
from contract.settings import Settings
from storage.sql.database import open_database
from storage.rebuild import rebuild
from storage.read_models.projections.titles import titles
from tests import builders
from tests.storage.helpers import contents, write

def rows():
    return [row["title"] for row in contents(engine, [titles])["titles"]]

engine = open_database(Settings(database_url=sys.argv[2]))
write(engine, Path(sys.argv[1]), builders.page_parsed(title="one"))
print(rows())
with engine.begin() as connection:
    connection.exec_driver_sql("DELETE FROM titles")
rebuild(engine, "titles")
print(rows())
engine.dispose()
"""
    command = [sys.executable, "-c", code, str(tmp_path), sqlite_url]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.stdout.splitlines() == ["['one']", "['one']"], done.stderr


PROJECTION = '''
"""page.parsed → titles."""

from sqlalchemy import Column, LargeBinary, Table, Text

from contract.pages import PageParsed
from storage.sql import tables
from storage.read_models.projections import rows

titles = Table("titles", tables.metadata, Column("key", LargeBinary(32), primary_key=True), Column("title", Text))
TABLES = (titles,)


def fold(connection, events):
    parsed = [event for event in events if isinstance(event.message.payload, PageParsed)]
    rows.save(connection, titles, {e.key: {"key": e.key, "title": e.message.payload.title} for e in parsed})
'''


def dump(engine):
    """Every row of every read model as text, sorted."""
    return {name: [repr(row) for row in rows] for name, rows in contents(engine, READ_MODELS).items()}


def spoil(engine, table, *, kept):
    """Lose all rows of a table, or only the last one."""
    keys = ", ".join(column.name for column in tables.metadata.tables[table].primary_key.columns)
    only = f"WHERE ({keys}) IN (SELECT {keys} FROM {table} ORDER BY {keys.replace(',', ' DESC,')} DESC LIMIT 1)"
    with writing(engine) as connection:
        connection.execute(text(f"DELETE FROM {table} {only if kept else ''}"))
