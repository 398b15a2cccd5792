"""Which jobs may be in flight beside which: one that comes back may be what its last worker died of.

Takes the number of a job's delivery, gives it leave to begin; owns the lanes of one fetcher.

    1st delivery    beside all others
    2nd             in one of LANES lanes
    3rd             one of these at a time
    the last        quite alone: nothing else is in this process' hands, until its outcome is in Redis

After a death all that was in hand comes back, and is tried several at a time. Only a job that was quite alone when its
worker died is given up, so an innocent one never is for what others did in its process, however many are bad. A job
leaves its lane after LANE_SECONDS at the latest: a host that hangs holds nobody else up.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable

from contract.bus.consumer import DELIVERY_LIMIT

#: Jobs at their second delivery that are tried at once.
LANES = 8
#: A job that kills mostly does so soon; one that is still at it waits for its host, and the next may begin.
LANE_SECONDS = 5.0


class Lanes:
    """The lanes of one fetcher. `handed_over` waits until all that is done is in Redis."""

    def __init__(self, handed_over: Callable[[], Awaitable[None]], *, seconds: float = LANE_SECONDS) -> None:
        self._handed_over, self._seconds = handed_over, seconds
        self._inside, self._waiting, self._wants_alone = 0, 0, False
        self._lanes: defaultdict[int, set[object]] = defaultdict(set)
        self._left = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Lanes {self._inside} in flight, {self._waiting} wait{', one to be alone' * self._wants_alone}>"

    @property
    def take(self) -> bool:
        """Whether jobs may be taken at all: not before one that must be alone has been."""
        return not self._wants_alone

    @property
    def take_back(self) -> bool:
        """Whether one more that comes back may be taken: what would wait here could begin at another worker."""
        return not self._waiting

    def lane(self, count: int) -> contextlib.AbstractAsyncContextManager[None]:
        """Be in flight, at this delivery, for as long as the block lasts."""
        if count >= DELIVERY_LIMIT:
            return self._alone()
        return self._suspected(min(count, 3), LANES if count == 2 else 1) if count > 1 else self._among_all()

    @contextlib.asynccontextmanager
    async def _among_all(self) -> AsyncIterator[None]:
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._left.set()

    @contextlib.asynccontextmanager
    async def _suspected(self, count: int, width: int) -> AsyncIterator[None]:
        lanes, mine = self._lanes[count], object()
        await self._until(lambda: len(lanes) < width)
        lanes.add(mine)
        leaving = asyncio.get_running_loop().call_later(self._seconds, self._leave, lanes, mine)
        try:
            async with self._among_all():
                yield
        finally:
            leaving.cancel()
            self._leave(lanes, mine)

    def _leave(self, lanes: set[object], mine: object) -> None:
        lanes.discard(mine)
        self._left.set()

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        self._wants_alone = True
        try:
            await self._until(lambda: not self._inside)
            await self._handed_over()
            yield
            await self._handed_over()
        finally:
            self._wants_alone = False
            self._left.set()

    async def _until(self, fits: Callable[[], bool]) -> None:
        self._waiting += 1
        try:
            while not fits():
                self._left.clear()
                await self._left.wait()
        finally:
            self._waiting -= 1
