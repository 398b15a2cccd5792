"""Recorders that write at the same time: each event once, each body once, and positions seen in their order."""

import random
import threading

import pytest
from sqlalchemy import select

from storage.archive.segments.files import FileStore
from storage.batch import write as record
from storage.read_models import queries
from storage.rebuild import rebuild
from storage.sql import tables
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import arrival, contents, faults

PAGES, BATCH = 120, 15


class Watcher(threading.Thread):
    """Reads on from the last position that it saw, as everybody does who follows the record."""

    def __init__(self, engine):
        super().__init__(daemon=True)
        self.engine, self.seen, self.over = engine, [], threading.Event()

    def run(self):
        last = False
        while not last:
            last = self.over.is_set()
            with self.engine.connect() as connection:
                position = tables.events.c.position
                after = self.seen[-1] if self.seen else 0
                query = select(position).where(position > after).order_by(position)
                self.seen += connection.execute(query).scalars()


def batches(seed):
    """All events of a crawl, in another order and cut otherwise for each recorder."""
    urls = [f"{URL}/{number}" for number in range(PAGES)]
    arrivals = [arrival(make(url)) for url in urls for make in (builders.page_fetched, builders.page_parsed)]
    arrivals.append(arrival(builders.crawl_finished(fetched=PAGES)))
    random.Random(seed).shuffle(arrivals)
    return [arrivals[start : start + BATCH] for start in range(0, len(arrivals), BATCH)]


@pytest.mark.parametrize("recorders", [2, 3])
def test_recorders_of_the_same_events_at_once(engine, tmp_path, recorders):
    errors, watcher = [], Watcher(engine)

    def work(seed):
        try:
            with FileStore(tmp_path).archive(engine) as archive:
                written.extend(record(engine, archive, some).events for some in batches(seed))
        except Exception as error:
            errors.append(error)

    written: list[int] = []
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(recorders)]
    for thread in [watcher, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    watcher.over.set()
    watcher.join()

    assert errors == []
    assert sum(written) == len(watcher.seen) == 2 * PAGES + 1
    assert watcher.seen == [row["position"] for row in contents(engine, [tables.events])["events"]]
    assert queries.is_complete(engine, CRAWL)
    segments = contents(engine, [tables.segments])["segments"]
    assert sum(row["length"] for row in segments) == sum(path.stat().st_size for path in tmp_path.glob("*.warc.gz"))
    assert [fault for path in tmp_path.glob("*.warc.gz") for fault in faults(path)] == []
    assert len(contents(engine, [tables.bodies])["bodies"]) == PAGES
    before = contents(engine)
    rebuild(engine)
    assert contents(engine) == before
