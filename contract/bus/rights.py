"""What we may do on a Redis server: every command that we or Celery send, each with an example that stands for it.

Gives the rule for a user with no more rights than that (`deploy/redis/users.acl` holds it), and asks a server what its
user lacks: examples are queued in a MULTI that is discarded, where the server checks rights and does nothing.
"""

from __future__ import annotations

from typing import Any

from redis.exceptions import NoPermissionError, ResponseError

from contract.bus.connection import Bus
from contract.keys import Keys

#: `{key}` stands for a key of ours, `{channel}` for a channel, `{pattern}` for one of Celery's. Commands whose parts
#: have rights of their own are named by two words, and listed in `_PARTED`.
EXAMPLES = (
    # streams
    *("XADD {key} * e x", "XDEL {key} 1-0", "XLEN {key}", "XRANGE {key} - +", "XTRIM {key} MINID 0"),
    *("XACK {key} g 1-0", "XAUTOCLAIM {key} g c 0 0-0", "XCLAIM {key} g c 0 1-0", "XPENDING {key} g"),
    *("XREADGROUP GROUP g c STREAMS {key} >", "XGROUP CREATE {key} g 0 MKSTREAM", "XGROUP DELCONSUMER {key} g c"),
    *("XINFO GROUPS {key}", "XINFO CONSUMERS {key} g"),
    # strings
    *("GET {key}", "MGET {key}", "SET {key} x", "STRLEN {key}", "INCR {key}", "INCRBY {key} 1"),
    *("DECR {key}", "DECRBY {key} 1", "COPY {key} {key}"),
    # any key
    *("DEL {key}", "UNLINK {key}", "EXISTS {key}", "EXPIRE {key} 1", "PEXPIRE {key} 1", "PERSIST {key}"),
    # hashes
    *("HGET {key} f", "HLEN {key}", "HMGET {key} f", "HGETALL {key}", "HKEYS {key}", "HVALS {key}", "HSCAN {key} 0"),
    *("HEXISTS {key} f", "HRANDFIELD {key}", "HSET {key} f x", "HSETNX {key} f x", "HINCRBY {key} f 1", "HDEL {key} f"),
    # sets
    *("SADD {key} m", "SREM {key} m", "SCARD {key}", "SISMEMBER {key} m", "SMEMBERS {key}", "SRANDMEMBER {key}"),
    # sorted sets
    *("ZADD {key} 1 m", "ZREM {key} m", "ZCARD {key}", "ZCOUNT {key} 0 1", "ZRANGE {key} 0 -1"),
    *("ZRANGEBYSCORE {key} 0 1", "ZSCORE {key} m", "ZPOPMIN {key}"),
    # lists: answers to commands, and Celery's queues
    *("LPOP {key}", "RPOP {key}", "BRPOP {key} 1", "LPUSH {key} x", "RPUSH {key} x", "LLEN {key}"),
    # scripts and transactions
    *("EVALSHA 0 1 {key}", "SCRIPT LOAD x", "SCRIPT EXISTS x", "WATCH {key}", "UNWATCH", "MULTI", "EXEC", "DISCARD"),
    # pub/sub
    *("PUBLISH {channel} x", "SUBSCRIBE {channel}", "UNSUBSCRIBE {channel}"),
    *("PSUBSCRIBE {pattern}", "PUNSUBSCRIBE {pattern}"),
    # the server: what it is like, its clock, and what clients say of themselves when they connect
    *("PING", "INFO server", "TIME", "SELECT 0", "CLIENT SETINFO LIB-NAME x", "ACL WHOAMI"),
)
_PARTED = ("ACL", "CLIENT", "SCRIPT", "XGROUP", "XINFO")
#: What cannot be queued in a MULTI.
_UNQUEUED = ("WATCH", "UNWATCH", "MULTI", "EXEC", "DISCARD", "UNSUBSCRIBE", "PUNSUBSCRIBE")


def commands() -> list[str]:
    """Every command as an ACL names it: `get`, `xgroup|create`."""
    return sorted({_name(example) for example in EXAMPLES})


def rule(prefix: str = "penstock", *, db: int = 0) -> str:
    """An ACL rule of these rights for all keys and channels of ours, without the name of a user and a password."""
    channels = " ".join(f"&{channel}" for channel in (f"{prefix}:*", *_patterns(Keys(prefix).tickets_prefix, db)))
    return f"resetkeys ~{prefix}:* resetchannels {channels} -@all {' '.join('+' + name for name in commands())}"


def _patterns(tickets_prefix: str, db: int) -> list[str]:
    """What Celery gives to PSUBSCRIBE: a server compares a pattern with those of the rule letter by letter."""
    return [f"{tickets_prefix}/{db}.{name}" for name in ("celery.pidbox", "celeryev/*")]


async def lacking(bus: Bus) -> list[str]:
    """The commands that the bus' user may not send about keys and channels of ours, as an ACL names them."""
    pattern = _patterns(bus.keys.tickets_prefix, bus.place.db)[0]
    ours = {"key": bus.keys.epoch, "channel": bus.keys.news, "pattern": pattern}
    asked = [example for example in EXAMPLES if example.split()[0] not in _UNQUEUED]
    refused = set()
    # On a connection of its own, because a client would take QUEUED for the command's reply.
    connection = await bus.redis.connection_pool.get_connection()
    try:
        for example in ("MULTI", *asked, "DISCARD"):
            if await _is_refused(connection, example.format(**ours)):
                refused.add(_name(example))
    finally:
        await connection.disconnect()
        await bus.redis.connection_pool.release(connection)
    return sorted(refused)


async def _is_refused(connection: Any, command: str) -> bool:
    await connection.send_command(*command.split())
    try:
        await connection.read_response()
    except NoPermissionError:
        return True
    except ResponseError:
        return False  # a command that this server does not know
    return False


def _name(example: str) -> str:
    words = example.lower().split()
    return "|".join(words[:2]) if words[0].upper() in _PARTED else words[0]
