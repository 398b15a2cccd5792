"""What Redis says of itself, and what the frontier in it holds."""

from __future__ import annotations

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from contract.bus import Bus
from scheduler.report import lives


async def server_metrics(bus: Bus) -> list[Metric]:
    """Memory, clients and commands of the server."""
    info = await bus.redis.info()
    return [
        GaugeMetricFamily("penstock_redis_memory_bytes", "Memory that Redis uses.", info["used_memory"]),
        GaugeMetricFamily("penstock_redis_memory_limit_bytes", "What it may use; 0: all.", info.get("maxmemory", 0)),
        GaugeMetricFamily("penstock_redis_clients", "Connections to Redis.", info["connected_clients"]),
        CounterMetricFamily("penstock_redis_commands", "Commands carried out.", info["total_commands_processed"]),
    ]


async def frontier_metrics(bus: Bus) -> list[Metric]:
    """URLs of all unfinished crawls, by their state in the frontier."""
    crawls = [crawl.decode() for crawl in await bus.redis.hvals(bus.keys.names)]
    found = (await lives(bus, crawls)).values() if crawls else ()
    family = GaugeMetricFamily("penstock_frontier_urls", "URLs of unfinished crawls, by state.", labels=["state"])
    for state in ("queued", "in_flight"):
        family.add_metric([state], sum(numbers[state] for numbers in found))
    return [family]
