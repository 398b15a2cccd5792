"""The state of a crawl as a watcher knows it: progress parts put together, and rates from their change.

Takes the parts that `contract.progress.follow` yields, gives `CrawlState`; keeps the last few seconds for rates.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from penstock.view.recents import Recents, rate_of

#: Rates are over this many seconds.
WINDOW_SECONDS = 5.0
#: A watcher that came this recently has no rate of its own worth showing, and takes the recorders'.
FIRST_SECONDS = 1.0
#: Points of the sparkline, one for each second.
SPARK_POINTS = 40
#: Counts that only grow while a crawl goes on.
_GROWING = ("discovered", "fetched", "failed", "excluded", "retried", "parsed", "items", "bytes")


class CrawlState(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one moment; counts are of URLs. `complete` says that SQL has all of them.

    Of the last ten seconds: `latency_ms` {p50, p95} of answers, empty without one; `hosts` [{host, per_second,
    latency_ms, errors}], the busiest first, `latency_ms` being their median or None. `latest` pages [{url, status,
    title}] and `failures` [{url, reason, status, detail}] have the newest last. `limited` has
    [{host, until_ms, reason, why, queued}] of some of the `limited_hosts` of which nothing is asked for now (see
    `scheduler.report`); `now_ms` is the watcher's clock,
    `max_pages` the crawl's bound (0: none, or it is not known any more).
    """

    crawl: str
    name: str
    state: str = "running"
    seconds: float = 0.0
    discovered: int = 0
    queued: int = 0
    in_flight: int = 0
    fetched: int = 0
    failed: int = 0
    excluded: int = 0
    retried: int = 0
    parsed: int = 0
    items: int = 0
    bytes: int = 0
    pages_per_second: float = 0.0
    backlog: dict[str, int] = {}
    statuses: dict[str, int] = {}
    reasons: dict[str, int] = {}
    latest: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    latency_ms: dict[str, int] = {}
    hosts: list[dict[str, Any]] = []
    spark: tuple[float, ...] = ()
    complete: bool = False
    limited: list[dict[str, Any]] = []
    limited_hosts: int = 0
    max_pages: int = 0
    now_ms: int = 0


class Watcher:
    """Turns progress parts into states; `clock` gives monotonic seconds."""

    def __init__(self, crawl: str, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.crawl, self.name = crawl, name
        self._clock, self._began = clock, clock()
        self._points: deque[tuple[float, int]] = deque()
        self._spark: deque[float] = deque(maxlen=SPARK_POINTS)
        self._spark_from: tuple[float, int] | None = None
        self._recents = Recents()
        self._most: dict[str, int] = {}

    def state_of(self, parts: dict[str, dict[str, Any]]) -> CrawlState:
        """The state that these parts make; a frontier's count that SQL has too is shown as SQL has it in the end."""
        frontier, record = parts.get("frontier", {}), parts.get("record", {})
        numbers = {**record, **frontier}
        complete = bool(record.get("complete"))
        numbers |= record if complete else self._at_least(numbers)
        known = {key: value for key, value in numbers.items() if key in CrawlState.__struct_fields__}
        known |= {"crawl": self.crawl, "name": self.name, "complete": complete}
        known |= {"backlog": {}, "limited": [], "limited_hosts": 0} if complete else {}
        now = self._clock()
        shares = self._recents.fresh(parts, now=now, unix=time.time())
        known |= self._recents.fields(shares)
        rate = self._rate(int(known.get("fetched", 0)), now=now)
        if now - self._began < FIRST_SECONDS:
            rate = rate_of(shares)
        known["now_ms"] = int(time.time() * 1000)
        return CrawlState(**known, seconds=now - self._began, pages_per_second=rate, spark=tuple(self._spark))

    def _at_least(self, numbers: dict[str, Any]) -> dict[str, int]:
        """What only grows, never less than before; how much it really was, SQL says in the end.

        Parts of several publishers come in any order, and a frontier that is rebuilt counts from nothing.
        """
        for name in _GROWING:
            self._most[name] = max(self._most.get(name, 0), int(numbers.get(name, 0)))
        return self._most

    def _rate(self, fetched: int, *, now: float) -> float:
        self._points.append((now, fetched))
        while now - self._points[0][0] > WINDOW_SECONDS:
            self._points.popleft()
        since, before = self._spark_from or (now, fetched)
        if now - since >= 1.0:
            self._spark.append(max(0.0, (fetched - before) / (now - since)))
        if self._spark_from is None or now - since >= 1.0:
            self._spark_from = (now, fetched)
        earliest, before = self._points[0]
        elapsed = now - earliest
        return max(0.0, (fetched - before) / elapsed) if elapsed > 0.2 else 0.0
