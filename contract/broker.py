"""How Celery spells the Redis that we know by one URL, and where it keeps its keys there. Pure functions."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from contract.keys import Keys
from contract.redis_url import RedisUrl, parse_redis_url

#: A server that has not taken a connection after this long is not there; a Sentinel is asked for its master again.
CONNECT_SECONDS = 5
#: A reply that takes longer has lost its connection. Longer than the second for which Celery asks for tickets at most.
REPLY_SECONDS = 10
#: Celery looks this often whether a server that says nothing is still there; one that was frozen or cut off is not.
HEALTH_SECONDS = 5
#: A Sentinel answers at once, or another one is asked.
SENTINEL_SECONDS = 1


def celery_settings(redis_url: str, *, prefix: str) -> dict[str, Any]:
    """Celery's settings `broker_url`, `broker_use_ssl` and `broker_transport_options`; raises `Refused`."""
    place = parse_redis_url(redis_url)
    return {
        "broker_url": broker_url(redis_url),
        "broker_use_ssl": place.tls,
        "broker_transport_options": {
            "global_keyprefix": Keys(prefix).tickets_prefix,
            # Tickets are disposable, so nobody keeps a second copy until they are acknowledged. And a worker whose
            # acknowledgement went to a server that was cut off would take no ticket any more.
            "ack_emulation": False,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": REPLY_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": HEALTH_SECONDS,
            **_about_sentinel(place),
        },
    }


def broker_url(redis_url: str) -> str:
    """The same Redis in Celery's words: `unix:///path?db=1` is `redis+socket:///path?virtual_host=1` there."""
    place = parse_redis_url(redis_url)
    secrets = _secrets(place)
    if place.path:
        return f"redis+socket://{secrets}{quote(place.path)}?virtual_host={place.db}"
    scheme = "sentinel" if place.master else "rediss" if place.tls else "redis"
    return ";".join(f"{scheme}://{secrets}{_bracketed(host)}:{port}/{place.db}" for host, port in place.hosts)


def _secrets(place: RedisUrl) -> str:
    words = [quote(word or "", safe="") for word in (place.username, place.password)]
    return f"{':'.join(words)}@" if any(words) else ""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _about_sentinel(place: RedisUrl) -> dict[str, Any]:
    return {"master_name": place.master, "sentinel_kwargs": sentinel_options(place)} if place.master else {}


def sentinel_options(place: RedisUrl) -> dict[str, Any]:
    """What redis-py wants to know to ask a Sentinel."""
    return {
        "username": place.sentinel_username,
        "password": place.sentinel_password,
        "socket_timeout": SENTINEL_SECONDS,
        "socket_connect_timeout": SENTINEL_SECONDS,
        **({"ssl": True, **place.tls} if place.tls is not None else {}),
    }
