"""What a process remembers of its hand-overs holds only for a server that remembers them too: the proof that it does.

A failover may lose the last seconds, whoever wrote them; the epoch does not tell, because it is older. So who leaves
something out of a message because it was said before numbers its hand-overs, and the server keeps the latest number:
one that does not have it refuses the next, in the same step. Then all that is remembered has to be forgotten.
"""

import msgspec

#: A process that has handed over nothing for so long is taken for unknown, which costs it what it remembers.
LIFE_MS = 3_600_000


class Testimony(msgspec.Struct, frozen=True):
    """Goes with one hand-over: the number that the server must have (None: any), and the one that it gets."""

    key: str
    expected: int | None
    number: int


class Witness:
    """Numbers the hand-overs of one memory, under a key of its own."""

    def __init__(self, key: str) -> None:
        self.key, self._number = key, 0
        self._expected: int | None = None

    def __repr__(self) -> str:
        return f"<Witness {self.key}: {self._number}>"

    def next(self) -> Testimony:
        """The testimony of the next hand-over; they have to be made in this order."""
        expected, self._number = self._expected, self._number + 1
        self._expected = self._number
        return Testimony(self.key, expected, self._number)

    def forget(self) -> None:
        """Nothing is remembered any more, so the next hand-over may go to any server."""
        self._expected = None
