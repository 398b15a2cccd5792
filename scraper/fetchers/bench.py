"""What a worker process keeps from one ticket to the next: its event loop and its HTTP client, with live connections.

One bench for each thread, so that Celery's solo and threads pools work as well as prefork.
"""

import asyncio
import contextlib
import logging
import resource
import threading
from collections.abc import Callable

from contract.errors import PenstockError
from contract.settings import Settings
from contract.topology import FETCH
from scraper.fetch import work_stream
from scraper.http.client import Client

log = logging.getLogger(FETCH.name)

#: Open files that a process may have: connections, most of them idle, one for each host that is being asked.
OPEN_FILES = 65_536

_of_thread = threading.local()


class Bench:
    """An event loop and a client on it."""

    def __init__(self, settings: Settings) -> None:
        self._runner = asyncio.Runner()
        self._client = self._runner.run(_make_client(settings))

    def work(self, settings: Settings, stop: Callable[[], bool]) -> int:
        """Work the stream once; returns the number of jobs that were finished."""
        return self._runner.run(work_stream(settings, stop, client=self._client))

    def close(self) -> None:
        """Close the connections and the loop."""
        self._runner.run(self._client.close())
        self._runner.close()


async def _make_client(settings: Settings) -> Client:
    return Client(settings)


def prepare() -> None:
    """Ask the system for as many open files as it gives."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def work(settings: Settings, stop: Callable[[], bool]) -> int:
    """Do a ticket in this process; 0 where it ended early, which is logged and harmless."""
    if not hasattr(_of_thread, "bench"):
        _of_thread.bench = Bench(settings)
    bench: Bench = _of_thread.bench
    try:
        return bench.work(settings, stop)
    except PenstockError as error:
        log.error("the ticket ended early: %s", error, extra={"action": "ticket_ended"})
        return 0


def close() -> None:
    """Let go of what this thread keeps."""
    if hasattr(_of_thread, "bench"):
        _of_thread.bench.close()
        del _of_thread.bench
