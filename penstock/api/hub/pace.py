"""How fast each host of a crawl has been asked, of late.

Takes requests as they are recorded, in any order; owns a minute of counts, and the latest few starts of each host.
"""

from __future__ import annotations

import bisect
import time
from collections import deque
from collections.abc import Iterable, Mapping

from storage.store.feed import Asked

#: Rates are over this many seconds, or as many as have gone by since the first known request.
WINDOW_SECONDS = 60
#: A rate over less than this would say more about when somebody looked than about the host.
_LEAST_SECONDS = 1
#: Counts are kept by so many seconds.
_BUCKET_SECONDS = 5
#: Gaps between starts that are kept of each host.
GAPS = 20


class HostPace:
    """The requests to one host."""

    def __init__(self) -> None:
        #: (time at which it begins, requests, pages among them, their ms)
        self._buckets: deque[tuple[int, int, int, int]] = deque(maxlen=WINDOW_SECONDS // _BUCKET_SECONDS)
        self._starts: list[int] = []

    def note(self, asked: Asked) -> None:
        """Count a request."""
        bisect.insort(self._starts, asked.started_at)
        del self._starts[: -GAPS - 1]
        at = asked.started_at // 1000 // _BUCKET_SECONDS * _BUCKET_SECONDS
        last = self._buckets[-1] if self._buckets else (at - 1, 0, 0, 0)
        if at > last[0]:
            self._buckets.append((at, 0, 0, 0))
        # One that was recorded late counts as of the latest bucket: the rate is the same a moment later.
        begin, requests, pages, ms = self._buckets.pop()
        is_page = asked.elapsed_ms is not None
        self._buckets.append((begin, requests + 1, pages + is_page, ms + (asked.elapsed_ms or 0)))

    def recent(self, now: float) -> int:
        """Requests of the last minute."""
        return sum(requests for at, requests, *_ in self._buckets if at > now - WINDOW_SECONDS)

    @property
    def latency_ms(self) -> float | None:
        """The mean time that a page took, over the latest minute in which there were any."""
        pages, ms = sum(bucket[2] for bucket in self._buckets), sum(bucket[3] for bucket in self._buckets)
        return round(ms / pages, 1) if pages else None

    @property
    def gaps_ms(self) -> list[int]:
        """Between the latest starts, newest last."""
        return [later - earlier for earlier, later in zip(self._starts, self._starts[1:], strict=False)]


class Paces:
    """The requests to each host of a crawl."""

    def __init__(self) -> None:
        self._hosts: dict[str, HostPace] = {}
        self._first_at: float | None = None

    def __repr__(self) -> str:
        return f"<Paces of {len(self._hosts)} hosts>"

    def note(self, requests: Iterable[Asked]) -> None:
        """Count requests."""
        for asked in requests:
            self._hosts.setdefault(asked.host, HostPace()).note(asked)
            at = asked.started_at / 1000
            self._first_at = at if self._first_at is None else min(self._first_at, at)

    def of(self, host: str) -> HostPace:
        """The pace of a host; an empty one where nothing is known."""
        return self._hosts.get(host) or HostPace()

    def per_second(self, host: str, now: float) -> float:
        """Requests a second to a host over the last minute, or since the crawl's first known request."""
        since = now - (now if self._first_at is None else self._first_at)
        return round(self.of(host).recent(now) / min(WINDOW_SECONDS, max(_LEAST_SECONDS, since)), 2)

    def busiest(self, limit: int) -> list[str]:
        """Hosts that most was asked of in the last minute, first those."""
        now = time.time()
        return self._first(limit, {host: pace.recent(now) for host, pace in self._hosts.items()})

    def slowest(self, limit: int) -> list[str]:
        """Hosts whose pages took longest, first those."""
        return self._first(limit, {host: pace.latency_ms or 0.0 for host, pace in self._hosts.items()})

    def _first(self, limit: int, numbers: Mapping[str, float]) -> list[str]:
        named = [host for host, number in numbers.items() if number]
        return sorted(named, key=lambda host: (-numbers[host], host))[:limit]
