"""Numbers → the text that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from contract.metrics.families import FAMILIES, Family
from contract.metrics.numbers import CELLS, Numbers

_KINDS = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}


def registry_of(numbers: Numbers) -> CollectorRegistry:
    """A registry of our own with these numbers, and the memory and CPU time of this process (not its children's)."""
    registry = CollectorRegistry()
    registry.register(_Cells(numbers))
    ProcessCollector(registry=registry)
    return registry


def render(registry: CollectorRegistry, accept: str = "") -> tuple[bytes, str]:
    """The text and its media type, in the format that the client asks for (its Accept header)."""
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Cells(Collector):
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def describe(self) -> list[Metric]:
        return [_empty(family) for family in FAMILIES]

    def collect(self) -> Iterator[Metric]:
        for family in FAMILIES:
            found = _empty(family)
            for values in family.values:
                if self._numbers.has_run(family.stage or values[0]):
                    _fill(found, family, values, self._numbers)
            if found.samples:
                yield found


def _empty(family: Family) -> Metric:
    made: Metric = _KINDS[family.kind](family.name, family.text, labels=family.labels)
    return made


def _fill(found: Metric, family: Family, values: tuple[str, ...], numbers: Numbers) -> None:
    cell = CELLS[(family.name, *values)]
    if not isinstance(found, HistogramMetricFamily):
        found.add_metric(values, numbers.total(cell))  # type: ignore[attr-defined]
        return
    bounds = [*map(_bound, family.bounds), "+Inf"]
    counts = accumulate(numbers.total(cell + place) for place in range(len(bounds)))
    total = numbers.total(cell + len(bounds))
    found.add_metric(list(values), [*zip(bounds, counts, strict=True)], total)


def _bound(seconds: float) -> str:
    return repr(float(seconds))
