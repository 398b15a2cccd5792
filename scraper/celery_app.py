"""The Celery app of the fetchers: `celery -A scraper.celery_app worker` is what a worker container runs.

Takes the environment's settings (`PENSTOCK_REDIS_URL` and the others), gives one task, `scraper.fetch`: a ticket to
work the stream of URL jobs. Celery brings processes, remote control and recycling; jobs never travel through it, so
tickets are disposable: acknowledged early, without a result, thrown away when they are late.

    SIGTERM        children take nothing more, finish or give back what they hold, then Celery exits
    kill -9        children die with their parent; what they held comes back by reclaim
    Redis away     both wait for it
"""

import logging
import mmap
import sys
from typing import Any

from celery import Celery
from celery.signals import (
    setup_logging,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutting_down,
)

from events.broker import broker_url, tls_options
from events.errors import Refused
from events.keys import Keys
from events.lifetime import die_with_parent
from events.logs import configure_logs
from events.settings import Settings, load
from events.topology import FETCH

#: A worker process that has grown beyond this is replaced when its ticket ends, in KiB.
MOST_MEMORY_KIB = 600_000

#: One byte that the parent and its forked children share: 1 when the worker is shutting down.
_stopping = mmap.mmap(-1, 1)

app = Celery("penstock", set_as_current=True)


def _configuration() -> dict[str, Any]:
    settings = _settings()
    if not settings.redis_url:
        _give_up("no Redis: set PENSTOCK_REDIS_URL, for example to redis://127.0.0.1:6379/0")
    return {
        "broker_url": broker_url(settings.redis_url),
        "broker_use_ssl": tls_options(settings.redis_url),
        "broker_transport_options": {"global_keyprefix": Keys(settings.prefix).tickets_prefix},
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
    level = _settings().log_level
    configure_logs(level)
    if level.upper() != "DEBUG":
        # Two lines for each ticket say nothing to an operator.
        for chatty in ("celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(chatty).setLevel("WARNING")


@worker_init.connect  # type: ignore[untyped-decorator]
def _preload(sender: Any, **_: Any) -> None:
    import scraper.fetchers.bench  # noqa: F401  (half a second, once instead of in each child)

    # Workers need not know of one another: tickets are all alike. Asking for neighbours would take a second.
    sender.options.update(without_mingle=True, without_gossip=True)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _child_begins(**_: Any) -> None:
    from scraper.fetchers.bench import prepare

    die_with_parent()
    prepare()


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _child_ends(**_: Any) -> None:
    from scraper.fetchers.bench import close

    close()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    _stopping[0] = 1
