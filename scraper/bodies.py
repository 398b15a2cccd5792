"""What lies in Redis about deliveries of `page.fetched`: their bodies, their crawls' specifications, and the epoch.

Takes deliveries, gives `Looked`, in one round trip. Owns a memory of specifications, which never change.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from events.bus import Bus, Delivery
from events.bus.scripts import PASSING, PATIENCE_SECONDS, passing
from events.crawls import CrawlSpec
from events.errors import Unreachable
from events.topology import PARSE

log = logging.getLogger(PARSE.name)

#: Specifications remembered; the oldest go first.
MOST_CRAWLS = 1_000
_PAUSE_SECONDS = 0.25
_decoder = msgspec.json.Decoder(CrawlSpec)


class Looked(msgspec.Struct, frozen=True):
    """The bodies of deliveries (None: gone, or never there), and the world that they were read in."""

    bodies: list[bytes | None]
    epoch: str


class Bodies:
    """Reads bodies and specifications."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._specs: dict[str, CrawlSpec] = {}

    def spec(self, crawl: str) -> CrawlSpec | None:
        """The specification of a crawl that was looked at; None where Redis knows no such crawl."""
        return self._specs.get(crawl)

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
        crawls = {delivery.envelope.crawl for delivery in deliveries} - self._specs.keys()
        names = [delivery.body_key or "" for delivery in deliveries]
        pipeline: Any = self._bus.redis.pipeline(transaction=False)
        pipeline.mget([keys.epoch, *names])
        for crawl in crawls:
            pipeline.hget(keys.crawl(crawl), "spec")
        (epoch, *bodies), *specs = await pipeline.execute()
        for crawl, raw in zip(crawls, specs, strict=True):
            self._remember(crawl, raw)
        return Looked(bodies, (epoch or b"").decode())

    def _remember(self, crawl: str, raw: bytes | None) -> None:
        if raw:
            self._specs[crawl] = _decoder.decode(raw)
            if len(self._specs) > MOST_CRAWLS:
                del self._specs[next(iter(self._specs))]
