"""What lies in Redis about deliveries of `page.fetched`: their bodies, their crawls' specifications, and the epoch.

Takes deliveries, gives `Looked`, in one round trip.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from contract.bus import Bus, Delivery
from contract.bus.scripts import PASSING, PATIENCE_SECONDS, passing
from contract.crawls import CrawlSpec
from contract.errors import Unreachable
from contract.topology import PARSE
from scraper.crawls import CrawlBook

log = logging.getLogger(PARSE.name)

_PAUSE_SECONDS = 0.25


class Looked(msgspec.Struct, frozen=True):
    """The bodies of deliveries (None: gone, or never there), and the world that they were read in."""

    bodies: list[bytes | None]
    epoch: str


class Bodies:
    """Reads bodies and specifications."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._crawls = CrawlBook(bus)

    def spec(self, crawl: str) -> CrawlSpec | None:
        """The specification of a crawl that was looked at; None where Redis knows no such crawl."""
        return self._crawls.spec(crawl)

    async def look(self, deliveries: Sequence[Delivery]) -> Looked:
        """What there is for these deliveries. Waits out a server that is away; raises `Unreachable` in the end."""
        waited = 0.0
        while True:
            try:
                return await self._look(deliveries)
            except (*PASSING, ResponseError) as error:
                if not passing(error):
                    raise
                if waited >= PATIENCE_SECONDS:
                    raise Unreachable(f"Redis did not answer for {waited:.0f} s: {error}") from error
                log.warning("waiting for Redis: %s", error, extra={"action": "redis_away"})
            await asyncio.sleep(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS

    async def _look(self, deliveries: Sequence[Delivery]) -> Looked:
        keys = self._bus.keys
        crawls = {delivery.envelope.crawl for delivery in deliveries}
        unknown = [crawl for crawl in crawls if self._crawls.spec(crawl) is None]
        names = [delivery.body_key or "" for delivery in deliveries]
        pipeline: Any = self._bus.redis.pipeline(transaction=False)
        pipeline.mget([keys.epoch, *names])
        for crawl in unknown:
            self._crawls.ask(pipeline, crawl)
        (epoch, *bodies), *answers = await pipeline.execute()
        for crawl, answer in zip(unknown, answers, strict=True):
            self._crawls.learn(crawl, answer)
        return Looked(bodies, (epoch or b"").decode())
