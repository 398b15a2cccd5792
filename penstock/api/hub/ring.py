"""The latest outcomes of a crawl, encoded once, and what each watcher has still to be told.

Takes portions of `storage.store.feed`, gives messages. A watcher's place is a position and how many outcomes there were
up to it, counted from anywhere: so what fell out in the meantime, or was never read, is known by its number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from storage.store.feed import Outcome

#: Outcomes held; a watcher that is connected and takes nothing for longer is told how many were left out.
HELD = 500
#: Who comes for the first time is told of so many.
FIRST = 20


class Place(msgspec.Struct, frozen=True):
    """What a watcher knows already: all up to `position`, the `number`th outcome."""

    position: int
    number: int


class Ring:
    """The latest outcomes; `place` is that of who knows all of them."""

    def __init__(self) -> None:
        self.place = Place(0, 0)
        self._whole_after = 0
        self._rows: deque[tuple[Place, bytes]] = deque(maxlen=HELD)
        self._made: dict[Place, bytes] = {}

    def __repr__(self) -> str:
        return f"<Ring {len(self._rows)} outcomes up to {self.place.position}>"

    @property
    def begins_after(self) -> Place:
        """The place of who knows all but what is held."""
        if not self._rows:
            return self.place
        first, _ = self._rows[0]
        return Place(first.position - 1, first.number - 1)

    @property
    def whole_after(self) -> int:
        """The position behind which every outcome is held."""
        return max(self._whole_after, self.begins_after.position)

    def add(self, outcomes: Sequence[Outcome], *, upto: int, left_out: int) -> None:
        """Go on to a position, with these outcomes, and so many before them that are only counted."""
        if left_out or not self.place.position:  # what was before the very first ones is not even counted
            self._whole_after = upto
        first = self.place.number + left_out + 1
        for number, outcome in enumerate(outcomes, first):
            self._rows.append((Place(outcome.position, number), msgspec.json.encode(outcome)))
        self.place = Place(upto, first + len(outcomes) - 1)
        self._made.clear()

    def first_place(self) -> Place:
        """The place of a watcher that comes for the first time."""
        rows = list(self._rows)[-FIRST:]
        return Place(rows[0][0].position - 1, rows[0][0].number - 1) if rows else self.place

    def place_at(self, position: int) -> Place:
        """The place of a watcher that knows all up to a position, which is not before what is held."""
        known = [place for place, _ in self._rows if place.position <= position]
        return Place(position, known[-1].number if known else self.begins_after.number)

    def message_after(self, place: Place) -> bytes | None:
        """What is to be told to a watcher at this place, so that it is at `self.place`; None if that is nothing."""
        if place.number >= self.place.number:
            return None
        if place not in self._made:
            rows = [row for at, row in self._rows if at.position > place.position]
            self._made[place] = pages_message(rows, left_out=self.place.number - place.number - len(rows))
        return self._made[place]


def pages_message(rows: Iterable[bytes], *, left_out: int = 0) -> bytes:
    """An event `pages` of these outcomes, encoded, and of how many there were besides."""
    return b'event: pages\ndata: {"pages":[%b],"left_out":%d}\n\n' % (b",".join(rows), left_out)
