"""Where SQL has lost something, what the archive has beyond it is kept and said, not thrown away."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, update
from warcio.archiveiterator import ArchiveIterator

from storage.archive.segments.files import FileStore
from storage.batch import write as write_batch
from storage.sql import tables
from storage.sql.database import writing
from tests.storage.helpers import contents
from tests.storage.segments.helpers import URLS, archive_of, fetched, readable, recorded, rows


def urls_in(path: Path) -> list[str]:
    with path.open("rb") as file:
        found = [record for record in ArchiveIterator(file) if record.rec_type == "response"]
        return [record.rec_headers.get_header("WARC-Target-URI") for record in found]


def forget_all_but(engine: Engine, copy: dict) -> None:
    """SQL is as it was when this copy was made, as far as the archive is concerned."""
    with writing(engine) as connection:
        for table in (tables.events, tables.bodies):
            known = [row["position"] for row in copy[table.name]]
            connection.execute(delete(table).where(table.c.position.not_in(known)))
        for row in copy["segments"]:
            connection.execute(update(tables.segments).where(tables.segments.c.id == row["id"]).values(row))


def test_the_end_of_a_segment_that_sql_has_lost_is_set_aside(engine: Engine, tmp_path: Path, caplog):
    store = FileStore(tmp_path)
    with archive_of(store, engine) as archive:
        write_batch(engine, archive, fetched(*URLS[:2]))
        copy = contents(engine, [tables.events, tables.bodies, tables.segments])
        write_batch(engine, archive, fetched(*URLS[2:5]))
    forget_all_but(engine, copy)

    store.repair(engine, keep=True)

    [aside] = (tmp_path / "unrecorded").iterdir()
    assert urls_in(aside) == URLS[2:5]
    assert urls_in(tmp_path / rows(engine)[0]["name"]) == URLS[:2]
    assert readable(store, engine) == URLS[:2]
    assert str(aside) in caplog.text


def test_what_was_never_recorded_is_cut_off(engine: Engine, tmp_path: Path):
    store = FileStore(tmp_path)
    recorded(store, engine, URLS[:2])
    with (tmp_path / rows(engine)[0]["name"]).open("ab") as file:
        file.write(b"half a record")

    assert store.repair(engine) == [rows(engine)[0]["name"]]
    assert not (tmp_path / "unrecorded").exists()


def test_a_recorder_whose_segment_sql_has_lost_begins_another_one(engine: Engine, tmp_path: Path):
    store = FileStore(tmp_path)
    with archive_of(store, engine) as archive:
        write_batch(engine, archive, fetched(*URLS[:2]))
        with writing(engine) as connection:  # … and another recorder has that number by now
            for table in (tables.events, tables.bodies):
                connection.execute(delete(table))
            connection.execute(update(tables.segments).values(name="another.warc.gz", length=0))
        with pytest.raises(OSError, match="SQL has lost the segment"):
            write_batch(engine, archive, fetched(*URLS[2:4]))
        write_batch(engine, archive, fetched(*URLS[2:4]))  # as a recorder does

    assert readable(store, engine) == URLS[2:4]
    assert [row["length"] for row in rows(engine) if row["name"] == "another.warc.gz"] == [0]
