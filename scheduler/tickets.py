"""Tickets: Celery messages that ask a worker process to work the stream of URL jobs until it is dry.

One Celery message per URL would cost as much as everything else that a page needs, so jobs stay on the stream and a
ticket only brings a process to it. A lost ticket costs nothing (another is sent), an extra one finds the stream dry.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from redis.exceptions import ResponseError

from contract.broker import celery_settings
from contract.bus import Bus
from contract.bus.scripts import PASSING, passing
from contract.lifetime import happened
from contract.settings import Settings
from contract.topology import DISPATCH, FETCH

log = logging.getLogger(DISPATCH.name)

#: While there is work, a ticket lies ready for any process that is free; looked after this often.
OFFER_SECONDS = 0.1
#: What Celery may spend on reaching the broker; the next offer tries again anyway.
_BROKER_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 5}


async def offer_tickets(bus: Bus, settings: Settings, stop: asyncio.Event) -> None:
    """See to it that one ticket waits in the queue while there is work, until asked to stop."""
    queue = f"{bus.keys.tickets_prefix}{FETCH.name}"
    celery, world = None, b""
    while not stop.is_set():
        try:
            jobs, epoch = await bus.redis.mget([bus.keys.in_flight, bus.keys.epoch])
            if celery is None or epoch != world:
                # What it has told the server about its queues is gone with the world, and it says it once only.
                celery, world = await asyncio.to_thread(_celery, settings), epoch
            in_flight = int(jobs or 0)
            if in_flight > 0 and not await bus.redis.llen(queue):
                await asyncio.to_thread(_send, celery)
        except Exception as error:
            if not _is_away(error):
                raise
            log.warning("no ticket could be sent: %s", error, extra={"action": "no_ticket"})
        await happened(stop, within=OFFER_SECONDS)


def _celery(settings: Settings) -> Any:
    from celery import Celery  # half a second to import, on a thread, while the first seeds are planted

    app = Celery("penstock", set_as_current=False)
    app.conf.update(celery_settings(settings.redis_url, prefix=settings.prefix))
    app.conf.broker_transport_options |= _BROKER_OPTIONS
    return app


def _send(celery: Any) -> None:
    # It expires never: Celery would write the moment by the clock of this machine, and a worker whose clock is ahead,
    # or who is right where this one was set back, would throw every ticket away.
    celery.send_task(FETCH.name, queue=FETCH.name, ignore_result=True, retry=False)


def _is_away(error: Exception) -> bool:
    if isinstance(error, (*PASSING, ResponseError)):
        return passing(error)
    return "kombu" in type(error).__module__
