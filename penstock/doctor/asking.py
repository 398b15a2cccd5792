"""Facts: what Redis, the database and the archive's folder say when they are asked. Changes nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis.exceptions import NoPermissionError
from sqlalchemy import Connection, func, inspect, select, text

from contract import topology
from contract.archive_url import parse_archive_url
from contract.bus import Bus, clock
from contract.bus.alive import alive as alive_consumers
from contract.bus.guards import server_info
from contract.bus.rights import lacking
from contract.settings import Settings
from penstock.doctor.archive import PAGE_BYTES, ArchiveFacts
from penstock.doctor.bucket import ask_bucket
from penstock.doctor.database import DatabaseFacts
from penstock.doctor.server import ServerFacts
from penstock.doctor.stages import ClusterFacts, StageFacts
from scheduler.report import lives
from storage.sql import schema, tables

#: Round trips that are timed; the quickest counts, because the others have met something.
_ROUND_TRIPS = 5
#: What a page takes in SQL beside the archive, in bytes: its events, and its rows.
_SQL_PAGE_BYTES = 4_000

Clock = Callable[[], float]


async def ask_server(bus: Bus, *, now: Clock = time.time) -> ServerFacts:
    """What the server says of itself; raises what redis-py raises, and `Refused`."""
    quickest, ahead = float("inf"), 0.0
    for _ in range(_ROUND_TRIPS):
        began, asked = time.perf_counter(), now()
        seconds, micros = await bus.redis.time()
        took = time.perf_counter() - began
        if took < quickest:
            quickest, ahead = took, seconds + micros / 1e6 - (asked + took / 2)
    return ServerFacts(
        place=bus.place,
        info=await server_info(bus),
        user=await _user(bus),
        lacking=await lacking(bus),
        round_trip_seconds=quickest,
        ahead_seconds=ahead,
    )


async def _user(bus: Bus) -> str:
    try:
        return str(await bus.redis.acl_whoami())
    except NoPermissionError:
        return bus.place.username or "default"


async def ask_stages(bus: Bus) -> ClusterFacts:
    """What Redis knows of the stages."""
    seconds, micros = await bus.redis.time()
    now_ms = seconds * 1000 + micros // 1000
    in_flight, epoch = await bus.redis.mget([bus.keys.in_flight, bus.keys.epoch])
    alive = await alive_consumers(bus)
    taking = [stage for stage in topology.STAGES if stage.takes] if epoch else []
    stages = [await _stage(bus, stage, now_ms, alive=alive.get(stage.name, 0)) for stage in taking]
    living = await bus.redis.zrangebyscore(bus.keys.fetchers, await clock.now_ms(bus), "+inf")
    clocks = await bus.redis.hmget(bus.keys.fetcher_clocks, living) if living else []
    ahead = {name.decode().partition("|")[0]: int(ms or 0) / 1000 for name, ms in zip(living, clocks, strict=True)}
    return ClusterFacts(stages=stages, is_used=bool(epoch), jobs_in_flight=int(in_flight or 0), fetchers=ahead)


async def _stage(bus: Bus, stage: topology.Stage, now_ms: int, *, alive: int) -> StageFacts:
    missing, undelivered, pending, oldest_ms = list[str](), 0, 0, now_ms
    for stream in topology.streams_of(stage):
        key = bus.keys.stream(stream)
        group = await _group(bus, key, stage.name)
        if group is None:
            missing.append(stream)
            continue
        undelivered, pending = undelivered + int(group["lag"] or 0), pending + int(group["pending"])
        oldest_ms = min(oldest_ms, await _oldest_ms(bus, key, stage.name, group, now_ms))
    return StageFacts(
        name=stage.name,
        missing=missing,
        alive=alive,
        undelivered=undelivered,
        pending=pending,
        oldest_seconds=(now_ms - oldest_ms) / 1000,
        dead_letters=await bus.redis.xlen(bus.keys.dead(stage.name)),
    )


async def _group(bus: Bus, key: str, name: str) -> dict[str, Any] | None:
    if not await bus.redis.exists(key):
        return None
    groups = await bus.redis.xinfo_groups(key)
    return next((group for group in groups if group["name"].decode() == name), None)


async def _oldest_ms(bus: Bus, key: str, name: str, group: dict[str, Any], now_ms: int) -> int:
    ids = []
    if group["pending"]:
        ids.append((await bus.redis.xpending(key, name))["min"])
    if group["lag"]:
        after = f"({group['last-delivered-id'].decode()}"
        ids += [id for id, _ in await bus.redis.xrange(key, after, "+", count=1)]
    return min((int(id.partition(b"-")[0]) for id in ids if id), default=now_ms)


async def ask_urls_left(bus: Bus) -> int:
    """URLs of unfinished crawls that are still to be fetched."""
    crawls = [crawl.decode() for crawl in await bus.redis.hvals(bus.keys.names)]
    return sum(counts["unfinished"] for counts in (await lives(bus, crawls)).values())


def ask_database(connection: Connection, *, now: Clock = time.time) -> DatabaseFacts:
    """What the database says of itself; raises what SQLAlchemy raises."""
    is_stamped = inspect(connection).has_table(schema.VERSION_TABLE.name)
    revision = (
        connection.execute(select(schema.VERSION_TABLE.c.version_num)).scalar_one_or_none() if is_stamped else None
    )
    about: dict[str, Any] = {"revision": revision, "revisions": schema.REVISIONS}
    if connection.dialect.name == "sqlite":
        version, journal = _scalar(connection, "SELECT sqlite_version()"), _scalar(connection, "PRAGMA journal_mode")
        return DatabaseFacts(kind="SQLite", version=version, bytes=_file_bytes(connection), journal=journal, **about)
    began = now()
    theirs = float(_scalar(connection, "SELECT extract(epoch FROM clock_timestamp())"))
    return DatabaseFacts(
        kind="PostgreSQL",
        version=str(_scalar(connection, "SHOW server_version")),
        bytes=int(_scalar(connection, "SELECT pg_database_size(current_database())")),
        ahead_seconds=theirs - (began + now()) / 2,
        **about,
    )


def _scalar(connection: Connection, query: str) -> Any:
    return connection.execute(text(query)).scalar_one()


def _file_bytes(connection: Connection) -> int:
    path = Path(connection.engine.url.database or "")
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def ask_archive(settings: Settings, connection: Connection | None, *, urls_left: int = 0) -> ArchiveFacts:
    """What the folder has, and what SQL (where there is one) counts on."""
    url = parse_archive_url(settings.archive_url)
    if url.is_remote:
        return ask_bucket(settings, connection)
    folder = url.folder or settings.folder / "archive"
    about: dict[str, Any] = {"folder": folder, "unwritable": _why_unwritable(folder), "urls_left": urls_left}
    about["free_bytes"] = shutil.disk_usage(_nearest(folder)).free
    if connection is None or not inspect(connection).has_table(tables.bodies.name):
        return ArchiveFacts(**about)
    segments = {row.name: row.length for row in connection.execute(select(tables.segments))}
    bodies = connection.execute(select(func.count()).select_from(tables.bodies)).scalar_one()
    page_bytes = sum(segments.values()) / bodies + _SQL_PAGE_BYTES if bodies else PAGE_BYTES
    files = {entry.name: entry.stat().st_size for entry in os.scandir(folder)} if folder.is_dir() else {}
    return ArchiveFacts(**about, segments=segments, files=files, page_bytes=page_bytes)


def _why_unwritable(folder: Path) -> str:
    try:
        with tempfile.TemporaryFile(dir=_nearest(folder)):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _nearest(folder: Path) -> Path:
    """The folder, or what it would be made in; a file in its place is found out by writing into it."""
    return folder if folder.exists() or folder == folder.parent else _nearest(folder.parent)
