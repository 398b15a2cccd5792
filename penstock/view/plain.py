"""Progress as plain lines, for logs and pipes: one a few seconds, and one at the end."""

from __future__ import annotations

import sys
import time

from contract.logs import visible
from penstock.view.limited import words
from penstock.view.state import CrawlState

#: Between two lines.
EVERY_SECONDS = 2.0


class PlainView:
    """Writes lines to standard error."""

    def __init__(self) -> None:
        self._said_at = 0.0

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, state: CrawlState) -> None:
        """Say where the crawl is, if the last line is old enough."""
        now = time.monotonic()
        if now - self._said_at >= EVERY_SECONDS or state.complete:
            self._said_at = now
            print(line_of(state), file=sys.stderr, flush=True)


def line_of(state: CrawlState) -> str:
    """The state in one line."""
    limited = words(state.limited, number=state.limited_hosts, now_ms=state.now_ms)
    return (
        f"{visible(state.name)} {state.state} {state.seconds:.0f}s: {state.fetched} fetched, {state.failed} failed, "
        f"{state.excluded} excluded, {state.queued} queued, {state.in_flight} in flight, "
        f"{state.items} items, {state.pages_per_second:.1f} pages/s{'; ' if limited else ''}{limited}"
    )


class NoView:
    """Shows nothing."""

    def __enter__(self) -> NoView:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, state: CrawlState) -> None:
        """Nothing."""
