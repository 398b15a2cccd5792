"""The bytes that the large bodies of one process may take together.

Takes the size that a body may come to, lets it in when there is room, in the order of asking. A body asks once, for all
that it may ever need, so that no two can wait for each other. Small bodies are not counted: the number of requests in
flight bounds them.
"""

import asyncio

#: A body that can be no larger than this, as it came and decoded together, never waits. Times the requests in flight
#: (48 by default), it is what a process may take beside BUDGET_BYTES.
SMALL_BYTES = 4 * 1024 * 1024
#: Large bodies of one process, together. While they take this much, the next is not read, so that its host waits; eight
#: of the largest are read at a time. Their records take up to as much again while they are made.
BUDGET_BYTES = 256 * 1024 * 1024


async def without_limit(size: int) -> None:
    """Room for a body of a process that fetches only this one."""


class Budget:
    """A number of bytes, and who holds how many of them."""

    def __init__(self, most: int = BUDGET_BYTES) -> None:
        self.most, self.taken = most, 0
        self._turn, self._freed = asyncio.Lock(), asyncio.Event()

    def __repr__(self) -> str:
        return f"<Budget {self.taken} of {self.most} bytes taken>"

    def share(self) -> "Share":
        """The share of one request, empty for now."""
        return Share(self)

    async def take(self, size: int) -> None:
        """Wait until there is room for so many bytes."""
        async with self._turn:
            while self.taken and self.taken + size > self.most:
                self._freed.clear()
                await self._freed.wait()
            self.taken += size

    def give_back(self, size: int) -> None:
        """Make room for others."""
        self.taken -= size
        self._freed.set()


class Share:
    """What one request holds of the budget, from its body's beginning until its outcome has been handed over."""

    def __init__(self, budget: Budget) -> None:
        self._budget, self.size = budget, 0

    async def make_room(self, size: int) -> None:
        """Wait for room for a body that may take so many bytes, unless it is small or has room already."""
        if size > SMALL_BYTES and not self.size:
            await self._budget.take(size)
            self.size = size

    def keep(self, size: int) -> None:
        """Give back all but so many bytes."""
        if size < self.size:
            self._budget.give_back(self.size - size)
            self.size = size
