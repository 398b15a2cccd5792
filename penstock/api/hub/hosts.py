"""Hosts as the API shows them: what SQL has of them, how fast they were asked of late, what politeness holds now."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from redis.exceptions import RedisError

from penstock.api.house import House
from penstock.api.hub.pace import Paces
from penstock.api.models import Host
from scheduler.report import RATE
from storage.read_models import host_totals
from storage.read_models.host_totals import HostTotals

#: What politeness keeps of a host (`Keys.host`): numbers, of ms but for the first, and words.
_NUMBERS = ("in_flight", "next_at", "block_until", "crawl_delay", "latency", "waits_until")
_WORDS = ("waits_for", "waits_why", "limited")
#: Those that are moments, in our own time.
_TIMES = ("next_at", "block_until", "waits_until")


async def hosts_of(house: House, crawl: str, names: Sequence[str], paces: Paces) -> list[Host]:
    """These hosts of a crawl, in this order."""
    found = await asyncio.to_thread(host_totals.of_hosts, house.engine, crawl, names)
    totals = [found.get(name) or HostTotals(host=name) for name in names]
    return await _described(house, totals, paces)


async def all_hosts(house: House, totals: Sequence[HostTotals]) -> list[Host]:
    """Hosts over all crawls; how fast each was asked is known of crawls only."""
    return [host.model_copy(update={"per_second": None}) for host in await _described(house, totals, Paces())]


async def _described(house: House, totals: Sequence[HostTotals], paces: Paces) -> list[Host]:
    live, now = await _live(house, [each.host for each in totals]), time.time()
    return [_host(each, paces, live.get(each.host, {}), now=now) for each in totals]


async def _live(house: House, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What Redis knows of hosts, times in Unix ms; nothing while it is away."""
    pipeline = house.bus.redis.pipeline(transaction=False)
    pipeline.hget(house.bus.keys.clock, "ahead")
    for name in names:
        pipeline.hmget(house.bus.keys.host(name), [*_NUMBERS, *_WORDS])
    with contextlib.suppress(RedisError):
        ahead, *values = await pipeline.execute()
        return {name: _facts(row, int(ahead or 0)) for name, row in zip(names, values, strict=True)}
    return {}


def _facts(row: Sequence[bytes | None], ahead_ms: int) -> dict[str, Any]:
    values = zip((*_NUMBERS, *_WORDS), row, strict=True)
    return {field: _read(field, value, ahead_ms) for field, value in values if value}


def _read(field: str, value: bytes, ahead_ms: int) -> int | str:
    if field in _WORDS:
        return value.decode()
    return int(float(value)) - (ahead_ms if field in _TIMES else 0)


def _host(totals: HostTotals, paces: Paces, live: Mapping[str, Any], *, now: float) -> Host:
    pace, now_ms = paces.of(totals.host), int(now * 1000)
    gaps, latency = pace.gaps_ms, pace.latency_ms
    known = msgspec.structs.asdict(totals) | {"crawl_delay_ms": live.get("crawl_delay") or totals.crawl_delay_ms}
    return Host(
        **known,
        per_second=paces.per_second(totals.host, now),
        latency_ms=live.get("latency") if latency is None else latency,
        in_flight=live.get("in_flight", 0),
        next_at=_later(live.get("next_at", 0), now_ms),
        block_until=_later(live.get("block_until", 0), now_ms),
        **_waiting(live, now_ms),
        smallest_gap_ms=min(gaps, default=None),
        gaps_ms=gaps,
    )


def _waiting(live: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """What a host is waited for as a whole, as progress tells of it (`scheduler.report.limited`)."""
    until = _later(live.get("block_until", 0), now_ms)
    if "waits_for" not in live and live.get("limited") and until:
        return {"waits_for": RATE, "waits_why": live["limited"], "waits_until": until}
    until = _later(live.get("waits_until", 0), now_ms)
    return {"waits_for": live.get("waits_for"), "waits_why": live.get("waits_why"), "waits_until": until}


def _later(at: int, now_ms: int) -> int | None:
    return at if at > now_ms else None
