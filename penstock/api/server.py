"""uvicorn, run by us: with our logs, at an address that is ours or nobody's, and ended in good time.

Lifetime: from `serve` until SIGTERM or SIGINT. Requests that wait for an answer have GRACE_SECONDS; event streams are
told to end at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn

from contract.settings import Settings
from penstock.api.app import make_app
from penstock.api.house import PATIENCE_SECONDS, House, open_house

#: What is not answered by then is cut, so that the server is gone within two seconds whoever watches.
GRACE_SECONDS = 1


class Server(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(
    settings: Settings, listening: socket.socket, stop: asyncio.Event, *, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Answer requests until asked to stop; raises `Refused` for what a person must mend."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # that it starts and ends is said by who runs it
    async with open_house(settings, patience_seconds=patience_seconds) as house:
        config = uvicorn.Config(
            make_app(settings, house=house),
            log_config=None,
            access_log=False,  # paths and query strings are the client's business
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=30,
            h11_max_incomplete_event_size=64 * 1024,
            ws="none",
            loop="none",
        )
        server = Server(config)
        stopping = asyncio.create_task(_stop(server, house, stop))
        try:
            await server.serve(sockets=[listening])
        finally:
            stopping.cancel()


async def _stop(server: Server, house: House, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True
    if house.hub:
        await house.hub.close()  # which ends every event stream
