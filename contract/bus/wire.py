"""How a connection to Redis packs and sends commands, and what it makes of a server that is new or keeps it out."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from functools import cache
from typing import Any

import hiredis
from redis.exceptions import AuthenticationError, NoScriptError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from contract.bus.scripts import Script
from contract.errors import Refused

#: A server that has taken another one's place ends all connections, so who connects says so before anything else.
MEET = Script("contract.bus", "clock.lua", "meet.lua")
#: Below asyncio's high-water mark of 64 KiB, under which a write never waits.
_BUFFERED_BYTES = 32 * 1024
#: What a server says to everybody for a while: a script runs for too long, a replica has lost its master.
_PASSING_WORDS = ("BUSY", "MASTERDOWN")


class _Connection:
    """Packs commands in C, and sends them without `asyncio.wait_for`, in which redis-py wraps each write.

    redis-py's asyncio side packs in Python, which takes longer than all else that it does with a script of many
    arguments. As for `wait_for`: until Python 3.12 it loses a cancellation that comes together with the end of the
    write. What fits into the transport's buffer needs no time limit: it is gone at once, and the reply has one.

    Raises `Refused` where waiting does not help: for a password or a certificate that is not accepted.
    """

    socket_timeout: float | None
    #: The key of the clock, where a new server is noted; none for readers, who begin no request.
    clock = ""

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

    async def connect_check_health(self, *args: Any, **options: Any) -> None:
        try:
            await super().connect_check_health(*args, **options)  # type: ignore[misc]
        except (RedisConnectionError, ResponseError) as error:
            for each in (error, error.__cause__, error.__context__):  # over a Unix socket it comes wrapped
                if reason := _lasting(each):
                    raise Refused(reason) from error
            raise

    async def on_connect_check_health(self, *args: Any, **options: Any) -> None:
        await super().on_connect_check_health(*args, **options)  # type: ignore[misc]
        if self.clock:  # before a pub/sub client subscribes again: from then on it may ask nothing
            await self._meet()

    async def _meet(self) -> None:
        with contextlib.suppress(ResponseError):  # it is full, or a replica: it lets nobody begin a request either
            try:
                await self._do("EVALSHA", MEET.sha, 1, self.clock, 0)
            except NoScriptError:
                await self._do("SCRIPT LOAD", MEET.text)
                await self._do("EVALSHA", MEET.sha, 1, self.clock, 0)

    async def _do(self, *args: Any) -> None:
        await self.send_command(*args, check_health=False)  # type: ignore[attr-defined]
        await self.read_response()  # type: ignore[attr-defined]


def _lasting(error: BaseException | None) -> str:
    """What to say of an error that waiting does not mend; empty for any other."""
    if isinstance(error, AuthenticationError):
        return f"Redis does not let us in: {error}; see user and password in redis_url"
    if isinstance(error, ResponseError) and not str(error).startswith(_PASSING_WORDS):
        return f"Redis does not let us in: {error}; see redis_url"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Redis' certificate is not accepted: {error.verify_message}; see ssl_ca_certs in redis_url"
    if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return f"no TLS with Redis: {error.reason or error}; see redis_url"
    return ""


@cache
def quick(kind: type, clock: str = "") -> type:
    """This class of redis-py's connections, made quicker and clearer; with a clock's key, it notes new servers."""
    return type(f"Quick{kind.__name__}", (_Connection, kind), {"clock": clock})
