"""Exports of many rows: in constant memory, and never half a file under the name of a whole one."""

import functools
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import insert

from contract import codec
from storage.sql import tables
from storage.sql.database import make_engine, writing
from storage.sql.schema import make_current
from storage.sql.tables import digest
from storage.store.event_store import packed
from tests import builders

FEW, MANY = 1_000, 20_000
#: What all of MANY rows would take, about, in KiB.
ALL_KIB = 20_000
#: DuckDB takes what it may up to a bound, so only more than that is seen to be bounded.
PARQUET = 40_000
CODE = """
import re, sys
from pathlib import Path
from contract.settings import Settings
from storage.sql.database import open_recorded
from storage.exports.export import export
from storage.archive.segments.files import FileStore
data, what, format, to = sys.argv[1:]
export(open_recorded(Settings(data=data)), what, format=format, to=to, archive=FileStore(Path(data)))
# Not ru_maxrss: it begins with what the process had from which this one was forked.
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""
WHAT = [("pages", "jsonl"), ("items", "csv"), ("events", "jsonl"), ("warc", "warc"), ("items", "parquet")]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory of a process")


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """A function: number of rows → a data folder with so many of every kind."""

    @functools.cache
    def made(number: int) -> Path:
        folder = tmp_path_factory.mktemp(str(number))
        _fill(folder, number)
        return folder

    return made


@on_linux
@pytest.mark.parametrize(("what", "format"), WHAT[:-1])
def test_many_rows_need_no_more_memory_than_few(folder_of, tmp_path, what, format):
    few, many = (int(_run(folder_of(number), what, format, tmp_path / "out")) for number in (FEW, MANY))

    assert many - few < ALL_KIB / 2


@pytest.mark.soak
@on_linux
def test_parquet_needs_no_more_memory_beyond_what_duckdb_takes_at_once(folder_of, tmp_path):
    many, more = (int(_run(folder_of(number), "items", "parquet", tmp_path / "out")) for number in (MANY, PARQUET))

    assert more - many < ALL_KIB * 3 / 4


@pytest.mark.parametrize(("what", "format"), WHAT)
def test_a_killed_export_leaves_no_file_of_that_name(folder_of, tmp_path, what, format):
    process = subprocess.Popen([sys.executable, "-c", CODE, *_words(folder_of(MANY), what, format, tmp_path / "out")])
    while not any(path.stat().st_size for path in tmp_path.iterdir()):
        assert process.poll() is None, "it was over before it could be killed"
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert not (tmp_path / "out").exists()
    assert all(path.name.startswith(".out.") for path in tmp_path.iterdir())


@pytest.mark.parametrize(("what", "format"), [("pages", "jsonl"), ("items", "csv"), ("items", "parquet")])
def test_an_export_that_is_asked_to_end_leaves_nothing_at_all(folder_of, tmp_path, what, format):
    out = tmp_path / "out"
    words = ["export", what, "--format", format, "-o", str(out), "--data", str(folder_of(MANY))]
    process = subprocess.Popen([sys.executable, "-m", "penstock", *words])
    while not any(path.stat().st_size for path in _listed(tmp_path)):
        assert process.poll() is None, "it was over before it could be ended"
        time.sleep(0.001)

    process.terminate()

    assert process.wait() == 143
    assert list(tmp_path.iterdir()) == []


def _listed(folder: Path) -> list[Path]:
    """What lies in a folder and is not gone at once."""
    return [path for path in folder.iterdir() if path.exists()]


def _run(folder: Path, *words) -> bytes:
    return subprocess.run([sys.executable, "-c", CODE, *_words(folder, *words)], capture_output=True, check=True).stdout


def _words(folder: Path, what: str, format: str, to: Path) -> list[str]:
    return [str(folder), what, format, str(to)]


def _fill(folder: Path, number: int) -> None:
    """Rows as a recorder would leave them, of one kilobyte each, without the recorder's work."""
    engine = make_engine(f"sqlite:///{folder / 'penstock.db'}")
    body = gzip.compress(b"x" * 100)
    (folder / "segment.warc.gz").write_bytes(body)
    urls = [f"http://site.test/{n}" for n in range(number)]
    with writing(engine) as connection:
        make_current(connection)
        connection.execute(insert(tables.segments), [{"id": 1, "name": "segment.warc.gz", "length": 0, "closed": True}])
        connection.execute(insert(tables.events), [_event(n, url) for n, url in enumerate(urls, 1)])
        places = [{"position": n + 1, "segment": 1, "offset": 0, "length": len(body)} for n in range(number)]
        connection.execute(insert(tables.bodies), places)
        connection.execute(insert(tables.pages), [_page(url) for url in urls])
        connection.execute(insert(tables.items), [_item(url) for url in urls])
    engine.dispose()


def _event(position: int, url: str) -> dict[str, object]:
    message = builders.page_fetched(url, content_type="x" * 700)
    common = {"position": position, "key": digest(url), "id": url, "type": "page.fetched", "crawl": builders.CRAWL}
    return {**common, "time": builders.TIME, "data": packed(codec.encode(message))}


def _page(url: str) -> dict[str, object]:
    counts = dict.fromkeys(("attempts", "bytes", "wire_bytes", "links_found", "links_left_out", "items_found"), 1)
    page = {"key": digest(url), "crawl": builders.CRAWL, "url": url, "host": "http://site.test", "outcome": "fetched"}
    return {**page, **counts, "title": "x" * 1_000, "parsed_event": digest(url)}


def _item(url: str) -> dict[str, object]:
    item = {"event": digest(url), "ordinal": 0, "page": digest(url), "crawl": builders.CRAWL, "type": "page"}
    return {**item, "data": '{"text":"%s"}' % ("x" * 1_000), "spider": "generic", "spider_version": "1"}
