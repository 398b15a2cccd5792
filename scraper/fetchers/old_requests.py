"""Requests that Redis may not know of, as it was emptied or lost its last seconds: told to it until each has ended.

Takes what a fetcher has in flight; owns its members of `Keys.old_requests`. By them dispatch keeps a host's limit, of
which nothing else is known there for sure. A fetcher that dies cannot say that its requests have ended: they count
until the longest that they could have taken.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from redis.exceptions import ResponseError

from contract.bus import Bus
from contract.bus.scripts import PASSING, Call, Script, attempt

TELL = Script("scraper.fetchers", ("contract.bus", "clock.lua"), "old_requests.lua")
#: How often a fetcher looks whether Redis is another world, or another server. Replay (`storage.replay`) and dispatch
#: wait for several looks.
LOOK_SECONDS = 0.25


class OldRequests:
    """Those of one fetcher; `in_flight` gives what it has in flight now: an identity → its host."""

    def __init__(
        self, bus: Bus, name: str, in_flight: Callable[[], Mapping[Any, str]], *, longest_seconds: float
    ) -> None:
        self._bus, self._name, self._in_flight = bus, name, in_flight
        self._longest_seconds = longest_seconds
        self._world: tuple[bytes, bytes] | None = None
        self._told: dict[Any, str] = {}

    def __repr__(self) -> str:
        return f"<OldRequests of {self._name}: {len(self._told)}>"

    async def run(self) -> None:
        """Look for ever, and take back what was told in the end."""
        try:
            while True:
                with contextlib.suppress(*PASSING, ResponseError):
                    await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            if self._told:
                with contextlib.suppress(*PASSING, ResponseError):
                    await self._bus.redis.zrem(self._bus.keys.old_requests, *self._told.values())

    async def look(self) -> None:
        """Tell of what is in flight where world or server is a new one; take back what has ended."""
        pipeline = self._bus.redis.pipeline(transaction=False)
        epoch, anew = await pipeline.get(self._bus.keys.epoch).hget(self._bus.keys.clock, "anew").execute()
        now = self._in_flight()
        ended = [one for one in self._told if one not in now]
        if ended:
            await self._bus.redis.zrem(self._bus.keys.old_requests, *(self._told.pop(one) for one in ended))
        if epoch is None:
            return
        world = (epoch, anew or b"0")
        if self._world not in (None, world) and now:
            self._told = {one: f"{host} {self._name} {number}" for number, (one, host) in enumerate(now.items())}
            keys, longest_ms = self._bus.keys, round(self._longest_seconds * 1000)
            call = Call(TELL, [keys.old_requests, keys.clock], [longest_ms, *self._told.values()])
            await attempt(self._bus.redis, [call])
        self._world = world
