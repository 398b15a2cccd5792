"""CPU of `storage.record` per page: the whole path, from a real server's streams to SQLite and the archive.

    python -m benchmarks.record_cpu [PAGES=5000] [DATABASE_URL]

A page is two events (page.fetched with a body of about 8 KB stored, page.parsed with 80 links and one item of 2 KB).
Budget: 0.24 ms of CPU a page, this process alone. Events lie ready before the clock starts, so batches are full; with
`--trickle` they come at 700 pages a second, as in a crawl.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import Engine

from events import codec
from events.bus import Bus
from events.bus.groups import ensure_groups
from events.pages import Item, Link
from events.settings import Settings
from storage import queries, record
from storage.database import make_engine
from tests import builders
from tests.conftest import start_redis

PAGES_A_SECOND = 700


async def main(pages: int, database_url: str, *, trickle: bool) -> None:
    """Fill the streams, record them, print the cost."""
    with tempfile.TemporaryDirectory(prefix="ps") as name, start_redis(folder := Path(name)) as redis_url:
        settings = Settings(redis_url=redis_url, database_url=database_url, data=str(folder / "data"))
        async with Bus.open(redis_url) as bus:
            await ensure_groups(bus)
            entries = [_page(number) for number in range(pages)]
            if not trickle:
                await _publish(bus, entries)
            cpu, wall = time.process_time(), time.perf_counter()
            task = asyncio.create_task(_record(settings, pages))
            cpu += await _publish_slowly(bus, entries) if trickle else 0.0
            await task
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{pages} pages: {cpu / pages * 1000:.3f} ms CPU a page, {pages / wall:.0f} pages/s")


async def _record(settings: Settings, pages: int) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(record.run(settings, stop))
    engine: Engine | None = None
    try:
        while not task.done():
            await asyncio.sleep(0.25)
            engine = engine or make_engine(settings.sql_url)
            if queries.progress(engine, builders.CRAWL)["parsed"] == pages:
                break
    finally:
        stop.set()
        await task


def _page(number: int) -> tuple[bytes, bytes, str, bytes]:
    url = f"http://site{number % 20}.test/docs/section/page-{number:06}.html"
    dice = random.Random(number)
    item = Item(type="page", data={"title": f"Page {number}", "text": dice.randbytes(1_000).hex()})
    links = tuple(Link(f"http://site{number % 20}.test/docs/section/page-{number + i:06}.html") for i in range(80))
    fetched = builders.page_fetched(url, body=builders.body_ref(stored=8_000, size=37_000))
    parsed = builders.page_parsed(url, links=links, links_found=80, items=(item,))
    member = b"\x1f\x8b\x08" + dice.randbytes(7_997)
    return codec.encode(fetched), codec.encode(parsed), fetched.envelope.id, member


async def _publish(bus: Bus, entries: list[tuple[bytes, bytes, str, bytes]]) -> None:
    pipeline = bus.redis.pipeline(transaction=False)
    for fetched, parsed, id, member in entries:
        pipeline.set(bus.keys.body(id), member)
        pipeline.xadd(bus.keys.stream("page.fetched"), {"e": fetched, "b": bus.keys.body(id), "s": len(member)})
        pipeline.xadd(bus.keys.stream("page.parsed"), {"e": parsed})
    await pipeline.execute()


async def _publish_slowly(bus: Bus, entries: list[tuple[bytes, bytes, str, bytes]]) -> float:
    """Publish at the pace of a crawl; returns the CPU seconds that this took itself, about."""
    spent, began = 0.0, time.perf_counter()
    for start in range(0, len(entries), 14):
        await asyncio.sleep(max(0.0, began + start / PAGES_A_SECOND - time.perf_counter()))
        before = time.process_time()
        await _publish(bus, entries[start : start + 14])
        spent += time.process_time() - before
    return spent


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    asyncio.run(
        main(
            int(words[0]) if words else 5_000,
            words[1] if len(words) > 1 else os.environ.get("PENSTOCK_DATABASE_URL", ""),
            trickle="--trickle" in sys.argv,
        )
    )
