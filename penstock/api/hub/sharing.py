"""The hub: who follows what, for whom, for how long, and how often watchers are told.

A source is followed by one task from its first user on, until LINGER_SECONDS after the last one has left. So a page
that is loaded again, or an event stream that comes back, finds it at work. All of them end with the hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from typing import Protocol, TypeVar, cast

from contract.progress import INTERVAL_SECONDS
from penstock.api.house import House

log = logging.getLogger("penstock.api")

#: How long a source is followed with nobody there.
LINGER_SECONDS = 5.0
#: Messages a second to all watchers together, about 0.1 ms of CPU each. So 20 watchers hear of each change, ten times
#: a second, and 200 once a second; what they cost the crawl stays the same.
SENDS_A_SECOND = 200


class Source(Protocol):
    """Something that is followed."""

    async def run(self) -> None:
        """Follow it until it is over, or until cancelled; its users must see either."""


S = TypeVar("S", bound=Source)


class _Shared:
    def __init__(self, source: Source) -> None:
        self.source, self.users = source, 0
        self.task = asyncio.create_task(source.run())
        self.ending: asyncio.TimerHandle | None = None


class Hub:
    """All that is followed in this process."""

    def __init__(self, house: House, *, linger_seconds: float = LINGER_SECONDS) -> None:
        self.house, self.watchers, self._linger_seconds = house, 0, linger_seconds
        self._shared: dict[Hashable, _Shared] = {}

    def __repr__(self) -> str:
        return f"<Hub {self.watchers} watchers of {len(self._shared)} sources>"

    @property
    def pause_seconds(self) -> float:
        """Between two messages to the same watcher."""
        return max(INTERVAL_SECONDS, self.watchers / SENDS_A_SECOND)

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Count one more watcher for the length of a block."""
        self.watchers += 1
        try:
            yield
        finally:
            self.watchers -= 1

    def known(self, key: Hashable) -> Source | None:
        """The source of this key, if it is followed already."""
        shared = self._shared.get(key)
        return shared.source if shared else None

    @contextlib.asynccontextmanager
    async def using(self, key: Hashable, make: Callable[[], S]) -> AsyncIterator[S]:
        """The source of this key, made and followed if nobody does yet."""
        if key not in self._shared:
            self._shared[key] = _Shared(make())
        shared = self._shared[key]
        shared.users += 1
        if shared.ending:
            shared.ending.cancel()
        try:
            yield cast(S, shared.source)
        finally:
            shared.users -= 1
            if not shared.users:
                shared.ending = asyncio.get_running_loop().call_later(self._linger_seconds, self._end, key, shared)

    def _end(self, key: Hashable, shared: _Shared) -> None:
        if self._shared.get(key) is shared:
            del self._shared[key]
        shared.task.cancel()
        shared.task.add_done_callback(_note)

    async def close(self) -> None:
        """Stop following anything."""
        shared, self._shared = list(self._shared.values()), {}
        for each in shared:
            if each.ending:
                each.ending.cancel()
            each.task.cancel()
        await asyncio.gather(*(each.task for each in shared), return_exceptions=True)


def _note(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("following broke off", exc_info=error, extra={"action": "broke_off"})
