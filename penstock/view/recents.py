"""What the recorders saw in the last seconds, put together: latency, busiest hosts, latest failures.

Takes the parts `recent.<recorder>` of a crawl's progress, each one recorder's share of the outcomes; gives the fields
of `CrawlState` that come of them. A part outlives its recorder by a day, so it counts only while it is said anew.
Clocks may differ between machines: a part's own time is believed at first sight alone, later only that it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

PREFIX = "recent."
#: A part that is this old does not count; recorders say theirs every second or oftener while there is news.
FRESH_SECONDS = 5.0
#: How many hosts and failures are shown.
HOSTS, FAILURES = 8, 5


class _Host(msgspec.Struct, frozen=True):
    host: str
    answers: int = 0
    errors: int = 0
    latency_ms: float | None = None


class _Failure(msgspec.Struct, frozen=True):
    url: str
    reason: str
    at: int
    status: int | None = None
    detail: str = ""


class Share(msgspec.Struct, frozen=True):
    """One recorder's part; see `storage.read_models.recent`."""

    at: int
    seconds: float
    answers: int = 0
    fetched: float = 0.0
    latency_ms: dict[str, float] | None = None
    hosts: list[_Host] = []
    failures: list[_Failure] = []


class Recents:
    """Remembers when each part was last said, and the latest failures of all of them."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[int, float]] = {}
        self._failures: dict[str, _Failure] = {}

    def fresh(self, parts: Mapping[str, Any], *, now: float, unix: float) -> list[Share]:
        """The shares that count. `now` is a monotonic time in seconds, `unix` the same moment in Unix seconds."""
        shares = []
        for name, numbers in parts.items():
            share = _share(numbers) if name.startswith(PREFIX) else None
            if share and now - self._said(name, share.at, now=now, unix=unix) <= FRESH_SECONDS:
                shares.append(share)
        return shares

    def _said(self, name: str, at: int, *, now: float, unix: float) -> float:
        """When this part was said, by our clock."""
        if name not in self._heard:
            self._heard[name] = (at, now - max(0.0, unix - at / 1000))
        elif self._heard[name][0] != at:
            self._heard[name] = (at, now)
        return self._heard[name][1]

    def fields(self, shares: Iterable[Share]) -> dict[str, Any]:
        """The fields of the state that these shares make; failures stay until others take their place."""
        shares = list(shares)
        return {"latency_ms": _latency(shares), "hosts": _hosts(shares), "failures": self._latest(shares)}

    def _latest(self, shares: Iterable[Share]) -> list[dict[str, Any]]:
        for failure in (each for share in shares for each in share.failures):
            known = self._failures.get(failure.url)
            if known is None or known.at < failure.at:
                self._failures[failure.url] = failure
        latest = sorted(self._failures.values(), key=lambda failure: failure.at)[-FAILURES:]
        self._failures = {failure.url: failure for failure in latest}
        return [
            {"url": each.url, "reason": each.reason, "status": each.status, "detail": each.detail} for each in latest
        ]


def rate_of(shares: Iterable[Share]) -> float:
    """Fetched pages a second."""
    return sum(share.fetched for share in shares)


def _share(numbers: Any) -> Share | None:
    try:
        return msgspec.convert(numbers, Share)
    except msgspec.ValidationError:
        return None  # a recorder of another version; progress may be missing, but not wrong


def _latency(shares: Iterable[Share]) -> dict[str, int]:
    """Quantiles of all answers, as near as the shares' own quantiles tell; empty without an answer."""
    said = [(share.latency_ms, share.answers) for share in shares if share.latency_ms and share.answers]
    return {name: round(_mean((each.get(name, 0), count) for each, count in said)) for name in ("p50", "p95") if said}


def _hosts(shares: Iterable[Share]) -> list[dict[str, Any]]:
    by_host: dict[str, list[tuple[_Host, float]]] = {}
    for share in shares:
        for host in share.hosts:
            by_host.setdefault(host.host, []).append((host, max(share.seconds, 1.0)))
    hosts = [_host(host, some) for host, some in by_host.items()]
    return sorted(hosts, key=lambda host: (-host["per_second"], host["host"]))[:HOSTS]


def _host(host: str, some: list[tuple[_Host, float]]) -> dict[str, Any]:
    timed = [(each.latency_ms, each.answers) for each, _ in some if each.latency_ms is not None and each.answers]
    return {
        "host": host,
        "per_second": round(sum(each.answers / seconds for each, seconds in some), 2),
        "latency_ms": round(_mean(timed)) if timed else None,
        "errors": sum(each.errors for each, _ in some),
    }


def _mean(weighted: Iterable[tuple[float, int]]) -> float:
    pairs = list(weighted)
    return sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)
