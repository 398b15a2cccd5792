"""Segments as objects: what a recorder may rely on, what is swept, and what is said when a bucket cannot be used."""

import logging
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from contract.archive_url import parse_archive_url
from contract.errors import Refused, Unreachable
from contract.settings import Settings
from storage.archive.reader import ArchiveReader
from storage.archive.segments.bucket import ObjectStore
from storage.archive.segments.objects import ObjectArchive, ReservationLost
from storage.archive.segments.opening import open_store
from storage.archive.segments.sweep import sweep
from storage.batch import is_passing
from storage.batch import write as write_batch
from storage.sql import tables
from storage.sql.database import writing
from tests.s3 import CREDENTIALS, archive_url
from tests.storage.segments.helpers import URLS, fetched, readable, recorded, repaired, rows, sizes

TOO_LARGE = {"elapsed_ms": 2**70}


class Puts:
    """Counts what is put, and can fail."""

    def __init__(self, bucket: ObjectStore) -> None:
        self.bucket, self.made, self.lost_answers = bucket, [], 0

    def __call__(self, name: str, data: bytes) -> None:
        self.made.append(name)
        self.bucket.put(name, data)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unreachable("the answer was lost")


@pytest.fixture
def puts(bucket):
    return Puts(bucket)


def test_names_sort_by_time_and_tell_the_day(sqlite_engine, bucket):
    recorded(bucket, sqlite_engine, *([url] for url in URLS[:3]))

    names = [row["name"] for row in rows(sqlite_engine)]
    assert all(name.startswith(f"{datetime.now(UTC):%Y%m}") and name.endswith(".warc.gz") for name in names)
    assert [name[:26] for name in names] == sorted(name[:26] for name in names)


def test_a_batch_that_sql_refuses_is_put_once_however_often_it_is_tried(sqlite_engine, bucket, puts):
    batch = fetched(URLS[0]) + fetched(URLS[1], **TOO_LARGE)
    with ObjectArchive(puts, sqlite_engine) as archive:
        for _ in range(3):
            with pytest.raises(OverflowError):
                write_batch(sqlite_engine, archive, batch)
        assert len(puts.made) == 1

        write_batch(sqlite_engine, archive, fetched(URLS[0]))

    assert len(set(puts.made)) == 2
    assert readable(bucket, sqlite_engine) == URLS[:1]


def test_a_put_whose_answer_is_lost_is_believed_when_it_is_made_again(sqlite_engine, bucket, puts):
    puts.lost_answers = 1
    with ObjectArchive(puts, sqlite_engine) as archive:
        with pytest.raises(Unreachable):
            write_batch(sqlite_engine, archive, fetched(*URLS[:2]))
        write_batch(sqlite_engine, archive, fetched(*URLS[:2]))

    assert len(puts.made) == 2
    assert len(set(puts.made)) == 1
    assert readable(bucket, sqlite_engine) == URLS[:2]


def test_an_object_is_never_overwritten(bucket):
    bucket.put("20260101/one", b"first")
    bucket.put("20260101/one", b"other")

    assert bucket.read("20260101/one", 0, 10) == b"first"


def test_the_reservation_of_a_living_recorder_is_left_alone(sqlite_engine, bucket):
    with bucket.archive(sqlite_engine) as archive:
        archive.make_ready()

        assert sweep(sqlite_engine, bucket) == []

        write_batch(sqlite_engine, archive, fetched(URLS[0]))
    assert readable(bucket, sqlite_engine) == URLS[:1]


def test_a_recorder_that_was_taken_for_dead_files_its_batch_elsewhere(sqlite_engine, bucket):
    with bucket.archive(sqlite_engine) as archive:
        archive.make_ready()
        swept = repaired(bucket, sqlite_engine)
        with pytest.raises(ReservationLost) as raised:
            write_batch(sqlite_engine, archive, fetched(URLS[0]))
        assert is_passing(raised.value)
        write_batch(sqlite_engine, archive, fetched(URLS[0]))

    assert readable(bucket, sqlite_engine) == URLS[:1]
    assert swept[0] not in sizes(bucket, sqlite_engine)


def test_an_old_reservation_is_given_up_by_its_own_recorder(sqlite_engine, bucket):
    with ObjectArchive(bucket.put, sqlite_engine, reserved_seconds=0) as archive:
        archive.make_ready()
        archive.make_ready()

    first, second = rows(sqlite_engine)
    assert first["name"] != second["name"]


def test_a_sweep_that_was_interrupted_is_finished_by_the_next(sqlite_engine, bucket):
    name = "20260101/penstock-20260101-000000-0123.warc.gz"
    bucket.put(name, b"whatever")
    with writing(sqlite_engine) as connection:
        connection.execute(insert(tables.segments).values(name=name, length=0, closed=True))

    assert sweep(sqlite_engine, bucket) == [name]

    assert bucket.sizes([name]) == {}
    assert rows(sqlite_engine) == []


def test_an_archive_that_moved_into_a_bucket_is_read_as_one(sqlite_engine, s3_server, credentials, tmp_path):
    settings = Settings(data=str(tmp_path))
    recorded(open_store(settings), sqlite_engine, URLS[:2])
    moved = open_store(Settings(data=str(tmp_path), archive_url=archive_url(s3_server)))
    recorded(moved, sqlite_engine, URLS[2:4])

    assert readable(moved, sqlite_engine) == URLS[:4]
    assert len(sizes(moved, sqlite_engine)) == 2
    old, _ = rows(sqlite_engine)
    moved.later.put(old["name"], (tmp_path / "archive" / old["name"]).read_bytes())
    moved.files.delete([old["name"]])
    moved.close()
    assert readable(moved, sqlite_engine) == URLS[:4]
    assert moved.repair(sqlite_engine) == []
    moved.delete([row["name"] for row in rows(sqlite_engine)])
    assert sizes(moved, sqlite_engine) == {}


def test_a_folder_is_named_by_a_url_too(sqlite_engine, tmp_path):
    store = open_store(Settings(data=str(tmp_path / "data"), archive_url=f"file://{tmp_path}/far%20away"))
    recorded(store, sqlite_engine, URLS[:1])

    assert len(list((tmp_path / "far away").glob("*.warc.gz"))) == 1


# -- what cannot be used


def test_a_server_that_is_away_is_unreachable_and_nothing_secret_is_said(sqlite_engine, credentials):
    away = ObjectStore(parse_archive_url("s3://pages/x?endpoint=http://127.0.0.1:1&region=r"))

    for ask in (away.check, lambda: away.put("a", b"x")):
        with pytest.raises(Unreachable, match=r"the archive s3://pages/x: .*connect") as raised:
            ask()
        assert "\n" not in str(raised.value)
        assert not any(secret in str(raised.value) for secret in CREDENTIALS.values())
        assert is_passing(raised.value)


def test_a_bucket_that_is_not_there_is_refused_at_the_start_and_no_lost_body(s3_server, credentials):
    none = ObjectStore(parse_archive_url(archive_url(s3_server, bucket="none-such")))

    with pytest.raises(Refused, match=r"^cannot use the archive s3://none-such/\S+: NoSuchBucket$"):
        none.check()
    for ask in (lambda: none.read("a", 0, 1), lambda: none.put("a", b"x")):
        with pytest.raises(Unreachable, match="NoSuchBucket"):
            ask()


def test_a_bucket_of_use_is_not_refused(bucket):
    bucket.check()


def test_credentials_are_asked_for_where_there_are_none(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)

    with pytest.raises(Refused, match="set AWS_ACCESS_KEY_ID"):
        open_store(Settings(archive_url="s3://pages?endpoint=http://127.0.0.1:1"))


def test_logs_and_errors_of_a_broken_archive_hold_no_secret(sqlite_engine, bucket, caplog):
    caplog.set_level(logging.DEBUG)
    recorded(bucket, sqlite_engine, URLS[:2])
    with ArchiveReader(bucket, sqlite_engine) as reader:
        reader.read(next(iter(reader.pages())).place)

    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in caplog.text + repr(bucket) + repr(bucket.__dict__)
