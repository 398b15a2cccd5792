"""Room in Redis: whether so little is left that nothing more should be begun.

A server that is full refuses what would empty it too: outcomes, a `penstock cancel`. So dispatch stops before that, and
what is in flight drains. Takes the server's own figures, once a second; gives a word.
"""

from __future__ import annotations

import logging
import time

from contract.bus import Bus
from contract.topology import DISPATCH

log = logging.getLogger(DISPATCH.name)

#: Above this share of `maxmemory` nothing is issued. What is left must hold what comes of all jobs in flight.
SCARCE = 0.9
#: The memory is looked at this often; so long, jobs are still issued.
LOOK_SECONDS = 1.0


class Room:
    """Remembers the last look."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self._look_at = bus, 0.0
        self._is_scarce = False

    def __repr__(self) -> str:
        return f"<Room {'scarce' if self._is_scarce else 'enough'}>"

    async def is_scarce(self) -> bool:
        """Whether Redis is nearly full; raises what redis-py raises. A server without a limit never is."""
        if time.monotonic() < self._look_at:
            return self._is_scarce
        self._look_at = time.monotonic() + LOOK_SECONDS
        memory = await self._bus.redis.info("memory")
        used, limit = int(memory["used_memory"]), int(memory.get("maxmemory", 0))
        was_scarce, self._is_scarce = self._is_scarce, bool(limit) and used > SCARCE * limit
        if self._is_scarce and not was_scarce:
            share, extra = round(100 * used / limit), {"action": "redis_nearly_full"}
            log.error(
                "nothing is issued: Redis is at %d %% of its maxmemory; raise it, or cancel a crawl", share, extra=extra
            )
        return self._is_scarce
