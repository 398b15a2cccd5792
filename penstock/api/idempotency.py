"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request that is sent twice makes one crawl.

The first request with a key reserves a crawl's id for it, in one step, before anything is begun. Whoever comes with
the same key and the same body, at the same time or after this server has died, begins the crawl of that id; and to
begin a crawl twice is the same as once. Nothing has to be cleaned up.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, Header

from contract.bus import Bus
from penstock.api.problems import Trouble

#: How long a key holds, in seconds. A crawl that has ended is known to Redis for longer, so its id is not begun again.
LIFE_SECONDS = 86_400
_LONGEST = 255


def idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="The same word again, with the same body, gives the same crawl; for a day.",
            json_schema_extra={"minLength": 1, "maxLength": _LONGEST},
        ),
    ] = None,
) -> str | None:
    """The header's word, with or without the quotes that the draft asks for; raises `Trouble` for what is none."""
    if key is None:
        return None
    word = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if not 0 < len(word) <= _LONGEST or not word.isprintable() or not word.isascii():
        detail = f"Idempotency-Key: must have from 1 to {_LONGEST} ASCII characters"
        raise Trouble(400, detail, word="invalid", field="Idempotency-Key")
    return word


IdempotencyKey = Annotated[str | None, Depends(idempotency_key)]


async def reserved(bus: Bus, key: str, *, body: str, crawl: str) -> str:
    """The crawl of this key: this one if the key is not known yet; raises `Trouble` if it came with another body."""
    name = bus.keys.asked(hashlib.sha256(key.encode()).hexdigest())
    digest = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
    before = await bus.redis.set(name, f"{digest} {crawl}", nx=True, get=True, ex=LIFE_SECONDS)
    if before is None:
        return crawl
    known, _, first = before.decode().partition(" ")
    if not hmac.compare_digest(known, digest):
        detail = "this Idempotency-Key came with another request before; use another one"
        raise Trouble(422, detail, word="key-in-use", field="Idempotency-Key")
    return str(first)
