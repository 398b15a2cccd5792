"""`penstock up`: the one-machine cluster with the HTTP API and the dashboard, until somebody ends it."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

from contract.bus import Bus
from contract.errors import Refused
from contract.logs import configure_logs
from contract.settings import Settings, load
from penstock.cluster import Cluster, one_machine, running_in
from penstock.serving import listen_first, served
from penstock.stopping import stop_on_signals


def up(given: dict[str, Any]) -> int:
    """Run until Ctrl-C or SIGTERM; returns the exit status. Raises `Refused` before anything is started."""
    settings = load(given)
    if settings.redis_url:
        raise Refused("PENSTOCK_REDIS_URL names a cluster that is elsewhere; serve it with: penstock serve")
    if running_in(settings):
        raise Refused(f"a cluster runs in {settings.folder} already; serve it with: penstock serve")
    with listen_first(settings) as listening:
        asyncio.run(_up(settings, listening))
    return 0


async def _up(settings: Settings, listening: socket.socket) -> None:
    stop = stop_on_signals()
    async with one_machine(settings) as cluster:
        if not cluster.is_ours:  # somebody else was faster
            raise Refused(f"a cluster runs in {settings.folder} already; serve it with: penstock serve")
        configure_logs(settings.log_level, to=open(settings.folder / "logs" / "penstock.log", "a"))  # noqa: SIM115
        async with served(cluster, cluster.settings, listening) as keeper:
            _say("up; Ctrl-C ends it, and what is unfinished then goes on with the next `penstock up`")
            stopped = asyncio.ensure_future(stop.wait())
            failed: asyncio.Future[Any] = keeper.failed
            await asyncio.wait([stopped, failed], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
        if keeper.failed.done():
            keeper.failed.result()
        cluster.is_idle = await _is_idle(cluster)
        if not cluster.is_idle:
            _say("stopping; what is in flight is finished first (Ctrl-C again ends it at once)")


async def _is_idle(cluster: Cluster) -> bool:
    """Whether no crawl is running, so that nobody holds anything."""
    async with Bus.open(cluster.settings.redis_url, prefix=cluster.settings.prefix) as bus:
        return not await bus.redis.zcard(bus.keys.turns)


def _say(words: str) -> None:
    print(f"penstock: {words}", file=sys.stderr, flush=True)
