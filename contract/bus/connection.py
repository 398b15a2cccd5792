"""The connections to Redis: one pool for commands, one connection of its own for each blocking reader.

Gives `Bus`, which also owns the keys. redis-py re-sends commands silently by default, which makes two entries of one
XADD; here nothing is re-sent unless the caller says that twice is the same as once (`scripts.run`).

With Sentinel each new connection asks who the master is, and each pool asks again while it is in use: an old master
that nobody has told yet goes on taking writes (ten seconds after `SENTINEL FAILOVER`), and all of them will be lost.
The other ways in which old connections end: the old master's end, Sentinel's CLIENT KILL, a read that takes too long.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Connection, ConnectionPool, Redis, SSLConnection
from redis.asyncio.connection import UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from contract.broker import CONNECT_SECONDS, sentinel_options
from contract.bus.wire import quick
from contract.errors import Refused
from contract.keys import Keys
from contract.redis_url import FILES, RedisUrl, parse_redis_url

#: A command that takes longer than this has lost its connection. Longer than any script of ours may run.
COMMAND_TIMEOUT_SECONDS = 15
#: A read that takes longer than this has lost its connection, though nobody said so: the server is frozen, or cut off.
#: Longer than any read may block (`BLOCK_MS`).
READ_TIMEOUT_SECONDS = 10
#: How often a pool in use asks Sentinel who the master is: as long as that, writes may go to one that was deposed. And
#: how long it leaves Sentinels in peace of whom none has answered.
MASTER_LOOK_SECONDS, NO_SENTINEL_SECONDS = 1.0, 10.0
#: Commands of one process at the same time; further ones wait for a connection instead of failing.
MOST_CONNECTIONS = 32
#: A peer that answers no probe for some 25 seconds is gone: it was switched off, or the network was.
_PROBES = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
_KEEPALIVE = {getattr(socket, name): value for name, value in _PROBES.items() if hasattr(socket, name)}


class Bus:
    """A way to one Redis: `redis` for commands, `reader()` for blocking reads, `keys` for names.

    Raises `Refused` for a URL that is none of Redis' (see `contract.redis_url`).
    """

    def __init__(self, url: str, *, prefix: str = "penstock") -> None:
        self.url, self.keys = url, Keys(prefix)
        self.place = parse_redis_url(url)
        _check_files(self.place)
        self._sentinel = _sentinel(self.place) if self.place.master else None
        # redis-py types each reply as bytes or str; with no decoding they are bytes, which it cannot express.
        self.redis: Any = self._client(
            is_waiting=True, socket_timeout=COMMAND_TIMEOUT_SECONDS, max_connections=MOST_CONNECTIONS
        )
        self._readers: list[Any] = []

    def reader(self) -> Any:
        """A client whose reads may block for up to READ_TIMEOUT_SECONDS; closed with the bus."""
        client = self._client(is_waiting=False, socket_timeout=READ_TIMEOUT_SECONDS)
        self._readers.append(client)
        return client

    async def release(self, reader: Any) -> None:
        """Close a reader before the bus is closed."""
        self._readers.remove(reader)
        await reader.aclose()

    async def close(self) -> None:
        """Close every connection."""
        for client in (*self._readers, self.redis, self._sentinel):
            if client is not None:
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

    def _client(self, *, is_waiting: bool, **options: Any) -> Any:
        """A client with a pool of its own; one that `is_waiting` waits where all its connections are in use."""
        options |= {**_connection_options(self.place), "retry": Retry(NoBackoff(), 0)}
        if self._sentinel is None:
            pool: Any = (BlockingConnectionPool if is_waiting else ConnectionPool)(**options)
        else:
            kind: Any = _WaitingMasterPool if is_waiting else _MasterPool
            pool = kind(self.place.master, self._sentinel, ssl=self.place.tls is not None, **options)
        pool.connection_class = quick(pool.connection_class, self.keys.clock if is_waiting else "")
        return Redis.from_pool(pool)


class _MasterPool(SentinelConnectionPool):
    """A pool of connections to whoever is master now, by the word of Sentinel."""

    _look_at = 0.0

    async def get_connection(self, *args: Any, **options: Any) -> Any:
        if (now := time.monotonic()) >= self._look_at:
            self._look_at = now + MASTER_LOOK_SECONDS
            try:
                await self.get_master_address()  # type: ignore[no-untyped-call]  # which ends idle ones to another
            except (RedisError, OSError):
                self._look_at = time.monotonic() + NO_SENTINEL_SECONDS
        return await super().get_connection(*args, **options)  # type: ignore[no-untyped-call]

    async def release(self, connection: Any) -> None:
        if (connection.host, connection.port) != self.master_address:
            await connection.disconnect()
        await super().release(connection)


class _WaitingMasterPool(_MasterPool, BlockingConnectionPool):
    """The same, and one waits there for a connection."""


def _sentinel(place: RedisUrl) -> Any:
    kind: Any = Sentinel  # which has no types
    return kind(place.hosts, sentinel_kwargs={**sentinel_options(place), "retry": Retry(NoBackoff(), 0)})


def _connection_options(place: RedisUrl) -> dict[str, Any]:
    options: dict[str, Any] = {
        "db": place.db,
        "username": place.username,
        "password": place.password,
        "socket_connect_timeout": CONNECT_SECONDS,
        **(place.tls or {}),
    }
    if place.path:
        return {**options, "path": place.path, "connection_class": UnixDomainSocketConnection}
    options |= {"socket_keepalive": True, "socket_keepalive_options": _KEEPALIVE}
    if place.master:
        return options
    [(host, port)] = place.hosts
    kind = Connection if place.tls is None else SSLConnection
    return {**options, "host": host, "port": port, "connection_class": kind}


def _check_files(place: RedisUrl) -> None:
    for option in FILES:
        path = (place.tls or {}).get(option)
        if path is not None and not Path(path).is_file():
            raise Refused(f"wrong setting: redis_url names a file that is not there: {option}={path}")
