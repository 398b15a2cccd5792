"""The connections to Redis: one pool for commands, one connection of its own for each blocking reader.

Gives `Bus`, which also owns the keys. redis-py re-sends commands silently by default, which makes two entries of one
XADD; here nothing is re-sent unless the caller says that twice is the same as once (`scripts.run`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import hiredis
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as RedisTimeoutError

from events.errors import Refused
from events.keys import Keys
from events.logs import masked

#: A command that takes longer than this has lost its connection. Longer than any script of ours may run.
COMMAND_TIMEOUT_SECONDS = 15
#: Commands of one process at the same time; further ones wait for a connection instead of failing.
MOST_CONNECTIONS = 32
#: Below asyncio's high-water mark of 64 KiB, under which a write never waits.
_BUFFERED_BYTES = 32 * 1024


class Bus:
    """A way to one Redis: `redis` for commands, `reader()` for blocking reads, `keys` for names.

    Raises `Refused` for a URL that is none of Redis'.
    """

    def __init__(self, url: str, *, prefix: str = "penstock") -> None:
        self.url = url
        self.keys = Keys(prefix)
        # redis-py types each reply as bytes or str; with no decoding they are bytes, which it cannot express.
        self.redis: Any = _client(
            BlockingConnectionPool, url, socket_timeout=COMMAND_TIMEOUT_SECONDS, max_connections=MOST_CONNECTIONS
        )
        self._readers: list[Any] = []

    def reader(self) -> Any:
        """A client whose reads may block as long as they like; closed with the bus."""
        client = _client(ConnectionPool, self.url, socket_timeout=None)
        self._readers.append(client)
        return client

    async def release(self, reader: Any) -> None:
        """Close a reader before the bus is closed."""
        self._readers.remove(reader)
        await reader.aclose()

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


def _client(kind: type[ConnectionPool], url: str, **options: Any) -> Any:
    try:
        pool: Any = kind.from_url(url, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0), **options)
    except ValueError as error:
        raise Refused(f"wrong setting: redis_url is {masked(url)!r}: {error}") from None
    pool.connection_class = _quick(pool.connection_class)
    return Redis.from_pool(pool)


class _QuickSending:
    """Packs commands in C, and sends them without `asyncio.wait_for`, in which redis-py wraps each write.

    redis-py's asyncio side packs in Python, which takes longer than all else that it does with a script of many
    arguments. As for `wait_for`: until Python 3.12 it loses a cancellation that comes together with the end of the
    write. What fits into the transport's buffer needs no time limit: it is gone at once, and the reply has one.
    """

    socket_timeout: float | None

    def pack_command(self, *args: Any) -> list[bytes]:
        try:
            return [hiredis.pack_command((*args[0].split(), *args[1:]))]
        except TypeError:
            return super().pack_command(*args)  # type: ignore[misc, no-any-return]

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        limit, self.socket_timeout = self.socket_timeout, None
        try:
            is_small = isinstance(command, list) and sum(map(len, command)) < _BUFFERED_BYTES
            async with contextlib.nullcontext() if is_small else asyncio.timeout(limit):
                await super().send_packed_command(command, check_health)  # type: ignore[misc]
        except TimeoutError as error:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise RedisTimeoutError("Redis takes nothing") from error
        finally:
            self.socket_timeout = limit


@cache
def _quick(kind: type) -> type:
    return type(f"Quick{kind.__name__}", (_QuickSending, kind), {})
