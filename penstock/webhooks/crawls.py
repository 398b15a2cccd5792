"""What is known of a crawl: where its events are to be posted, and whether all of it is in SQL.

Takes answers from Redis, and from SQL where Redis has forgotten the crawl. Asks SQL one question at a time, because the
recorder beside it needs the same threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from contract.bus import Bus, Delivery
from contract.bus.scripts import patiently
from contract.crawls import CrawlStarted
from contract.errors import PenstockError, Unreachable
from contract.settings import Settings
from scraper.crawls import CrawlBook
from storage.read_models import queries
from storage.sql.database import open_recorded

T = TypeVar("T")


class Crawls:
    """Looks crawls up; close it at the end."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        self._book, self._settings = CrawlBook(bus), settings
        self._engine: Engine | None = None
        self._turn = asyncio.Lock()

    def close(self) -> None:
        """Let go of the database."""
        if self._engine:
            self._engine.dispose()

    async def webhook_for(self, delivery: Delivery) -> str | None:
        """Where this event is to be posted; None where nobody asked for it. Raises `Unreachable` while SQL is away."""
        if isinstance(delivery.payload, CrawlStarted):
            return delivery.payload.spec.webhook
        crawl = delivery.envelope.crawl
        if known := await patiently(lambda: self._book.look_up(crawl)):
            return known.spec.webhook
        return await self._ask_sql(lambda engine: _recorded_webhook(engine, crawl))

    async def is_complete(self, crawl: str) -> bool:
        """Whether the crawl has ended and all of it is in SQL; False while SQL is away."""
        try:
            return await self._ask_sql(lambda engine: queries.is_complete(engine, crawl))
        except Unreachable:
            return False

    async def _ask_sql(self, question: Callable[[Engine], T]) -> T:
        async with self._turn:
            return await asyncio.to_thread(self._asked, question)

    def _asked(self, question: Callable[[Engine], T]) -> T:
        try:
            self._engine = self._engine or open_recorded(self._settings)
            return question(self._engine)
        except (SQLAlchemyError, PenstockError) as error:
            raise Unreachable("the database does not answer") from error


def _recorded_webhook(engine: Engine, crawl: str) -> str | None:
    from storage.store.history import spec_of

    spec = spec_of(engine, crawl)
    return spec.webhook if spec else None
