"""Bytes on disk for each page: SQL table by table and index by index, and the archive.

    python -m benchmarks.disk [--count 5000] [--database sqlite|embedded|ADDRESS] [--pages FOLDER]

The recorder's own function writes what fetcher and parser make of each page: page.fetched with its body, and
page.parsed with 80 links and what the generic extractor takes (most of which is the page's text); `--item N` puts one
item of N bytes in its place. Then as many URLs that were left out are written: an event and a row each.
`embedded` is a PostgreSQL of our own; at ADDRESS a schema is made and dropped again. Nothing is vacuumed or compacted;
the write-ahead logs are not in the figures.
"""

import argparse
import random
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from sqlalchemy import Engine, text

from benchmarks import pages
from benchmarks.record_cpu import database
from contract.envelope import Message
from contract.pages import Item
from contract.settings import Settings
from scheduler.urls import as_hex, fingerprint
from storage import batch
from storage.archive.segments.files import FileArchive
from storage.sql.database import open_database
from storage.store.event_store import Arrival
from tests import builders
from tests.storage.helpers import arrival

#: What the recorder takes at most, and hosts: enough that each has many pages.
EVENTS_A_BATCH, HOSTS = 250, 20
_SQLITE = "SELECT tbl_name, m.name, sum(pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name GROUP BY 2"
_POSTGRES = """
SELECT t.relname, t.relname, pg_table_size(t.oid) FROM pg_class t
WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace
UNION ALL SELECT t.relname, i.relname, pg_relation_size(i.oid) FROM pg_index x
JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace
"""
Sizes = dict[tuple[str, str], int]


def main(given: argparse.Namespace, database_url: str) -> None:
    """Write the pages, then the URLs left out, and print what each takes."""
    bodies = pages.load(given.pages)
    with tempfile.TemporaryDirectory(prefix="ps") as name:
        data = Path(name)
        engine = open_database(Settings(database_url=database_url, data=name))
        with FileArchive(data / "archive", engine) as archive:
            batch.write(engine, archive, [arrival(builders.crawl_started(pages.url_of(0, 1)))])
            empty = sizes(engine)
            bodies_bytes = write(engine, archive, read_pages(bodies, given.count, item_bytes=given.item))
            full = sizes(engine)
            write(engine, archive, map(arrival, left_out(given.count)))
            more = sizes(engine)
        kept = sum(path.stat().st_size for path in (data / "archive").rglob("*") if path.is_file())
        engine.dispose()
    mean = sum(len(bodies[number % len(bodies)]) for number in range(given.count)) / given.count
    show(f"a page of {mean:,.0f} bytes", difference(full, empty), given.count)
    show("a URL that was left out", difference(more, full), given.count)
    print(f"archive: {kept / given.count:,.0f} bytes a page, {kept / given.count / mean:.3f} of the body, of which")
    print(f"{bodies_bytes / given.count:,.0f} are answers and requests, the rest is metadata of the parse")


def write(engine: Engine, archive: FileArchive, arrivals: Iterable[Arrival]) -> int:
    """Record these, a batch at a time; returns the bytes of their bodies as stored."""
    stored, some = 0, []
    for one in arrivals:
        some.append(one)
        stored += len(one.body or b"")
        if len(some) == EVENTS_A_BATCH:
            batch.write(engine, archive, some)
            some = []
    if some:
        batch.write(engine, archive, some)
    return stored


def read_pages(bodies: list[bytes], count: int, *, item_bytes: int | None) -> Iterator[Arrival]:
    """The two events of each page, each with other links and another text."""
    for number in range(count):
        job = pages.job_of(pages.url_of(number, HOSTS), crawl=builders.CRAWL)
        page, kept = pages.fetched(job.envelope, job.payload, bodies[number % len(bodies)])
        links = [pages.url_of(number * pages.LINKS + n, HOSTS) for n in range(pages.LINKS)]
        said = pages.parsed(page, kept, links=links)
        if item_bytes is not None:
            noise = random.Random(number).randbytes(item_bytes // 2).hex()
            said = msgspec.structs.replace(
                said, payload=msgspec.structs.replace(said.payload, items=(Item(type="page", data={"text": noise}),))
            )
        yield arrival(page, kept)
        yield arrival(said)


def left_out(count: int) -> Iterator[Message]:
    """Links that lead out of the crawl, each another URL, all found on some page."""
    for number in range(count):
        place = pages.place_of(pages.url_of(10**8 + number, 10**6))
        mark = as_hex(fingerprint(place.href))
        excluded = builders.page_excluded(place.href, id=f"{builders.CRAWL}.{mark}.excluded")
        facts = {"host": place.host, "fingerprint": mark, "depth": 2, "via": pages.url_of(number, HOSTS)}
        yield msgspec.structs.replace(excluded, payload=msgspec.structs.replace(excluded.payload, **facts))


def sizes(engine: Engine) -> Sizes:
    """(Table, that table or one of its indexes) → bytes."""
    statement = _SQLITE if engine.dialect.name == "sqlite" else _POSTGRES
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return {(table, name): int(size) for table, name, size in connection.execute(text(statement))}


def difference(after: Sizes, before: Sizes) -> Sizes:
    """What came, where something came."""
    grown = {which: size - before.get(which, 0) for which, size in after.items()}
    return {which: size for which, size in grown.items() if size}


def show(what: str, grown: Sizes, count: int) -> None:
    """A table: the whole, tables, and the indexes of each."""
    print(f"| {what} | bytes |\n|---|---|\n| all of it | {sum(grown.values()) / count:,.0f} |")
    for (table, name), size in sorted(grown.items(), key=lambda one: (one[0][0], one[0][0] != one[0][1], one[0][1])):
        if size / count >= 1:
            print(f"| {table if table == name else f'{table}, index {name}'} | {size / count:,.0f} |")
    print()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--item", type=int, help="bytes of the one item of each page; else the generic extractor's")
    pages.add_option(parser)
    options = parser.parse_args()
    with database(options.database) as address:
        main(options, address)
