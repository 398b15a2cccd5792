"""The numbers of a process and of its forked children: cells in memory that they share.

Takes counts from whoever counts, gives sums; owns the memory. Each process writes to a row of its own, so nothing is
locked, and what a child has counted stays when it dies: the child that replaces it goes on with the same row. Until
`begin` there is no memory, and counting does nothing.

Written from one thread of each process (the event loop's); a second one could lose a count, and nothing else.
"""

from __future__ import annotations

import mmap
import time
from bisect import bisect_left
from typing import TypeAlias

from contract.metrics.families import FAMILIES, OTHER, Family
from contract.topology import STAGES

Row: TypeAlias = "memoryview[float]"

#: The first cells of a row: for each stage, when its loop was last known to run, by the monotonic clock; 0: it rests.
BEATS = {stage.name: cell for cell, stage in enumerate(STAGES)}
#: The next: 1 for each stage that has ever run in this row, so that nobody sees the zeros of the others.
OPENED = {stage.name: len(STAGES) + cell for cell, stage in enumerate(STAGES)}


def _lay_out() -> dict[tuple[str, ...], int]:
    cells, free = {}, 2 * len(STAGES)
    for family in FAMILIES:
        for values in family.values:
            cells[family.name, *values] = free
            free += family.width
    return cells


#: Name and label values → the first of their cells.
CELLS = _lay_out()
_BY_NAME = {family.name: family for family in FAMILIES}
_WIDTH = 2 * len(STAGES) + sum(family.width * len(family.values) for family in FAMILIES)
_GAUGES = [CELLS[family.name, *values] for family in FAMILIES if family.kind == "gauge" for values in family.values]


class Numbers:
    """Rows of cells, one row for each process; `row` is this process's own."""

    def __init__(self, rows: int = 1) -> None:
        self.rows = rows
        self._memory = mmap.mmap(-1, rows * _WIDTH * 8)
        self._cells = memoryview(self._memory).cast("d")
        self.row: Row = self._row(0)

    def __repr__(self) -> str:
        return f"<Numbers {self.rows} rows of {_WIDTH} cells, running: {', '.join(self.beats()) or 'nothing'}>"

    def _row(self, number: int) -> Row:
        return self._cells[number * _WIDTH : (number + 1) * _WIDTH]

    def use(self, number: int) -> None:
        """Write to this row from now on, in a child; what its last user left half done is cleared."""
        self.row = self._row(number)
        for cell in (*BEATS.values(), *_GAUGES):
            self.row[cell] = 0.0

    def total(self, cell: int) -> float:
        """The sum of a cell over all rows."""
        return sum(self._cells[cell::_WIDTH])

    def has_run(self, stage: str) -> bool:
        """Whether a stage has ever run in one of these processes."""
        return self.total(OPENED[stage]) > 0

    def beats(self) -> dict[str, float]:
        """Stage → seconds since the last sign of life of the loop that has been silent for the longest."""
        now, found = time.monotonic(), {}
        for stage, cell in BEATS.items():
            if running := [beat for beat in self._cells[cell::_WIDTH] if beat]:
                found[stage] = now - min(running)
        return found


_numbers: Numbers | None = None


def begin(*, rows: int = 1) -> Numbers:
    """Count from now on, with one row for this process and one for each child that it will fork."""
    global _numbers
    _numbers = Numbers(rows)
    return _numbers


def current() -> Numbers | None:
    """Where this process counts, or None."""
    return _numbers


def end() -> None:
    """Count no more."""
    global _numbers
    _numbers = None


def add(name: str, *labels: str, amount: float = 1.0) -> None:
    """Add to a counter; its last label, if it has no such value, is `other`."""
    if _numbers is not None:
        cell = CELLS.get((name, *labels))
        _numbers.row[CELLS[(name, *labels[:-1], OTHER)] if cell is None else cell] += amount


def put(name: str, *labels: str, value: float) -> None:
    """Set a gauge."""
    if _numbers is not None:
        _numbers.row[CELLS[(name, *labels)]] = value


def observe(name: str, *labels: str, value: float) -> None:
    """Count a value in a histogram."""
    if _numbers is not None:
        note(_numbers.row, CELLS[(name, *labels)], _BY_NAME[name].bounds, value)


def note(row: Row, cell: int, bounds: tuple[float, ...], value: float) -> None:
    """The same in cells that are known: one for each bound, one beyond the last, and the sum."""
    row[cell + bisect_left(bounds, value)] += 1.0
    row[cell + len(bounds) + 1] += value


def beat(stage: str) -> None:
    """Say that a stage's loop runs."""
    if _numbers is not None:
        _numbers.row[BEATS[stage]] = time.monotonic()
        _numbers.row[OPENED[stage]] = 1.0


def rest(stage: str) -> None:
    """Say that a stage's loop has ended as it should."""
    if _numbers is not None:
        _numbers.row[BEATS[stage]] = 0.0


def family_of(name: str) -> Family:
    """What is declared under a name."""
    return _BY_NAME[name]
