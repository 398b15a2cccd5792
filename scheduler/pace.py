"""The pace of the scheduler's stages, which share one event loop: none keeps the others from it for long.

The busier they are, the more they do in one round trip: one to Redis costs as much as handling several messages. So
after each batch a stage waits a moment, the longer the larger the batch was: a lone page goes on at once, and under
load many pages share a trip.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

#: Added by each message of the last batch, up to the longest; the longest is what a URL may wait in each stage.
_PER_MESSAGE_SECONDS, _LONGEST_SECONDS = 0.001, 0.012
#: A stage computes for so long before the others have a turn. To settle an outcome takes some five turns, so a host's
#: slot is held that much longer at most; and what is computed in a turn is worth a round trip.
TURN_SECONDS = 0.01


async def gather(batch: int) -> None:
    """Wait for company, after a batch of so many messages."""
    await asyncio.sleep(min(batch * _PER_MESSAGE_SECONDS, _LONGEST_SECONDS))


class Turn:
    """The turn of a stage that has much to compute; it begins when this is made."""

    def __init__(self) -> None:
        self._over_at = time.monotonic() + TURN_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether it is time to hand over what is there, which lets the others have their turn."""
        return time.monotonic() >= self._over_at

    async def made(self, things: Iterable[T]) -> list[T]:
        """All of these, which are made one by one meanwhile; where that takes longer, others have turns in between."""
        found, over_at = [], self._over_at
        for thing in things:
            found.append(thing)
            if time.monotonic() >= over_at:
                await asyncio.sleep(0)
                over_at = time.monotonic() + TURN_SECONDS
        return found
