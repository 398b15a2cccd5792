"""`penstock scheduler|worker|parse|record`: one stage group in the foreground, as a container runs it."""

from __future__ import annotations

import asyncio
import importlib
import secrets

from events.errors import Refused
from events.lifetime import die_with_parent, stop_on_signals
from events.logs import configure_logs
from events.settings import Settings, load

#: Command → the module whose `run(settings, stop)` is the stage group.
MODULES = {"scheduler": "scheduler.service", "parse": "scraper.parse", "record": "storage.record"}


def run(command: str, *, tied: bool) -> int:
    """Run the stage group until SIGTERM; `tied` ends it with the process that started it. Returns the exit status."""
    if tied:
        die_with_parent()
    settings = load()
    if not settings.redis_url:
        raise Refused(f"penstock {command} needs PENSTOCK_REDIS_URL, such as redis://localhost:6379/0")
    configure_logs(settings.log_level)
    if command == "worker":
        return _worker(settings)
    asyncio.run(_stages(command, settings))
    return 0


async def _stages(command: str, settings: Settings) -> None:
    stop = stop_on_signals()
    try:
        await importlib.import_module(MODULES[command]).run(settings, stop)
    except* Refused as refused:
        raise refused.exceptions[0] from None


def _worker(settings: Settings) -> int:
    from scraper.celery_app import app

    # Gossip and mingle let workers hear of each other, which tickets do not need and which costs a second at the start.
    app.worker_main(
        [
            *("worker", "--pool", "prefork", "--concurrency", str(settings.workers)),
            *("--hostname", f"penstock-{secrets.token_hex(3)}@%h", "--loglevel", settings.log_level),
            *("--without-gossip", "--without-mingle"),
        ]
    )
    return 0
