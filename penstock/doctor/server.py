"""The Redis server: what it says of itself, and how it looks from here."""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec

from contract.bus.guards import check_version
from contract.errors import UnsafeServer
from contract.redis_url import RedisUrl
from penstock.doctor.finding import Finding, bad, ok, span, warn
from penstock.view.numbers import size

#: A hand-over is one round trip, so with more than this a stage is mostly waiting.
SLOW_SECONDS, VERY_SLOW_SECONDS = 0.02, 0.5
#: Presence and answers are told by the clocks of their hosts, with lives of a few seconds.
SKEW_SECONDS, GREAT_SKEW_SECONDS = 1.0, 10.0
#: Shares of the memory that Redis may take.
_FULL_SOON, _FULL = 0.75, 0.95


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt of a server; without `info` its user may not ask. `ahead_seconds`: of its clock before ours."""

    place: RedisUrl
    info: dict[str, Any]
    user: str
    lacking: list[str]
    round_trip_seconds: float
    ahead_seconds: float


def check_redis(facts: ServerFacts) -> list[Finding]:
    """All findings on a server that answers."""
    info = facts.info
    found = [_version(info), _way(facts), _rights(facts), _round_trip(facts)]
    found.append(clock("redis clock", facts.ahead_seconds, whose="Redis'"))
    if "maxmemory_policy" not in info:
        return [*found, _unknown()]
    return [*found, _role(facts), _policy(info), _persistence(info), _written(info), _memory(info)]


def _version(info: dict[str, Any]) -> Finding:
    text = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"
    try:
        check_version(info)
    except UnsafeServer as error:
        return bad("redis version", str(error), "upgrade the server")
    return ok("redis version", text)


def _round_trip(facts: ServerFacts) -> Finding:
    text = f"{span(facts.round_trip_seconds)} there and back"
    if facts.round_trip_seconds < SLOW_SECONDS:
        return ok("redis latency", text)
    level = bad if facts.round_trip_seconds > VERY_SLOW_SECONDS else warn
    return level("redis latency", text, "move the stages nearer to Redis, or see what keeps it busy (SLOWLOG GET)")


def clock(what: str, ahead_seconds: float, *, whose: str, than: str = "this machine's") -> Finding:
    """Whether two clocks agree."""
    direction = "ahead of" if ahead_seconds > 0 else "behind"
    text = f"{whose} clock is {span(abs(ahead_seconds))} {direction} {than}"
    if abs(ahead_seconds) < SKEW_SECONDS:
        return ok(what, text)
    level = bad if abs(ahead_seconds) > GREAT_SKEW_SECONDS else warn
    return level(what, text, "set both by NTP (timedatectl set-ntp true)")


def _rights(facts: ServerFacts) -> Finding:
    if facts.lacking:
        named = ", ".join(facts.lacking)
        return bad(
            "redis rights", f"the user {facts.user} may not: {named}", "give it the rule in deploy/redis/users.acl"
        )
    return ok("redis rights", f"the user {facts.user} may do all that is needed")


def _way(facts: ServerFacts) -> Finding:
    place = facts.place
    hosts = ", ".join(f"{host}:{port}" for host, port in place.hosts)
    if place.path:
        return ok("redis way", f"a Unix socket, {place.path}")
    if place.tls is not None and place.tls["ssl_cert_reqs"] != "required":
        return warn("redis way", f"TLS to {hosts}, but the certificate is not looked at", "ssl_cert_reqs=required")
    if place.tls is not None:
        return ok("redis way", f"TLS to {hosts}")
    if all(_is_loopback(host) for host, _ in place.hosts):
        return ok("redis way", f"TCP to {hosts}, on this machine")
    if not place.password:
        return warn("redis way", f"TCP to {hosts}, without a password", "give the user a password: deploy/redis")
    return warn("redis way", f"TCP to {hosts}, readable on the way", "use rediss://, or a network of your own")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unknown() -> Finding:
    return warn(
        "redis settings", "the user may not ask for INFO, so nobody has looked at them",
        "ACL SETUSER … +info, or see that maxmemory-policy is noeviction and appendonly yes",
    )  # fmt: skip


def _policy(info: dict[str, Any]) -> Finding:
    policy = str(info["maxmemory_policy"])
    if policy != "noeviction":
        text = f"{policy}: a full server throws work away"
        return bad("redis eviction", text, "CONFIG SET maxmemory-policy noeviction, and in its configuration file")
    return ok("redis eviction", policy)


def _persistence(info: dict[str, Any]) -> Finding:
    if info.get("aof_enabled"):
        return ok("redis persistence", "append-only file")
    return warn(
        "redis persistence", "no append-only file: a restart loses what is queued, and the frontier is built anew",
        "CONFIG SET appendonly yes, and in its configuration file",
    )  # fmt: skip


def _written(info: dict[str, Any]) -> Finding:
    asked = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
    failed = [name for name in asked if info.get(name, "ok") != "ok"]
    if failed:
        text = f"{', '.join(failed)} failed: what is queued is not on its disk"
        return bad("redis disk", text, "make room on the server's disk, and see its log")
    return ok("redis disk", "the last writes went through")


def _memory(info: dict[str, Any]) -> Finding:
    used, limit = int(info["used_memory"]), int(info.get("maxmemory", 0))
    most = limit or int(info.get("total_system_memory", 0))
    text = f"{size(used)} of {size(most)}{'' if limit else ' that the machine has; no maxmemory'}"
    if not most or used < _FULL_SOON * most:
        return ok("redis memory", text if most else size(used))
    level = bad if used > _FULL * most else warn
    return level("redis memory", text, "raise maxmemory, or have fewer crawls at a time, or lower high_water_bytes")


def _role(facts: ServerFacts) -> Finding:
    role, followers = str(facts.info.get("role", "master")), int(facts.info.get("connected_slaves", 0))
    if role != "master":
        return bad(
            "redis role", "this is a replica, which takes no writes", "give the master's address, or sentinel://"
        )
    if facts.place.master and not followers:
        return warn("redis role", "a master without a replica", "start one, or a failover has nobody to go to")
    return ok("redis role", f"master, replicas: {followers}")
