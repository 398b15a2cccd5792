"""Who else wants to know what passes through a consumer: metrics, traces. Nobody, unless they have asked to.

A watcher sees and does not decide; the only thing that it may change is the `traceparent` of what was taken.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from contract.bus.delivery import Delivery
from contract.envelope import Message
from contract.topology import Stage

#: What becomes of a delivery: finished here; finished by somebody else, or taken over; a dead letter; it comes again.
Result = Literal["done", "lost", "buried", "returned"]


class Watcher:
    """What a consumer tells; each does nothing unless it is overridden. Every delivery taken ends exactly once."""

    def taken(self, deliveries: list[Delivery]) -> list[Delivery]:
        """These were taken together; returns them, as they are to be seen by the stage."""
        return deliveries

    def ended(self, deliveries: Sequence[Delivery], result: Result) -> None:
        """These are held no longer."""

    def buried(self) -> None:
        """An entry became a dead letter; perhaps one that could not be read, and was never taken."""

    def gave(self, delivery: Delivery, messages: Sequence[Message]) -> None:
        """These were published as what follows from a delivery, which ends right after."""

    def not_renewed(self) -> None:
        """The leases of what is held could not be renewed."""

    def beat(self) -> None:
        """The consumer's loop runs."""

    def closed(self) -> None:
        """The consumer has ended as it should."""


_kinds: dict[str, Callable[[Stage], Watcher]] = {}


def watch_with(word: str, kind: Callable[[Stage], Watcher] | None) -> None:
    """Have every consumer that is made from now on watched by one of these too; None: no longer."""
    if kind is None:
        _kinds.pop(word, None)
    else:
        _kinds[word] = kind


def watchers(stage: Stage) -> tuple[Watcher, ...]:
    """The watchers of a consumer of this stage."""
    return tuple(kind(stage) for kind in _kinds.values())
