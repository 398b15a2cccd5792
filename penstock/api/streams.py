"""What waits for each stage, by Redis' own account: how much, how long, and what is held.

Takes the bus, gives metrics. Where Redis does not know how much a group has not been given yet (XINFO's lag is null
after entries were removed from the middle of a stream), the number is left out: unknown is not zero.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from redis.exceptions import ResponseError

from contract import topology
from contract.bus import Bus


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer group on one stream; `lag` is None where Redis does not know it."""

    stage: str
    key: str
    last: str
    pending: int
    lag: int | None


async def stage_metrics(bus: Bus) -> list[Metric]:
    """What each stage that takes something has before it."""
    groups, now_ms = await _groups(bus)
    waits, holds = await _ages(bus, groups, now_ms)
    by_stage = defaultdict[str, list[_Group]](list)
    for group in groups:
        by_stage[group.stage].append(group)
    backlog = {name: sum(each.lag or 0 for each in some) for name, some in by_stage.items() if _all_known(some)}
    pending = {name: float(sum(each.pending for each in some)) for name, some in by_stage.items()}
    return [
        gauge("penstock_stage_backlog", "Messages not yet given to a stage.", backlog),
        gauge("penstock_stage_pending", "Messages that a stage holds.", pending),
        gauge(
            "penstock_stage_oldest_undelivered_seconds", "Age of the oldest message not yet given to a stage.", waits
        ),
        gauge("penstock_stage_oldest_pending_seconds", "Age of the oldest message that a stage holds.", holds),
    ]


def gauge(name: str, text: str, by_stage: dict[str, Any]) -> Metric:
    """A gauge with the label `stage`."""
    family = GaugeMetricFamily(name, text, labels=["stage"])
    for stage, value in by_stage.items():
        family.add_metric([stage], value)
    return family


def _all_known(groups: list[_Group]) -> bool:
    return all(group.lag is not None for group in groups)


async def _groups(bus: Bus) -> tuple[list[_Group], float]:
    """Every group of the map that there is, and the server's clock in ms."""
    pipeline = bus.redis.pipeline(transaction=False)
    pipeline.time()
    for stream in topology.ALL_STREAMS:
        pipeline.xinfo_groups(bus.keys.stream(stream))
    (seconds, micros), *answers = await pipeline.execute(raise_on_error=False)
    found = [
        _group(bus.keys.stream(stream), one)
        for stream, answer in zip(topology.ALL_STREAMS, answers, strict=True)
        if not _is_missing(answer)
        for one in answer
        if one["name"].decode() in topology.groups_of(stream)
    ]
    return found, seconds * 1000 + micros / 1000


def _is_missing(answer: Any) -> bool:
    """Whether there is no such stream: the server was flushed. Raises every other error."""
    if isinstance(answer, ResponseError):
        return True
    if isinstance(answer, Exception):
        raise answer
    return False


def _group(key: str, one: dict[str, Any]) -> _Group:
    return _Group(
        stage=one["name"].decode(),
        key=key,
        last=one["last-delivered-id"].decode(),
        pending=int(one["pending"]),
        lag=None if one["lag"] is None else int(one["lag"]),
    )


async def _ages(bus: Bus, groups: list[_Group], now_ms: float) -> tuple[dict[str, float], dict[str, float]]:
    """Stage → age in seconds of the oldest message that waits for it, and of the oldest that it holds; 0: none."""
    pipeline = bus.redis.pipeline(transaction=False)
    for group in groups:
        pipeline.xrange(group.key, min=f"({group.last}", count=1)
        pipeline.xpending_range(group.key, group.stage, min="-", max="+", count=1)
    waits: dict[str, float] = dict.fromkeys((group.stage for group in groups), 0.0)
    holds = dict(waits)
    answers = await pipeline.execute(raise_on_error=False)
    for group, next_one, held in zip(groups, answers[::2], answers[1::2], strict=True):
        if not _is_missing(next_one) and next_one:
            waits[group.stage] = max(waits[group.stage], _age(next_one[0][0], now_ms))
        if not _is_missing(held) and held:
            holds[group.stage] = max(holds[group.stage], _age(held[0]["message_id"], now_ms))
    return waits, holds


def _age(id: bytes, now_ms: float) -> float:
    return max(0.0, (now_ms - int(id.partition(b"-")[0])) / 1000)
