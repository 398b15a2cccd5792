"""GET /metrics: the whole cluster in numbers, as Prometheus reads them.

Takes what Redis and SQL have at this moment; keeps nothing, so any number of servers say the same. Where one of the two
does not answer, its numbers are missing and `penstock_up` says so. What SQL counts are URLs by what stands of them; an
attempt that failed may yet be followed by one that does not, so these are gauges.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from contract import topology
from contract.bus import clock
from penstock.api.house import House, TheHouse
from penstock.api.server_numbers import frontier_metrics, server_metrics
from penstock.api.streams import gauge, stage_metrics
from storage.read_models import totals

router = APIRouter(tags=["operation"])
log = logging.getLogger("penstock.api")

#: Whoever scrapes waits ten seconds by default.
LIMIT_SECONDS = 5.0
#: A running crawl that has asked for nothing for so long makes no progress. Longer than a host that answers 503 with
#: Retry-After is usually left alone.
STALLED_SECONDS = 600


class Numbers(Collector):
    """Metrics that were read beforehand."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        """Give them."""
        yield from self._families


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
)
async def metrics(house: TheHouse) -> Response:
    """The cluster in numbers."""
    of_redis, of_sql = await asyncio.gather(_of_redis(house), _of_sql(house))
    up = _gauge("penstock_up", "Whether a part answers.", "part", {"redis": bool(of_redis), "sql": bool(of_sql)})
    watchers = GaugeMetricFamily("penstock_watchers", "Event streams that this server feeds.", house.hub.watchers)
    registry = CollectorRegistry()
    registry.register(Numbers([up, watchers, *of_redis, *of_sql]))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _of_redis(house: House) -> list[Metric]:
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            numbers = await _numbers(house)
            parts = stage_metrics(house.bus), frontier_metrics(house.bus), server_metrics(house.bus)
            stages, frontier, server = await asyncio.gather(*parts)
    except (RedisError, OSError, TimeoutError) as error:
        log.info("no metrics of Redis: %s", error)
        return []
    return [
        *(*stages, *frontier, *server),
        gauge("penstock_stage_dead_letters", "Messages that a stage has given up.", numbers.dead_letters),
        GaugeMetricFamily("penstock_requests_in_flight", "Jobs issued and not yet settled.", numbers.in_flight),
        GaugeMetricFamily("penstock_fetchers", "Live fetch processes.", numbers.fetchers),
        GaugeMetricFamily("penstock_held_body_bytes", "Bytes of bodies that Redis holds.", numbers.body_bytes),
    ]


class _Numbers(msgspec.Struct, frozen=True):
    in_flight: int
    body_bytes: int
    fetchers: int
    dead_letters: dict[str, int]


async def _numbers(house: House) -> _Numbers:
    now = await clock.now_ms(house.bus)
    keys, pipeline = house.bus.keys, house.bus.redis.pipeline(transaction=False)
    names = [stage.name for stage in topology.STAGES if stage.takes]
    pipeline.mget([keys.in_flight, keys.body_bytes])
    pipeline.zcount(keys.fetchers, now, "+inf")
    for name in names:
        pipeline.xlen(keys.dead(name))
    (in_flight, body_bytes), fetchers, *dead = await pipeline.execute()
    dead_letters = dict(zip(names, dead, strict=True))
    return _Numbers(int(in_flight or 0), int(body_bytes or 0), int(fetchers), dead_letters)


async def _of_sql(house: House) -> list[Metric]:
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            states = await asyncio.to_thread(totals.crawls_by_state, house.engine)
            counts = await asyncio.to_thread(totals.tallies, house.engine)
            stalled = await asyncio.to_thread(totals.stalled_crawls, house.engine, seconds=STALLED_SECONDS)
    except (SQLAlchemyError, TimeoutError) as error:
        log.info("no metrics of SQL: %s", error)
        return []
    every = {state: states.get(state, 0) for state in ("running", "paused", "finished", "cancelled")}
    outcomes = {outcome: counts.get(("outcome", outcome), 0) for outcome in ("fetched", "failed", "excluded")}
    statuses = {word: count for (kind, word), count in counts.items() if kind == "status"}
    return [
        _gauge("penstock_crawls", "Crawls by state.", "state", every),
        GaugeMetricFamily("penstock_stalled_crawls", "Running crawls without a request for ten minutes.", stalled),
        _gauge("penstock_pages", "URLs by outcome.", "outcome", outcomes),
        _gauge("penstock_answers", "URLs by the status of their latest answer.", "status", statuses),
        GaugeMetricFamily("penstock_parsed_pages", "Fetched pages that were parsed.", counts.get(("parsed", ""), 0)),
        GaugeMetricFamily("penstock_items", "Items that spiders made.", counts.get(("items", ""), 0)),
        GaugeMetricFamily("penstock_fetched_bytes", "Bytes of bodies, decoded.", counts.get(("bytes", ""), 0)),
    ]


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family
