"""Lua scripts: loading them from files, and running them, one or many in one round trip.

A script is one or more whole files, libraries first. Every script of ours is written so that running it twice is the
same as once (its first act is an XACK that can succeed only once, or it is repeatable by nature), so a lost
connection is answered by running it again.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Any, TypeVar

import msgspec
from redis.asyncio import Redis
from redis.exceptions import (
    BusyLoadingError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from contract.errors import Unreachable

log = logging.getLogger(__name__)

T = TypeVar("T")

#: What a server does while it restarts, fails over or is out of memory: worth waiting for.
PASSING = (RedisConnectionError, RedisTimeoutError, BusyLoadingError)
#: How long to wait for a server that is away; a stage gives up after that and is started anew by its supervisor.
PATIENCE_SECONDS = 120.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 2.0
# Full, or a replica for now. redis-py cuts the first word off the texts of those that have a class.
_FULL = (OutOfMemoryError, ReadOnlyError, MasterDownError)
_FULL_WORDS = ("OOM", "MISCONF", "LOADING", "READONLY", "BUSY ", "NOREPLICAS")


class Script:
    """A Lua script by its files, relative to a package: `Script("contract.bus", "take.lua", "hand_over.lua")`."""

    def __init__(self, package: str, *names: str | tuple[str, str]) -> None:
        parts = [name if isinstance(name, tuple) else (package, name) for name in names]
        self.name = parts[-1][1]
        self.text = "\n".join(files(where).joinpath(name).read_text("utf-8") for where, name in parts)
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class Call(msgspec.Struct, frozen=True):
    """One run of a script."""

    script: Script
    keys: Sequence[str]
    args: Sequence[Any]


async def run(redis: Redis, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
    """Run one script, waiting out a server that is away; raises `Unreachable` after PATIENCE_SECONDS."""
    return (await run_all(redis, [Call(script, keys, args)]))[0]


async def run_all(redis: Redis, calls: Sequence[Call]) -> list[Any]:
    """Run scripts in one round trip; the results in the same order. Raises the first error of a script."""
    return await patiently(lambda: attempt(redis, calls))


async def patiently(act: Callable[[], Awaitable[T]]) -> T:
    """Do something that may be done twice, again and again while Redis is away; its result.

    Raises `Unreachable` after PATIENCE_SECONDS, and at once every error that waiting does not mend.
    """
    pause, waited = _FIRST_PAUSE_SECONDS, 0.0
    while True:
        try:
            return await act()
        except (*PASSING, ResponseError) as error:
            if not passing(error):
                raise
            if waited >= PATIENCE_SECONDS:
                raise Unreachable(f"Redis did not answer for {waited:.0f} s: {error}") from error
            log.warning("waiting for Redis: %s", error, extra={"action": "redis_away"})
        await asyncio.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE_SECONDS)


def passing(error: Exception) -> bool:
    """Whether this error of Redis is worth waiting for."""
    return isinstance(error, (*PASSING, *_FULL)) or str(error).startswith(_FULL_WORDS)


async def attempt(redis: Redis, calls: Sequence[Call]) -> list[Any]:
    """Run scripts in one round trip without waiting for a server that is away: raises what redis-py raises."""
    results = await _send(redis, calls) if calls else []
    missing = [i for i, result in enumerate(results) if isinstance(result, NoScriptError)]
    if missing:
        for script in {calls[i].script for i in missing}:
            await redis.script_load(script.text)
        again = await _send(redis, [calls[i] for i in missing])
        for i, result in zip(missing, again, strict=True):
            results[i] = result
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


async def _send(redis: Redis, calls: Sequence[Call]) -> list[Any]:
    pipeline = redis.pipeline(transaction=False)
    for call in calls:
        pipeline.execute_command("EVALSHA", call.script.sha, len(call.keys), *call.keys, *call.args)
    return list(await pipeline.execute(raise_on_error=False))
