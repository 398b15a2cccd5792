"""What all requests share, opened when the server starts and closed when it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from sqlalchemy import Engine

from contract.bus import Bus
from contract.errors import Refused
from contract.settings import Settings
from penstock.plan import absolute_reference
from penstock.webhooks.signature import signing_key
from storage.sql.database import READER_CACHE_KIB, open_database

#: Shorter than clients and proxies wait for an answer. A scheduler that is at work takes some milliseconds.
PATIENCE_SECONDS = 15.0


class KnownSpider(msgspec.Struct, frozen=True):
    """A spider that the server was told of: how a crawl names it, and the loaded `Spider`."""

    reference: str
    spider: Any


class House:
    """Settings, the bus, the database, and the spiders by their names; `hub` is put in by who starts it."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        engine: Engine,
        spiders: dict[str, KnownSpider],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.settings, self.bus, self.engine, self.spiders = settings, bus, engine, spiders
        #: How long a scheduler may take to answer a command.
        self.patience_seconds = patience_seconds
        #: `penstock.api.hub.Hub`, which itself needs a house.
        self.hub: Any = None

    def __repr__(self) -> str:
        return f"<House {len(self.spiders)} spiders>"


@contextlib.asynccontextmanager
async def open_house(settings: Settings, *, patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[House]:
    """A house for the length of a block; raises `Refused` for a setting that a person must mend."""
    signing_key(settings.webhook_secret)  # a wrong one is the operator's to mend, not a client's
    spiders = await asyncio.to_thread(load_spiders, settings.spiders)
    async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
        engine = await asyncio.to_thread(open_database, settings, cache_kib=READER_CACHE_KIB)
        try:
            yield House(settings, bus, engine, spiders, patience_seconds=patience_seconds)
        finally:
            await asyncio.to_thread(engine.dispose)


def load_spiders(references: tuple[str, ...]) -> dict[str, KnownSpider]:
    """Spiders by name; raises `Refused` for one that cannot be loaded, or two of one name."""
    if not references:
        return {}
    from scraper.spiders import load_spider

    found: dict[str, KnownSpider] = {}
    for reference in references:
        spider = load_spider(reference)
        if spider.name in found:
            raise Refused(f"two spiders are named {spider.name!r}: {found[spider.name].reference} and {reference}")
        found[spider.name] = KnownSpider(absolute_reference(reference), spider)
    return found


def house_of(request: Request) -> House:
    """The house of the server that answers this request."""
    house: House = request.app.state.house
    return house


#: What a route writes to be given the house.
TheHouse = Annotated[House, Depends(house_of)]
