"""`penstock serve`: the HTTP API and the dashboard for a cluster that runs already."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import Any

from contract.errors import Refused
from contract.lifetime import die_with_parent, stop_on_signals
from contract.logs import configure_logs
from contract.settings import Settings, load
from penstock.cluster import running_in


def serve(given: dict[str, Any], *, tied: bool, listening: int | None) -> int:
    """Serve until SIGTERM; returns the exit status.

    `tied` ends it with the process that started it, which may hand it a socket: `listening` is its descriptor.
    """
    if tied:
        die_with_parent()
    settings = load(given)
    configure_logs(settings.log_level, format=settings.log_format)
    from penstock.api.exposure import check_exposure

    check_exposure(settings)
    found = running_in(settings)
    if found is None:
        raise Refused(
            f"no cluster runs in {settings.folder}; start one together with the API: penstock up "
            "(or name one: PENSTOCK_REDIS_URL)"
        )
    asyncio.run(_serve(found, listening))
    gc.freeze()  # all is closed; half a second of looking for garbage would only keep whoever waits for our end
    return 0


async def _serve(settings: Settings, descriptor: int | None) -> None:
    from penstock.api.listening import address_of, handed_over, listen
    from penstock.api.server import serve

    stop = stop_on_signals()
    with listen(settings) if descriptor is None else handed_over(descriptor) as listening:
        if descriptor is None:
            print(f"penstock: serving at {address_of(listening)}", file=sys.stderr, flush=True)
        await serve(settings, listening, stop)
