"""Our own time: the server's, but it neither goes back nor leaps when the server's clock is set (see clock.lua).

Takes the server's clock and what is kept beside it; owns `Steady`, the word of a process on how much time has passed.
"""

import time
from collections.abc import Callable

from contract.bus.connection import Bus

#: Goes on while the machine sleeps, where there is such a clock: that time has passed for the hosts.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


async def now_ms(bus: Bus) -> int:
    """Our own time in ms, by which hosts and crawls wait."""
    pipeline = bus.redis.pipeline(transaction=False)
    pipeline.time()
    pipeline.hget(bus.keys.clock, "ahead")
    (seconds, micros), ahead = await pipeline.execute()
    return int(seconds) * 1000 + int(micros) // 1000 + int(ahead or 0)


def steady_seconds() -> float:
    """A clock of this machine that nobody sets."""
    return time.clock_gettime(_STEADY)


class Steady:
    """What this process knows of the time without the server: when it was told it last, and what has passed since."""

    def __init__(self, clock: Callable[[], float] = steady_seconds) -> None:
        self._clock = clock
        self._told, self._heard_at = "", 0.0

    def __repr__(self) -> str:
        return f"<Steady since {self._told or 'never'}>"

    def word(self) -> tuple[str, int]:
        """The two arguments of `vouch` in clock.lua; no more time than has certainly passed."""
        passed = self._clock() - self._heard_at if self._told else 0.0
        return self._told, int(passed * 1000)

    def told(self, word: bytes) -> None:
        """This is what the server says of the time."""
        self._told, self._heard_at = word.decode(), self._clock()
