"""The connections to Redis: one pool for commands, one connection of its own for each blocking reader.

Gives `Bus`, which also owns the keys. redis-py re-sends commands silently by default, which makes two entries of one
XADD; here nothing is re-sent unless the caller says that twice is the same as once (`scripts.run`).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from events.errors import Refused
from events.keys import Keys
from events.logs import masked

#: A command that takes longer than this has lost its connection. Longer than any script of ours may run.
COMMAND_TIMEOUT_SECONDS = 15


class Bus:
    """A way to one Redis: `redis` for commands, `reader()` for blocking reads, `keys` for names.

    Raises `Refused` for a URL that is none of Redis'.
    """

    def __init__(self, url: str, *, prefix: str = "penstock") -> None:
        self.url = url
        self.keys = Keys(prefix)
        # redis-py types each reply as bytes or str; with no decoding they are bytes, which it cannot express.
        self.redis: Any = _client(url, socket_timeout=COMMAND_TIMEOUT_SECONDS)
        self._readers: list[Any] = []

    def reader(self) -> Any:
        """A client whose reads may block as long as they like; closed with the bus."""
        client = _client(self.url, socket_timeout=None, max_connections=2)
        self._readers.append(client)
        return client

    async def close(self) -> None:
        """Close every connection."""
        for client in (*self._readers, self.redis):
            await client.aclose()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str, *, prefix: str = "penstock") -> AsyncIterator[Bus]:
        """A bus for the length of a `with` block."""
        bus = cls(url, prefix=prefix)
        try:
            yield bus
        finally:
            await bus.close()


def _client(url: str, **options: Any) -> Any:
    try:
        return Redis.from_url(url, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0), **options)
    except ValueError as error:
        raise Refused(f"wrong setting: redis_url is {masked(url)!r}: {error}") from None
