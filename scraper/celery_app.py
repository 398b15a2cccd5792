"""The Celery app of the fetchers: `celery -A scraper.celery_app worker` is what a worker container runs.

Takes the environment's settings (`PENSTOCK_REDIS_URL` and the others), gives one task, `scraper.fetch`: a ticket to
work the stream of URL jobs. Celery brings processes, remote control and recycling; jobs never travel through it, so
tickets are disposable: acknowledged early, without a result.

    SIGTERM        children take nothing more, finish or give back what they hold, then Celery exits
    kill -9        children die with their parent; what they held comes back by reclaim
    Redis away     both wait for it
"""

import gc
import logging
import mmap
import os
import sys
from typing import Any

from billiard.process import current_process
from celery import Celery
from celery.signals import (
    setup_logging,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutdown,
    worker_shutting_down,
)

from contract import observing
from contract.broker import celery_settings
from contract.errors import Refused
from contract.lifetime import die_with_parent
from contract.logs import configure_logs
from contract.settings import Settings, load
from contract.topology import FETCH

#: A worker process that has grown beyond this is replaced when its ticket ends, in KiB.
MOST_MEMORY_KIB = 600_000

#: Pools that replace what an event loop is built on.
_UNFIT_POOLS = ("gevent", "eventlet")
#: The process id of the worker, whose children know by it that they are children.
_worker = [0]
#: One byte that the parent and its forked children share: 1 when the worker is shutting down.
_stopping = mmap.mmap(-1, 1)

app = Celery("penstock", set_as_current=True)


def _configuration() -> dict[str, Any]:
    settings = _settings()
    if not settings.redis_url:
        _give_up("no Redis: set PENSTOCK_REDIS_URL, for example to redis://127.0.0.1:6379/0")
    return {
        **_broker(settings),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_default_queue": FETCH.name,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "worker_concurrency": settings.workers,
        "worker_max_memory_per_child": MOST_MEMORY_KIB,
        "worker_hijack_root_logger": False,
    }


# Called when the configuration is first looked at, so that importing this module asks for nothing.
app.add_defaults(_configuration)


def _broker(settings: Settings) -> dict[str, Any]:
    try:
        return celery_settings(settings.redis_url, prefix=settings.prefix)
    except Refused as error:
        _give_up(str(error))
        raise


def _settings() -> Settings:
    try:
        return load()
    except Refused as error:
        _give_up(str(error))
        raise


def _give_up(line: str) -> None:
    print(f"penstock: {line}", file=sys.stderr)
    raise SystemExit(2)


@app.task(name=FETCH.name, ignore_result=True)  # type: ignore[untyped-decorator]
def ticket() -> int:
    """Work the stream of URL jobs until it is dry; returns how many were finished."""
    from scraper.fetchers.bench import work

    return work(_settings(), is_stopping)


def is_stopping() -> bool:
    """Whether this worker has been asked to stop; also known in its children."""
    return _stopping[0] != 0


@setup_logging.connect  # type: ignore[untyped-decorator]
def _logs(**_: Any) -> None:
    settings = _settings()
    level = settings.log_level
    configure_logs(level, format=settings.log_format)
    if level.upper() != "DEBUG":
        # Two lines for each ticket say nothing to an operator.
        for chatty in ("celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(chatty).setLevel("WARNING")


@worker_init.connect  # type: ignore[untyped-decorator]
def _preload(sender: Any, **_: Any) -> None:
    _check_pool(sender.pool_cls)
    _worker[0] = os.getpid()
    import scraper.fetchers.bench  # noqa: F401  (half a second, once instead of in each child)
    from scraper.http.client import tls_context

    tls_context()
    # Workers need not know of one another: tickets are all alike. Asking for neighbours would take a second.
    sender.options.update(without_mingle=True, without_gossip=True)
    settings = _settings()
    sender.quiet = sender.quiet or settings.log_format == "json"  # its banner is no JSON
    children = sender.concurrency if isinstance(sender.concurrency, int) else settings.workers
    try:
        observing.begin(settings, children=children)
    except Refused as error:
        _give_up(str(error))


def _check_pool(pool: type | str) -> None:
    name = pool if isinstance(pool, str) else pool.__module__
    if unfit := [word for word in _UNFIT_POOLS if word in name]:
        _give_up(f"--pool {unfit[0]} cannot run a fetcher, which has an event loop of its own; leave it out (prefork)")


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _ends(**_: Any) -> None:
    observing.end()


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _child_begins(**_: Any) -> None:
    from scraper.fetchers.bench import prepare

    if os.getpid() != _worker[0]:  # with --pool solo the child is the worker itself, and its parent is a shell
        die_with_parent()
    prepare()
    observing.begin_child(_settings(), number=current_process().index)
    gc.freeze()  # to look for garbage among all that was imported would hold every request up for a tenth of a second


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _child_ends(**_: Any) -> None:
    from scraper.fetchers.bench import close

    close()
    observing.end()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    _stopping[0] = 1
