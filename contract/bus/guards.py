"""What a Redis server must be like before any work is given to it."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from redis.exceptions import NoPermissionError, RedisError

from contract.bus.connection import Bus
from contract.errors import Refused, UnsafeServer
from contract.logs import masked

log = logging.getLogger(__name__)

#: XAUTOCLAIM tells of deleted entries since 7.0; before, they stay pending for ever.
OLDEST = (7, 0)


async def check_server(bus: Bus) -> None:
    """Raise `UnsafeServer` for a server that would lose work, `Refused` for one that cannot be asked."""
    try:
        info = await server_info(bus)
    except (RedisError, OSError) as error:
        raise Refused(f"no Redis at {masked(bus.url)}: {error}; start one, or leave PENSTOCK_REDIS_URL unset") from None
    check_info(info)


def check_info(info: Mapping[str, Any]) -> None:
    """Raise `UnsafeServer` for what `INFO` says of a server that would lose work; warn of one that may."""
    check_version(info)
    if "maxmemory_policy" not in info:
        log.warning(
            "this user of Redis may not ask for INFO, so nobody has looked whether the server evicts keys or keeps an "
            "append-only file; it needs maxmemory-policy noeviction and appendonly yes",
            extra={"action": "not_looked_at"},
        )
        return
    _check_policy(str(info["maxmemory_policy"]))
    if not info.get("aof_enabled"):
        log.warning(
            "Redis keeps no append-only file: a restart of the server loses what is queued (CONFIG SET appendonly yes)",
            extra={"action": "not_durable"},
        )


async def server_info(bus: Bus) -> dict[str, Any]:
    """What `INFO` says, or, to a user who may not ask for that, the version alone; raises what redis-py raises."""
    try:
        return dict(await bus.redis.info())
    except NoPermissionError:
        # HELLO answers everybody who is let in at all.
        said = await bus.redis.execute_command("HELLO")
        pairs = said if isinstance(said, Mapping) else dict(zip(said[::2], said[1::2], strict=True))
        return {"redis_version": pairs[b"version"].decode()}


def check_version(info: Mapping[str, Any]) -> None:
    """Raise `UnsafeServer` for what `INFO` says of a server that is too old."""
    # Valkey 7.2 and later report redis_version 7.2.4 for compatibility.
    text = str(info.get("redis_version", "0"))
    found = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    if found < OLDEST:
        raise UnsafeServer(f"Redis {text} is too old; Penstock needs 7.0 or later, or Valkey 7.2 or later")


def _check_policy(policy: str) -> None:
    if policy != "noeviction":
        raise UnsafeServer(
            f"Redis evicts keys when it is full (maxmemory-policy {policy}), which loses work; "
            "set it to noeviction: CONFIG SET maxmemory-policy noeviction"
        )
