"""A value that many wait for. Each is given the latest one when it looks, so nobody holds more than one."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """The latest value and its number, counted from 1; `value` is None until there is one."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.number = 0
        self.is_closed = False
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Latest number {self.number}{', closed' if self.is_closed else ''}>"

    def put(self, value: T) -> None:
        """Have a newer value, and wake all who wait for one."""
        self.value, self.number = value, self.number + 1
        self._wake()

    def close(self) -> None:
        """There will be none after this one."""
        self.is_closed = True
        self._wake()

    async def newer_than(self, number: int) -> bool:
        """Wait for a value of a higher number; False where none will come."""
        while self.number <= number and not self.is_closed:
            await self._changed.wait()
        return self.number > number

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
