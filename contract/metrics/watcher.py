"""Counts what passes through a stage's consumer, so that no stage has to.

Takes what a consumer tells, and the outcomes that a stage publishes; gives counts. Half a microsecond a message.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from contract.bus.delivery import Delivery
from contract.bus.watching import Result, Watcher
from contract.envelope import Message
from contract.metrics import numbers
from contract.metrics.families import BATCHES, SECONDS
from contract.metrics.messages import GIVEN, TAKEN
from contract.metrics.numbers import CELLS, note
from contract.topology import Stage


class Counting(Watcher):
    """The metrics of one consumer of a stage."""

    def __init__(self, stage: Stage, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._stage, self._clock = stage.name, clock
        found = numbers.current()
        assert found is not None, "counting has not begun"
        self._row = found.row
        self._since: dict[tuple[str, str], float] = {}
        self._handling, self._batch = self._cell("penstock_handling_seconds"), self._cell("penstock_batch_messages")
        self._held, self._redelivered = self._cell("penstock_held_messages"), self._cell("penstock_redeliveries")
        self._of_given, self._of_taken = GIVEN.get(stage.name), TAKEN.get(stage.name)
        numbers.beat(stage.name)

    def __repr__(self) -> str:
        return f"<Counting {self._stage}: {len(self._since)} held>"

    def _cell(self, name: str, *labels: str) -> int:
        return CELLS[name, self._stage, *labels]

    def taken(self, deliveries: list[Delivery]) -> list[Delivery]:
        """Count a batch, and begin to measure."""
        if deliveries:
            now, row = self._clock(), self._row
            note(row, self._batch, BATCHES, len(deliveries))
            for one in deliveries:
                self._since[one.stream, one.id] = now
                if one.count > 1:
                    row[self._redelivered] += 1.0
            row[self._held] = len(self._since)
        return deliveries

    def ended(self, deliveries: Sequence[Delivery], result: Result) -> None:
        """Count how deliveries ended, and how long they took."""
        now, row, count = self._clock(), self._row, 0
        for one in deliveries:
            since = self._since.pop((one.stream, one.id), None)
            if since is not None:
                note(row, self._handling, SECONDS, now - since)
                count += 1
        row[self._held] = len(self._since)
        if result != "buried":
            row[self._cell("penstock_messages", result)] += count
        if result == "done" and self._of_taken:
            self._of_taken(deliveries)

    def buried(self) -> None:
        """Count a dead letter."""
        self._row[self._cell("penstock_messages", "buried")] += 1.0

    def gave(self, delivery: Delivery, messages: Sequence[Message]) -> None:
        """Count what the messages say, for stages of which that is worth counting."""
        if self._of_given:
            for message in messages:
                self._of_given(message.payload)

    def not_renewed(self) -> None:
        """Count leases that could not be renewed, all together as one."""
        self._row[self._cell("penstock_failed_renewals")] += 1.0

    def beat(self) -> None:
        """The loop runs."""
        numbers.beat(self._stage)

    def closed(self) -> None:
        """The loop has ended, and holds nothing."""
        self._since.clear()
        self._row[self._held] = 0.0
        numbers.rest(self._stage)
