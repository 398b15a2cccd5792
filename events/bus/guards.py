"""What a Redis server must be like before any work is given to it."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError

from events.bus.connection import Bus
from events.errors import Refused, UnsafeServer
from events.logs import masked

log = logging.getLogger(__name__)

#: XAUTOCLAIM tells of deleted entries since 7.0; before, they stay pending for ever.
OLDEST = (7, 0)


async def check_server(bus: Bus) -> None:
    """Raise `UnsafeServer` for a server that would lose work, `Refused` for one that cannot be asked."""
    try:
        info = await bus.redis.info()
    except (RedisError, OSError) as error:
        raise Refused(f"no Redis at {masked(bus.url)}: {error}; start one, or leave PENSTOCK_REDIS_URL unset") from None
    check_version(info)
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        raise UnsafeServer(
            f"Redis evicts keys when it is full (maxmemory-policy {policy}), which loses work; "
            "set it to noeviction: CONFIG SET maxmemory-policy noeviction"
        )
    if not info.get("aof_enabled"):
        log.warning(
            "Redis keeps no append-only file: a restart of the server loses what is queued (CONFIG SET appendonly yes)",
            extra={"action": "not_durable"},
        )


def check_version(info: Mapping[str, Any]) -> None:
    """Raise `UnsafeServer` for what `INFO` says of a server that is too old."""
    # Valkey 7.2 and later report redis_version 7.2.4 for compatibility.
    text = str(info.get("redis_version", "0"))
    found = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    if found < OLDEST:
        raise UnsafeServer(f"Redis {text} is too old; Penstock needs 7.0 or later, or Valkey 7.2 or later")
