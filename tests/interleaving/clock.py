"""Time that moves only when a story says so: of the event loop, of the machine, and of the Redis server.

Takes nothing from the world, gives `StoryLoop`. Whatever the stages wait for is either a reply of Redis, which is
really waited for, or a moment, which comes when the driver goes there. `quiet` tells when everybody waits for a moment,
or for leave to go on (`tests.interleaving.wire`): only then the driver decides what happens next, so the seed decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

#: Really waited for, at most, when Redis owes a reply.
_REPLY_SECONDS = 1.0


class _Selector(selectors.DefaultSelector):
    """Never waits for a moment, which is the driver's to bring about."""

    loop: StoryLoop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if self.loop.owed:
            return super().select(_REPLY_SECONDS)
        found = super().select(0)
        if not found:
            self.loop.nothing_moves()
        return found


class StoryLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is `moment`, in seconds; blocking work is done at once, in its only thread."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.moment, self.owed, self.skew_ms = 1_000.0, 0, 0
        self._began_at = 2_000_000_000 - self.moment
        self._quiet: asyncio.Future[None] | None = None
        super().__init__(selector)
        #: Held from a command's sending until its reply.
        self.line = asyncio.Lock()

    def time(self) -> float:
        """The moment; also what the machine's monotonic clock shows."""
        return self.moment

    def of_clock(self, _which: int) -> float:
        """What any of the machine's clocks that nobody sets shows."""
        return self.moment

    def wall(self) -> float:
        """What the machine's clock shows."""
        return self._began_at + self.moment

    def server_ms(self) -> int:
        """What the server's clock shows, which somebody may have set."""
        return round(self.wall() * 1000) + self.skew_ms

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        """Do it now."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    @contextlib.contextmanager
    def owing(self) -> Iterator[None]:
        """Something outside owes an answer: it is waited for before anything is called quiet."""
        self.owed += 1
        try:
            yield
        finally:
            self.owed -= 1

    def nothing_moves(self) -> None:
        """Everybody waits: tell the driver, or, where there is none, go to the next moment."""
        if self._quiet is not None:
            quiet, self._quiet = self._quiet, None
            if not quiet.done():
                quiet.set_result(None)
        elif (next_one := self.next_moment()) is not None:
            self.moment = max(self.moment, next_one)

    def quiet(self) -> asyncio.Future[None]:
        """What to await until everybody waits."""
        self._quiet = self.create_future()
        return self._quiet

    def next_moment(self) -> float | None:
        """When somebody's wait is over, unless somebody waits for leave."""
        scheduled: list[Any] = self._scheduled  # type: ignore[attr-defined]
        return min((handle.when() for handle in scheduled if not handle.cancelled()), default=None)

    async def go_to(self, moment: float) -> None:
        """Let time pass up to this moment, each wait ending in its turn."""
        await self.quiet()
        while (next_one := self.next_moment()) is not None and next_one <= moment:
            self.moment = max(self.moment, next_one)
            await self.quiet()
        self.moment = max(self.moment, moment)
        await self.quiet()


@contextlib.contextmanager
def clocks(loop: StoryLoop) -> Iterator[None]:
    """The machine's clocks are the story's inside the block, and so is its chance."""
    with (
        mock.patch.object(time, "monotonic", loop.time),
        mock.patch.object(time, "time", loop.wall),
        mock.patch.object(time, "clock_gettime", loop.of_clock),
        mock.patch.object(time, "sleep", _no_sleep),
        mock.patch.object(random, "Random", _Chance),
    ):
        yield


class _Chance(random.Random):
    """What a stage throws its dice with is the same each time the story is told."""

    def __init__(self, seed: Any = 0) -> None:
        super().__init__(seed)


def _no_sleep(seconds: float) -> None:
    raise AssertionError(f"somebody sleeps for {seconds} s in the only thread")
