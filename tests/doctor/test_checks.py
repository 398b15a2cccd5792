"""What the doctor makes of facts about Redis, the stages, the database and the archive: each fault has its line."""

from pathlib import Path

import msgspec
import pytest

from contract.redis_url import parse_redis_url
from penstock.doctor.archive import ArchiveFacts, check_archive
from penstock.doctor.database import DatabaseFacts, check_database
from penstock.doctor.server import ServerFacts, check_redis
from penstock.doctor.stages import ClusterFacts, StageFacts, check_stages

GB = 1_000_000_000
INFO = {
    "redis_version": "7.2.4",
    "valkey_version": "9.1.2",
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "used_memory": 10_000_000,
    "maxmemory": GB,
    "role": "master",
    "connected_slaves": 0,
}
SERVER = ServerFacts(
    place=parse_redis_url("redis://127.0.0.1/0"),
    info=INFO,
    user="penstock",
    lacking=[],
    round_trip_seconds=0.0002,
    ahead_seconds=0.01,
)


def levels(findings):
    """What is not well: what was looked at → level."""
    return {one.what: one.level for one in findings if one.level != "ok"}


def test_a_healthy_server_is_well():
    assert levels(check_redis(SERVER)) == {}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"redis_version": "6.2.14"}, {"redis version": "bad"}),
        ({"maxmemory_policy": "allkeys-lru"}, {"redis eviction": "bad"}),
        ({"aof_enabled": 0}, {"redis persistence": "warn"}),
        ({"aof_last_write_status": "err"}, {"redis disk": "bad"}),
        ({"rdb_last_bgsave_status": "err"}, {"redis disk": "bad"}),
        ({"used_memory": 0.8 * GB}, {"redis memory": "warn"}),
        ({"used_memory": 0.99 * GB}, {"redis memory": "bad"}),
        ({"maxmemory": 0}, {}),
        ({"maxmemory": 0, "total_system_memory": 12_000_000}, {"redis memory": "warn"}),
        ({"role": "slave"}, {"redis role": "bad"}),
    ],
)
def test_what_a_server_says_of_itself_has_its_line(said, expected):
    assert levels(check_redis(msgspec.structs.replace(SERVER, info={**INFO, **said}))) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"lacking": ["xadd"]}, {"redis rights": "bad"}),
        ({"round_trip_seconds": 0.1}, {"redis latency": "warn"}),
        ({"round_trip_seconds": 1.0}, {"redis latency": "bad"}),
        ({"ahead_seconds": 3.0}, {"redis clock": "warn"}),
        ({"ahead_seconds": -3600.0}, {"redis clock": "bad"}),
        ({"info": {"redis_version": "7.0.15"}}, {"redis settings": "warn"}),
    ],
)
def test_what_is_seen_of_a_server_has_its_line(changed, expected):
    assert levels(check_redis(msgspec.structs.replace(SERVER, **changed))) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///run/r.sock", {}),
        ("redis://localhost", {}),
        ("redis://redis.internal", {"redis way": "warn"}),
        ("redis://:secret@redis.internal", {"redis way": "warn"}),
        ("rediss://:secret@redis.internal", {}),
        ("rediss://:secret@redis.internal?ssl_cert_reqs=none", {"redis way": "warn"}),
        ("sentinels://:secret@h1,h2/mine", {"redis role": "warn"}),
    ],
)
def test_the_way_to_a_server_has_its_line(url, expected):
    assert levels(check_redis(msgspec.structs.replace(SERVER, place=parse_redis_url(url)))) == expected


def cluster(*stages, fetchers=None, **more):
    """A cluster with these stages."""
    facts = {"is_used": True, "jobs_in_flight": 0, **more}
    return ClusterFacts(stages=stages, fetchers={"h-1-ab": 0.1} if fetchers is None else fetchers, **facts)


PARSE, FETCH = StageFacts(name="scraper.parse", alive=2), StageFacts(name="scraper.fetch")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (cluster(PARSE, FETCH), {}),
        (cluster(msgspec.structs.replace(PARSE, alive=0, undelivered=7), FETCH), {"scraper.parse": "bad"}),
        (cluster(msgspec.structs.replace(PARSE, alive=0), FETCH), {"scraper.parse": "warn"}),
        (cluster(msgspec.structs.replace(PARSE, missing=["page.fetched"]), FETCH), {"scraper.parse": "bad"}),
        (cluster(msgspec.structs.replace(PARSE, pending=1, oldest_seconds=3600), FETCH), {"scraper.parse": "warn"}),
        (cluster(msgspec.structs.replace(PARSE, dead_letters=3), FETCH), {"dead letters": "warn"}),
        (cluster(PARSE, FETCH, fetchers={}, jobs_in_flight=3), {"scraper.fetch": "bad"}),
        (cluster(PARSE, FETCH, fetchers={}), {}),
        (cluster(PARSE, FETCH, fetchers={"a-1-x": 0.2, "b-1-x": 4.0}), {"worker clocks": "warn"}),
        (cluster(msgspec.structs.replace(PARSE, alive=0), fetchers={}), {"stages": "warn"}),
        (cluster(msgspec.structs.replace(PARSE, alive=0, pending=1), fetchers={}), {"stages": "bad"}),
        (cluster(is_used=False), {"stages": "warn"}),
    ],
)
def test_what_is_known_of_the_stages_has_its_line(facts, expected):
    assert levels(check_stages(facts)) == expected


def test_a_stopped_stage_is_named_with_its_backlog_and_the_command_that_mends_it():
    facts = cluster(msgspec.structs.replace(PARSE, alive=0, undelivered=1_234), FETCH)
    assert str(check_stages(facts)[0]) == (
        "bad  scraper.parse: nobody at work, 1,234 wait, 0 held; start penstock parse"
    )


DATABASE = DatabaseFacts(kind="SQLite", version="3", revision="2", revisions=("1", "2"), bytes=1, journal="wal")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"revision": "1"}, {"database tables": "bad"}),
        ({"revision": "9"}, {"database tables": "bad"}),
        ({"revision": None}, {}),
        ({"journal": "delete"}, {"database": "warn"}),
        ({"ahead_seconds": 0.1}, {}),
        ({"ahead_seconds": -20.0}, {"database clock": "bad"}),
    ],
)
def test_what_is_known_of_the_database_has_its_line(changed, expected):
    assert levels(check_database(msgspec.structs.replace(DATABASE, **changed))) == expected


ARCHIVE = ArchiveFacts(folder=Path("/a"), free_bytes=100 * GB, segments={"s": 10}, files={"s": 12})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"unwritable": "Read-only file system"}, {"archive folder": "bad"}),
        ({"free_bytes": 1_000}, {"archive disk": "bad"}),
        ({"urls_left": 10_000_000}, {"archive disk": "warn"}),
        ({"files": {"s": 9}}, {"archive segments": "bad"}),
        ({"files": {}}, {"archive segments": "warn"}),
    ],
)
def test_what_is_known_of_the_archive_has_its_line(changed, expected):
    assert levels(check_archive(msgspec.structs.replace(ARCHIVE, **changed))) == expected
