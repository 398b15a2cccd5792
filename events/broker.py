"""How Celery spells the Redis that we know by a redis-py URL. Pure functions."""

import ssl
from typing import Any
from urllib.parse import parse_qs, urlencode


def broker_url(redis_url: str) -> str:
    """The same Redis for Celery: `unix:///path?db=1` is `redis+socket:///path?virtual_host=1` there."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    fields = {name: values[-1] for name, values in parse_qs(query).items()}
    fields["virtual_host"] = fields.pop("db", "0")
    return f"redis+socket://{path}?{urlencode(fields)}"


def tls_options(redis_url: str) -> dict[str, Any] | None:
    """What Celery asks for beside a `rediss://` URL; None for the others."""
    if not redis_url.startswith("rediss://") or "ssl_cert_reqs" in redis_url:
        return None
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED}
