"""What the last seconds brought of one crawl: rate, latency, busiest hosts, latest failures.

Takes outcomes of pages as they are recorded, and the time; gives the numbers of the progress part `recent.<recorder>`.
Owns a bounded number of outcomes. Each recorder speaks of its own share; who watches puts the shares together.
"""

import statistics
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from contract.pages import PageFailed, PageFetched

#: Numbers are over this many seconds.
WINDOW_SECONDS = 10.0
#: Outcomes kept: with more than this many in the window the oldest are left out, and the window is shorter.
MOST_OUTCOMES = 5_000
#: How many hosts are named. More than a watcher shows, because a host's answers are spread over the recorders.
HOSTS = 16
#: How many failures are named; they stay until others take their place, whatever their age.
FAILURES = 5
#: Characters of a failure's sentence.
MOST_DETAIL = 300

#: When it was recorded (monotonic seconds), host, whether it was fetched, milliseconds to the answer if there was one.
_Outcome = tuple[float, str, bool, int | None]


class Recent:
    """The latest outcomes of one crawl. Times are `time.monotonic()`."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._outcomes: deque[_Outcome] = deque(maxlen=MOST_OUTCOMES)
        self._failures: deque[dict[str, Any]] = deque(maxlen=FAILURES)

    def __repr__(self) -> str:
        return f"<Recent {len(self._outcomes)} outcomes, {len(self._failures)} failures>"

    def add(self, page: PageFetched | PageFailed, *, now: float) -> None:
        """One attempt's outcome; one that no request was made for tells nothing of its host."""
        fetched = isinstance(page, PageFetched)
        if page.asked:
            self._outcomes.append((now, page.host, fetched, page.elapsed_ms if page.status else None))
        if isinstance(page, PageFailed):
            self._fail(page)

    def _fail(self, page: PageFailed) -> None:
        for known in self._failures:
            if known["url"] == page.url:
                self._failures.remove(known)
                break
        known = {"url": page.url, "reason": page.reason, "status": page.status, "detail": page.detail[:MOST_DETAIL]}
        self._failures.append({**known, "at": _unix_ms()})

    def numbers(self, *, now: float) -> dict[str, Any]:
        """The numbers of the window that ends now.

        `at` is Unix ms, `seconds` the window's length, `fetched` pages a second, `latency_ms` {p50, p95} of answers or
        None; `hosts` [{host, answers, errors, latency_ms}], the busiest first, where `answers` counts requests and
        `latency_ms` is their median or None; `failures` [{url, reason, status, detail, at}], the latest last.
        """
        while self._outcomes and now - self._outcomes[0][0] > WINDOW_SECONDS:
            self._outcomes.popleft()
        began = self._began if len(self._outcomes) < MOST_OUTCOMES else self._outcomes[0][0]
        seconds = min(WINDOW_SECONDS, max(1.0, now - began))
        answered = sorted(elapsed for _, _, _, elapsed in self._outcomes if elapsed is not None)
        return {
            "at": _unix_ms(),
            "seconds": round(seconds, 1),
            "answers": len(answered),
            "fetched": round(sum(fetched for _, _, fetched, _ in self._outcomes) / seconds, 2),
            "latency_ms": {"p50": quantile(answered, 0.5), "p95": quantile(answered, 0.95)} if answered else None,
            "hosts": self._busiest(),
            "failures": list(self._failures),
        }

    def _busiest(self) -> list[dict[str, Any]]:
        by_host: dict[str, list[_Outcome]] = {}
        for outcome in self._outcomes:
            by_host.setdefault(outcome[1], []).append(outcome)
        busiest = sorted(by_host.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:HOSTS]
        return [_host(host, outcomes) for host, outcomes in busiest]


def _host(host: str, outcomes: Sequence[_Outcome]) -> dict[str, Any]:
    elapsed = [each[3] for each in outcomes if each[3] is not None]
    return {
        "host": host,
        "answers": len(outcomes),
        "errors": sum(not each[2] for each in outcomes),
        "latency_ms": round(statistics.median(elapsed)) if elapsed else None,
    }


def quantile(ordered: Sequence[int], share: float) -> int:
    """The least of these (at least one, in order) that this share of them does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _unix_ms() -> int:
    return int(time.time() * 1000)
