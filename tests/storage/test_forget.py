"""Forgetting a crawl: all of it goes, nothing else does, and the plug may be pulled at any moment."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from contract.crawls import CrawlCancelled
from contract.errors import Refused
from storage.archive.segments.files import FileStore
from storage.batch import write as record
from storage.forget import check, count, forget, older_than
from storage.rebuild import rebuild
from storage.sql import tables
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import READ_MODELS, arrival, contents, faults, write

OTHER = "20261124-120000-fedcba"
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def crawl(id: str, *, pages: int = 3, ended: bool = True) -> list:
    """All events of a crawl that had some of everything."""
    urls = [f"{URL}/{number}" for number in range(pages)]
    return [
        builders.crawl_started(*urls, crawl=id),
        builders.robots_fetched(crawl=id),
        builders.page_failed(urls[0], crawl=id),
        *(builders.page_fetched(url, crawl=id, attempt=2) for url in urls),
        *(builders.page_parsed(url, crawl=id) for url in urls),
        builders.page_excluded(URL + "/private", crawl=id, reason="robots"),
        *([builders.crawl_finished(fetched=pages, excluded=1, crawl=id)] if ended else []),
    ]


def everything(engine):
    """All rows of all tables but the archive's."""
    return contents(engine, [*READ_MODELS, tables.events, tables.bodies])


def segments(engine):
    return [row["name"] for row in contents(engine, [tables.segments])["segments"]]


def test_a_forgotten_crawl_leaves_nothing_and_another_one_everything(engine, tmp_path):
    write(engine, tmp_path, *crawl(OTHER))
    before, kept = everything(engine), segments(engine)
    write(engine, tmp_path, *crawl(CRAWL))
    close_segments(engine)
    assert count(engine, [CRAWL]) == len(crawl(CRAWL))

    forgotten = forget(engine, FileStore(tmp_path), [CRAWL])

    assert forgotten.events == len(crawl(CRAWL))
    assert everything(engine) == before
    assert segments(engine) == kept == [path.name for path in tmp_path.glob("*.warc.gz")]
    assert forgotten.deleted_bytes > 0
    assert (len(forgotten.deleted), forgotten.kept) == (1, [])


def test_a_rebuild_afterwards_gives_what_stands(engine, tmp_path):
    messages = [each for pair in zip(crawl(CRAWL), crawl(OTHER), strict=True) for each in pair]
    write(engine, tmp_path, *messages)

    forget(engine, FileStore(tmp_path), [CRAWL])

    before = everything(engine)
    assert {row["crawl"] for row in before["events"]} == {OTHER}
    rebuild(engine)
    assert everything(engine) == before


def test_a_segment_that_another_crawl_shares_stays_and_is_named(engine, tmp_path):
    write(engine, tmp_path, *crawl(CRAWL), *crawl(OTHER))
    close_segments(engine)

    forgotten = forget(engine, FileStore(tmp_path), [CRAWL])

    assert (forgotten.deleted, forgotten.kept) == ([], segments(engine))
    assert [faults(path) for path in tmp_path.glob("*.warc.gz")] == [[]]

    assert forget(engine, FileStore(tmp_path), [OTHER]).deleted == forgotten.kept
    assert list(tmp_path.glob("*.warc.gz")) == segments(engine) == []


def test_a_segment_that_somebody_writes_to_stays(engine, tmp_path):
    with FileStore(tmp_path).archive(engine) as archive:
        record(engine, archive, [arrival(message) for message in crawl(CRAWL)])

        assert forget(engine, FileStore(tmp_path), [CRAWL]).kept == segments(engine)

        record(engine, archive, [arrival(message) for message in crawl(OTHER)])
        assert [path.name for path in tmp_path.glob("*.warc.gz")] == segments(engine)


@pytest.mark.parametrize("step", [1, 2, 3, 5, 8, 13, 16])
def test_what_was_interrupted_at_any_moment_is_forgotten_by_the_next_run(engine, tmp_path, step):
    write(engine, tmp_path, *crawl(OTHER))
    before = everything(engine)
    write(engine, tmp_path, *crawl(CRAWL))
    close_segments(engine)
    with pytest.raises(KeyboardInterrupt):
        forget(engine, FileStore(tmp_path), [CRAWL], on_progress=Steps(step), portion=2)
    halves = contents(engine)["crawls"]

    rebuild(engine)
    assert contents(engine)["crawls"] == halves
    assert older_than(engine, 0, now=LATER) == [CRAWL, OTHER]
    forget(engine, FileStore(tmp_path), [CRAWL])

    assert everything(engine) == before
    assert len(segments(engine)) == len(list(tmp_path.glob("*.warc.gz"))) == 1


class Steps:
    """Pulls the plug after so many portions."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, gone: int) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_a_crawl_that_goes_on_is_not_forgotten(engine, tmp_path):
    write(engine, tmp_path, *crawl(CRAWL), *crawl(OTHER, ended=False))
    before = everything(engine)

    with pytest.raises(Refused, match=r"^the crawl \S+ is running; cancel it first"):
        forget(engine, FileStore(tmp_path), [CRAWL, OTHER])
    with pytest.raises(Refused, match=r"^no crawl 'x'$"):
        forget(engine, FileStore(tmp_path), ["x"])

    assert everything(engine) == before


def test_a_crawl_that_events_may_still_come_of_is_forgotten_an_hour_later(engine, tmp_path):
    ended = datetime.now(UTC)
    cancelled = builders.make_message(CrawlCancelled(), crawl=CRAWL, time=ended.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    write(engine, tmp_path, *crawl(CRAWL, ended=False), cancelled)

    with pytest.raises(Refused, match="still be on their way"):
        forget(engine, FileStore(tmp_path), [CRAWL])

    check(engine, CRAWL, now=ended + timedelta(hours=1, seconds=1))


def test_crawls_are_chosen_by_the_day_of_their_end(engine, tmp_path):
    times = {"old": "2026-09-01T00:00:00.000Z", "older": "2026-08-01T00:00:00.000Z", "new": "2026-12-31T00:00:00.000Z"}
    for id, time in times.items():
        write(engine, tmp_path, builders.crawl_started(crawl=id), builders.crawl_finished(crawl=id, time=time))
    write(engine, tmp_path, builders.crawl_started(crawl="running"))

    assert older_than(engine, 90, now=LATER) == ["older", "old"]
    assert older_than(engine, 0, now=LATER) == ["older", "old", "new"]
    assert older_than(engine, 1_000, now=LATER) == []


def close_segments(engine):
    """What a recorder's next start does."""
    with engine.begin() as connection:
        connection.execute(tables.segments.update().values(closed=True))
        assert connection.execute(select(tables.segments.c.closed)).scalars().all()
