"""/healthz: the process answers. /readyz: so do Redis and SQL, without which nothing can be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from penstock.api.house import House, TheHouse
from penstock.api.models import Health
from penstock.api.problems import Trouble, documented
from storage.sql import tables

router = APIRouter(tags=["operation"])

#: A part that takes longer is not there for anybody who waits for a page.
LIMIT_SECONDS = 2.0


@router.get("/healthz")
async def healthz() -> Health:
    """The process answers."""
    return Health()


@router.get("/readyz", responses=documented(503))
async def readyz(house: TheHouse) -> Health:
    """Redis and SQL answer too."""
    parts = {"Redis": house.bus.redis.ping(), "the database": asyncio.to_thread(_ask_sql, house)}
    answers = await asyncio.gather(*map(_is_there, parts.values()))
    missing = [name for name, is_there in zip(parts, answers, strict=True) if not is_there]
    if missing:
        raise Trouble(503, f"{' and '.join(missing)} does not answer", word="unavailable")
    return Health()


async def _is_there(asked: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await asked
    except (RedisError, SQLAlchemyError, OSError, TimeoutError):
        return False
    return True


def _ask_sql(house: House) -> None:
    with house.engine.connect() as connection:
        connection.execute(select(tables.crawls.c.id).limit(1)).first()
