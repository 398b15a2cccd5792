"""Progress of the scheduler's part: the frontier's counts of each running crawl, and each stage's backlog.

Takes numbers from Redis, gives the progress part `frontier`. The counts are the frontier's own, kept by its scripts,
so any number of schedulers publish the same truth.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from contract import topology
from contract.bus import Bus
from contract.bus.scripts import PASSING
from contract.lifetime import happened
from contract.progress import INTERVAL_SECONDS, Part

_COUNTS = ("discovered", "queued", "in_flight", "fetched", "failed", "excluded", "retried", "unfinished")
#: Hosts of which nothing is asked for now, and that are named.
_LIMITED_SHOWN = 5
#: Why nothing is asked of a host that has said 429 or Retry-After.
RATE = "rate_limit"
#: Backlogs are asked for less often: one command for each stream.
_BACKLOG_SECONDS = 0.5


async def report(bus: Bus, stop: asyncio.Event) -> None:
    """Publish until asked to stop; a crawl that has ended is reported one last time."""
    part, known, backlog, asked_at = Part(bus, "frontier"), set[str](), dict[str, int](), 0.0
    while not stop.is_set():
        with contextlib.suppress(*PASSING, ResponseError):
            if time.monotonic() - asked_at > _BACKLOG_SECONDS:
                backlog, asked_at = await backlogs(bus), time.monotonic()
            unfinished = {crawl.decode() for crawl in await bus.redis.hvals(bus.keys.names)}
            for crawl in unfinished | known:
                numbers = {**await counts(bus, crawl), "backlog": backlog, **await limited(bus, crawl)}
                await part.publish(crawl, numbers, last=crawl not in unfinished)
            known = unfinished
        await happened(stop, within=INTERVAL_SECONDS)


async def counts(bus: Bus, crawl: str) -> dict[str, Any]:
    """The frontier's counts of one crawl, its state, and its bound on pages (0: none)."""
    state, most, *values = await bus.redis.hmget(bus.keys.crawl(crawl), ["state", "max_pages", *_COUNTS])
    return {**_counted(state or b"", values), "max_pages": int(most or 0)}


async def lives(bus: Bus, crawls: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The same, and the `version`, of those of these crawls that the frontier knows; in one round trip."""
    pipeline = bus.redis.pipeline(transaction=False)
    for crawl in crawls:
        pipeline.hmget(bus.keys.crawl(crawl), ["state", "version", *_COUNTS])
    found = {}
    for crawl, (state, version, *values) in zip(crawls, await pipeline.execute(), strict=True):
        if state:
            found[crawl] = {"version": int(version or 0), **_counted(state, values)}
    return found


def _counted(state: bytes, values: Sequence[bytes | None]) -> dict[str, Any]:
    numbers = {name: int(value or 0) for name, value in zip(_COUNTS, values, strict=True)}
    numbers["queued"] *= state != b"cancelled"  # its queues are gone; the scripts do not count them down
    return {"state": state.decode(), **numbers}


async def limited(bus: Bus, crawl: str) -> dict[str, Any]:
    """`limited_hosts`: of how many hosts nothing is asked for now; `limited`: those of them that come soonest.

    Each is {host, until_ms (Unix), reason, why, queued}: `reason` is `robots` (its robots.txt could not be had) or
    `rate_limit` (its own word: 429, Retry-After), `why` what it answered, `queued` this crawl's URLs there.
    """
    number = await bus.redis.zcard(bus.keys.waits(crawl))
    if not number:
        return {"limited_hosts": 0, "limited": []}
    first = await bus.redis.zrange(bus.keys.waits(crawl), 0, _LIMITED_SHOWN - 1, withscores=True)
    pipeline = bus.redis.pipeline(transaction=False)
    pipeline.hget(bus.keys.clock, "ahead")
    for host, _ in first:
        pipeline.hmget(bus.keys.host(host.decode()), ["waits_for", "waits_why", "limited"])
        pipeline.zcard(bus.keys.queue(crawl, host.decode()))
    ahead, *facts = await pipeline.execute()
    told = []
    for (host, at), (what, why, word), queued in zip(first, facts[::2], facts[1::2], strict=True):
        if what or word:  # else it is asked again by now
            reason = {"reason": what.decode(), "why": why.decode()} if what else {"reason": RATE, "why": word.decode()}
            told.append({"host": host.decode(), "until_ms": int(at) - int(ahead or 0), **reason, "queued": queued})
    return {"limited_hosts": number - len(first) + len(told), "limited": told}


class Waiting(msgspec.Struct, frozen=True):
    """Messages that a stage has not been given yet, and those that it holds."""

    undelivered: int = 0
    pending: int = 0


async def backlogs(bus: Bus) -> dict[str, int]:
    """Stage → messages that it has not finished (delivered or not)."""
    return {stage: found.undelivered + found.pending for stage, found in (await waiting(bus)).items()}


async def waiting(bus: Bus) -> dict[str, Waiting]:
    """What waits for each stage that takes something."""
    pairs = [(stage.name, stream) for stage in topology.STAGES for stream in topology.streams_of(stage)]
    pipeline = bus.redis.pipeline(transaction=False)
    for _, stream in pairs:
        pipeline.xinfo_groups(bus.keys.stream(stream))
    found = dict.fromkeys((name for name, _ in pairs), Waiting())
    for (name, _), groups in zip(pairs, await pipeline.execute(), strict=True):
        for group in groups:
            if group["name"].decode() == name:
                before = found[name]
                lag, pending = int(group["lag"] or 0), int(group["pending"])
                found[name] = Waiting(before.undelivered + lag, before.pending + pending)
    return found
