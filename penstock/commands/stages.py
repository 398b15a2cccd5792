"""`penstock scheduler|worker|parse|record`: one stage group in the foreground, as a container runs it."""

from __future__ import annotations

import asyncio
import gc
import importlib
import secrets
from collections.abc import Coroutine, Sequence
from types import ModuleType
from typing import Any

from contract.bus import Bus
from contract.bus.entry import enter, explained
from contract.errors import PenstockError, Refused
from contract.lifetime import die_with_parent, stop_on_signals
from contract.logs import configure_logs
from contract.observing import observed
from contract.settings import Settings, load
from contract.topology import DISCOVER, DISPATCH, NOTIFY, PARSE, RECORD, RESTORE, SEED, SETTLE

#: Command → the modules whose `run(settings, stop)` together are the stage group.
MODULES = {
    "scheduler": ("scheduler.service",),
    "parse": ("scraper.parse",),
    "record": ("storage.record", "penstock.notify"),
}

#: The stages whose loops run in that process all the time; by them it is known to be well.
STAGES = {
    "scheduler": tuple(stage.name for stage in (SEED, DISCOVER, DISPATCH, SETTLE, RESTORE)),
    "parse": (PARSE.name,),
    "record": (RECORD.name, NOTIFY.name),
}


def run(command: str, *, tied: bool) -> int:
    """Run the stage group until SIGTERM; `tied` ends it with the process that started it. Returns the exit status."""
    if tied:
        die_with_parent()
    settings = load()
    if not settings.redis_url:
        raise Refused(f"penstock {command} needs PENSTOCK_REDIS_URL, such as redis://localhost:6379/0")
    if command == "worker":
        configure_logs(settings.log_level, format=settings.log_format)
        return _worker(settings)
    modules = [importlib.import_module(name) for name in MODULES[command]]
    _begin_to_collect()
    with observed(settings, stages=STAGES[command]):
        asyncio.run(_stages(modules, settings))
    return 0


def _begin_to_collect() -> None:
    """Look for garbage from now on, but never among what was imported, which also leaves it shared with children."""
    gc.freeze()
    gc.enable()


async def _stages(modules: Sequence[ModuleType], settings: Settings) -> None:
    stop = stop_on_signals()
    try:
        async with asyncio.TaskGroup() as tasks:
            for module in modules:
                tasks.create_task(_one_of_all(module.run(settings, stop), stop), name=module.__name__)
    except BaseExceptionGroup as errors:
        if isinstance(error := explained(_first(errors)), PenstockError):
            raise error from None
        raise


async def _one_of_all(stage: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    try:
        await stage
    finally:
        stop.set()


def _first(error: BaseException) -> BaseException:
    """The first error in groups of groups: one line for a person to act on."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _entered(settings: Settings) -> bool:
    """Whether Redis can be used; Celery would try a wrong password for ever."""
    async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
        return await enter(bus, stop_on_signals())


def _worker(settings: Settings) -> int:
    from celery.utils.log import mlevel
    from celery.utils.nodenames import host_format

    import scraper.fetchers.bench  # noqa: F401  (as soon as possible; the children share it)
    from scraper.celery_app import app

    if not asyncio.run(_entered(settings)):
        return 0
    _begin_to_collect()
    # Celery's command line would do the same, after half a second in which it imports all of its other commands.
    # Gossip and mingle let workers hear of each other, which tickets do not need and which costs a second at the start.
    worker = app.Worker(
        hostname=host_format(f"penstock-{secrets.token_hex(3)}@%h"),
        pool_cls="prefork",
        concurrency=settings.workers,
        loglevel=mlevel(settings.log_level),
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
