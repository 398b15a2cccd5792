"""Turns tracing on and off in a process. The only module that looks for OpenTelemetry, and only if it is asked to."""

from __future__ import annotations

import os
import threading
from typing import Any

from contract.bus.watching import watch_with
from contract.errors import Refused

_WORD = "traces"
#: How long the end of a process waits for its last spans to be told. Together with the longest drain (22 s) it must
#: stay below what supervisors wait before they kill (30 s).
FLUSH_SECONDS = 2.0
_provider: Any = None


def begin(*, exporter: Any = None) -> None:
    """Trace from now on; `exporter` is told at once of each span that ends, by default the OTEL_* environment says who.

    Raises `Refused` where OpenTelemetry's SDK is not installed. Call it after a fork, not before.
    """
    global _provider
    try:
        from contract.tracing.provider import make_provider
        from contract.tracing.watcher import Tracing
    except ModuleNotFoundError as error:
        why = f"PENSTOCK_TRACES needs {error.name}; install it with: pip install 'penstock-crawler[otel]'"
        raise Refused(why) from None
    _provider = provider = make_provider(os.environ, exporter=exporter)
    watch_with(_WORD, lambda stage: Tracing(stage, provider))


def end() -> None:
    """Trace no more, and let what has ended be exported, for FLUSH_SECONDS at most."""
    global _provider
    watch_with(_WORD, None)
    if _provider is not None:
        # The exporter itself would try for ten seconds to reach a collector that is away.
        flushing = threading.Thread(target=_provider.shutdown, name="traces", daemon=True)
        flushing.start()
        flushing.join(FLUSH_SECONDS)
        _provider = None
