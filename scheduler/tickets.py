"""Tickets: Celery messages that ask a worker process to work the stream of URL jobs until it is dry.

One Celery message per URL would cost as much as everything else that a page needs, so jobs stay on the stream and a
ticket only brings a process to it. A lost ticket costs nothing (another is sent), an extra one finds the stream dry.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from events.bus import Bus
from events.bus.scripts import passing
from events.settings import Settings
from events.topology import DISPATCH, FETCH

log = logging.getLogger(DISPATCH.name)

#: While there is work, a ticket lies ready for any process that is free; looked after this often.
OFFER_SECONDS = 0.15
#: A ticket that nobody took is thrown away after this long: there is always a fresher one.
EXPIRES_SECONDS = 30
#: What Celery may spend on reaching the broker; the next offer tries again anyway.
_BROKER_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 5}


class Tickets:
    """Sends one ticket at a time while there is work and none waits in the queue."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        self.bus, self.settings = bus, settings
        self._next_at = 0.0
        self._queue = f"{bus.keys.tickets_prefix}{FETCH.name}"
        self._celery: Any = None

    async def offer(self, *, working: bool) -> None:
        """See to it that a ticket waits while there is work."""
        if not working or time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + OFFER_SECONDS
        try:
            if not await self.bus.redis.llen(self._queue):
                await asyncio.to_thread(self._send)
        except Exception as error:
            if not passing(error) and "kombu" not in type(error).__module__:
                raise
            log.warning("no ticket could be sent: %s", error, extra={"action": "no_ticket"})

    def _send(self) -> None:
        if self._celery is None:
            self._celery = _celery(self.settings, self.bus)
        self._celery.send_task(FETCH.name, queue=FETCH.name, expires=EXPIRES_SECONDS, ignore_result=True, retry=False)


def _celery(settings: Settings, bus: Bus) -> Any:
    from celery import Celery  # half a second to import, on a thread, while the first seeds are planted

    app = Celery("penstock", broker=broker_url(settings.redis_url), set_as_current=False)
    app.conf.broker_transport_options = {**_BROKER_OPTIONS, "global_keyprefix": bus.keys.tickets_prefix}
    return app


def broker_url(redis_url: str) -> str:
    """The same Redis as Celery spells it: `unix:///path?db=1` is `redis+socket:///path?virtual_host=1` there."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    fields = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    return f"redis+socket://{path}?virtual_host={fields.get('db', '0')}"
