"""What a process lets be seen of itself: logs, metrics, traces. Metrics and traces are off unless the settings ask.

Takes settings, switches on what they say. `observed` is for a process that lasts as long as a block; Celery's parent
and children, which do not, use `begin`, `begin_child` and `end`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

from contract import tracing
from contract.bus.watching import watch_with
from contract.logs import configure_logs
from contract.metrics import numbers
from contract.settings import Settings

_WORD = "metrics"
#: The server of this process, if metrics are on, and the process that began.
_server: Any = None
_pid = 0


@contextlib.contextmanager
def observed(settings: Settings, *, stages: Sequence[str]) -> Iterator[None]:
    """Log, and count and trace if that is wanted, for the length of a block; `stages` are those that have to run."""
    begin(settings, stages=stages)
    try:
        if settings.traces:
            tracing.begin()
        yield
    finally:
        end()


def begin(settings: Settings, *, stages: Sequence[str] = (), children: int = 0) -> None:
    """Log and count in this process, which will fork so many children. Raises `Refused` for a port that is in use."""
    global _server, _pid
    _pid = os.getpid()
    configure_logs(settings.log_level, format=settings.log_format)
    if settings.metrics_port:
        from contract.metrics.server import MetricsServer

        found = numbers.begin(rows=1 + children)
        _server = MetricsServer(found, host=settings.metrics_host, port=settings.metrics_port, expected=stages)
        _count()


def begin_child(settings: Settings, *, number: int) -> None:
    """Count and trace in a child, the `number`-th of its parent (from 0); one beyond those announced is not counted.

    Called in the parent itself, where there are no children, it does nothing but trace.
    """
    global _server
    found = numbers.current()
    if found is not None and os.getpid() != _pid:
        _server.socket.close()  # the parent answers
        _server = None
        if number + 1 < found.rows:
            found.use(number + 1)
        else:
            numbers.end()
            watch_with(_WORD, None)
    if settings.traces:
        tracing.begin()


def end() -> None:
    """Tell what is still to be told, and answer no more."""
    global _server
    tracing.end()
    watch_with(_WORD, None)
    numbers.end()
    if _server is not None:
        _server.close()
        _server = None


def _count() -> None:
    from contract.metrics.watcher import Counting

    watch_with(_WORD, Counting)
