"""Metrics switched on for the length of a test, and read as Prometheus reads them."""

import contextlib
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from contract.bus.watching import watch_with
from contract.metrics import numbers
from contract.metrics.exposition import registry_of, render
from contract.metrics.numbers import Numbers
from contract.metrics.watcher import Counting


@contextlib.contextmanager
def counting(*, children: int = 0) -> Iterator[Numbers]:
    """Count what the consumers of this process do, which will fork so many children."""
    found = numbers.begin(rows=1 + children)
    watch_with("metrics", Counting)
    try:
        yield found
    finally:
        watch_with("metrics", None)
        numbers.end()


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Name and label values (in the order of the labels' names) → value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(found: Numbers) -> dict[tuple[str, ...], float]:
    """What /metrics would say of these numbers."""
    return samples(render(registry_of(found))[0].decode())
