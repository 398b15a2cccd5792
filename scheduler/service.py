"""The scheduler as one process: its five stages, the report of progress, and the bus's janitor.

Lifetime: all run until SIGTERM, then each finishes what it holds. If one fails, all end, and whoever supervises the
process starts it anew; nothing is lost, because nothing is kept here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from contract.bus import Bus
from contract.bus.entry import enter
from contract.bus.janitor import keep_tidy
from contract.settings import Settings
from contract.topology import DISCOVER, DISPATCH, RESTORE, SEED, SETTLE
from scheduler.discover import discover
from scheduler.dispatch import dispatch
from scheduler.report import report
from scheduler.restore import restore
from scheduler.seed import seed
from scheduler.settle import settle
from scheduler.tickets import offer_tickets


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Schedule until asked to stop; raises `Refused` for a server that cannot be used."""
    async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
        if not await enter(bus, stop, SEED, DISCOVER, DISPATCH, SETTLE, RESTORE):
            return
        woken = asyncio.Event()
        stages = [
            *(seed(bus, stop, woken), discover(bus, stop, woken), dispatch(bus, settings, stop, woken)),
            *(settle(bus, stop, woken), restore(bus, stop, woken)),
            *(offer_tickets(bus, settings, stop), report(bus, stop), keep_tidy(bus, stop)),
        ]
        async with asyncio.TaskGroup() as tasks:
            for stage in stages:
                tasks.create_task(_one_of_all(stage, stop))


async def _one_of_all(stage: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    try:
        await stage
    finally:
        stop.set()  # a cancellation may be lost on its way; this is seen by every stage
