"""A whole cluster on one machine, or the way to the one that runs already."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from contract.errors import Refused
from contract.safe_text import STARS, masked
from contract.settings import Settings
from penstock.cluster.folder import Address, DataFolder
from penstock.cluster.server import EmbeddedServer, wait_until_gone
from penstock.cluster.supervisor import (
    DRAIN_SECONDS,
    IDLE_DRAIN_SECONDS,
    MOST_REFUSALS,
    STAGE_COMMANDS,
    WELL_SECONDS,
    Supervisor,
)

log = logging.getLogger("penstock.cluster")

#: How often a dead embedded server is noticed.
_LOOK_SECONDS = 0.1
#: Before a server that ended is started anew; doubles with each time in a row.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.01, 5.0
#: How often is looked for processes that were killed. What they held goes on so much later.
_DEAD_LOOK_SECONDS = 0.5
#: How long a cluster that has the folder may take to say where it can be reached.
_ADDRESS_SECONDS = 15.0


class Cluster:
    """What a command needs to know of the cluster it uses: settings that lead to it, and whether it is ours."""

    def __init__(self, settings: Settings, *, supervisor: Supervisor | None = None) -> None:
        self.settings, self.supervisor = settings, supervisor
        #: Set by the command when no crawl is left, so that the end need not be waited for.
        self.is_idle = False

    @property
    def is_ours(self) -> bool:
        """Whether this process started the cluster, and ends it."""
        return self.supervisor is not None


@contextlib.asynccontextmanager
async def one_machine(settings: Settings, *, commands: tuple[str, ...] = STAGE_COMMANDS) -> AsyncIterator[Cluster]:
    """The cluster of a data folder: started here, or joined where one runs; drained at the end if it is ours.

    With a Redis URL in the settings nothing is started: the cluster is elsewhere. `commands` are the stage groups to
    start, all by default.
    """
    if settings.redis_url:
        yield Cluster(settings)
        return
    folder = DataFolder(settings.folder)
    folder.prepare()
    if not folder.lock():
        yield Cluster(await _joined(settings, folder))
        return
    try:
        async with _started(settings, folder, commands) as cluster:
            yield cluster
    finally:
        folder.unlock()


def running_in(settings: Settings) -> Settings | None:
    """Settings that lead to the cluster that runs already, or None where none does."""
    if settings.redis_url:
        return settings
    folder = DataFolder(settings.folder)
    address = folder.read_address() if folder.is_locked() else None
    return _at(settings, address) if address else None


async def _joined(settings: Settings, folder: DataFolder) -> Settings:
    for _ in range(int(_ADDRESS_SECONDS / _LOOK_SECONDS)):
        if address := folder.read_address():
            return _at(settings, address)
        await asyncio.sleep(_LOOK_SECONDS)
    raise Refused(f"another penstock has the folder {folder.path} but does not answer; end it, or use another --data")


def _at(settings: Settings, address: Address) -> Settings:
    return msgspec.structs.replace(
        settings,
        redis_url=address.redis_url,
        database_url=_database_at(settings, address),
        prefix=address.prefix,
        allow_private=address.allow_private,
    )


def _database_at(settings: Settings, address: Address) -> str:
    """The cluster's database; where it wants a password, that is for the settings to say, for no file has it."""
    if masked(settings.sql_url) == address.database_url:
        return settings.sql_url
    if STARS not in address.database_url:
        return address.database_url
    raise Refused(
        f"the cluster of {settings.folder} keeps its pages in {address.database_url}; "
        "set PENSTOCK_DATABASE_URL to that, with the password"
    )


@contextlib.asynccontextmanager
async def _started(settings: Settings, folder: DataFolder, commands: tuple[str, ...]) -> AsyncIterator[Cluster]:
    if before := folder.read_address():
        await wait_until_gone(before.server_pid)
    server = EmbeddedServer(folder.path, folder.socket)
    _say_set_aside(await server.start())
    inside = msgspec.structs.replace(
        settings, redis_url=server.url, database_url=settings.sql_url, data=str(folder.path)
    )
    supervisor = Supervisor(inside, folder.path, commands=commands)
    keepers = [asyncio.create_task(_keep_server(server, folder, inside, supervisor), name="keep server")]
    try:
        _publish_address(folder, inside, server)
        await supervisor.start()
        keepers.append(asyncio.create_task(_end_leases_of_the_dead(inside), name="end leases"))
        cluster = Cluster(inside, supervisor=supervisor)
        yield cluster
        await supervisor.drain(patience_seconds=IDLE_DRAIN_SECONDS if cluster.is_idle else DRAIN_SECONDS)
    finally:
        for keeper in keepers:
            keeper.cancel()
        supervisor.kill()
        await server.stop()


def _say_set_aside(file: Path | None) -> None:
    if file:
        print(
            f"penstock: the server could not read its file, which is kept as {file}; "
            "it begins empty, and unfinished crawls go on from what is recorded",
            file=sys.stderr,
        )


def _publish_address(folder: DataFolder, settings: Settings, server: EmbeddedServer) -> None:
    pid = server.process.pid if server.process else 0
    places = (settings.redis_url, masked(settings.sql_url), settings.prefix)
    folder.write_address(Address(*places, os.getpid(), pid, allow_private=settings.allow_private))


async def _keep_server(server: EmbeddedServer, folder: DataFolder, settings: Settings, supervisor: Supervisor) -> None:
    pause, refusals, started = _FIRST_PAUSE_SECONDS, 0, time.monotonic()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if server.process and server.process.poll() is None:
            continue
        if time.monotonic() - started > WELL_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        status = server.process.returncode if server.process else None
        log.error("the server ended with %s; starting it anew", status, extra={"action": "restart"})
        await asyncio.sleep(pause)
        pause, started = min(pause * 2, _LONGEST_PAUSE_SECONDS), time.monotonic()
        try:
            if aside := await server.start():
                log.error("it could not read its file, which is kept as %s", aside, extra={"action": "file_set_aside"})
        except Refused as error:
            log.error("it does not start: %s", error, extra={"action": "refused"})
            refusals += 1
            if refusals >= MOST_REFUSALS:
                return supervisor.fail(error)
        else:
            refusals = 0
            _publish_address(folder, settings, server)


async def _end_leases_of_the_dead(settings: Settings) -> None:
    """All consumers are processes of this machine, so nobody need wait for a lease of one that is gone to run out."""
    # Imported when the stages are on their way: it takes a tenth of a second, and a person waits for the first page.
    from redis.exceptions import RedisError

    from contract.bus import Bus
    from contract.bus.leases import end_leases, is_gone

    async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
        while True:
            with contextlib.suppress(RedisError, OSError):
                if ended := await end_leases(bus, is_dead=is_gone):
                    log.warning("a process was killed; the %d deliveries it held go on", ended)
            await asyncio.sleep(_DEAD_LOOK_SECONDS)
