"""A watcher's states: counts as they are said, rates from their change."""

import msgspec

from penstock.commands.watch import _as_json
from penstock.view.state import SPARK_POINTS, Watcher
from tests.view.states import made_state


def watched(fetched):
    """The last state of a watcher that heard these counts, one a second."""
    seconds = iter([1_000.0, *(1_000.0 + second for second in range(len(fetched)))])
    watcher = Watcher("c", "demo", clock=lambda: next(seconds))
    return [watcher.state_of({"frontier": {"fetched": count}}) for count in fetched][-1]


def test_the_rate_is_of_the_last_five_seconds_and_the_sparkline_has_a_point_for_each():
    state = watched([second * second for second in range(11)])

    assert state.pages_per_second == (100 - 25) / 5
    assert state.spark == tuple(float(2 * second - 1) for second in range(1, 11))


def test_the_sparkline_is_of_bounded_length_and_a_count_that_falls_is_no_rate():
    assert len(watched(range(100)).spark) == SPARK_POINTS
    assert watched([5, 9, 3]).spark == (4.0, 0.0)


def test_programs_get_the_last_seconds_too():
    said = msgspec.json.decode(_as_json(made_state()))

    assert said["latency_ms"] == {"p50": 38, "p95": 1275}
    assert said["hosts"][0] == {"host": "http://h0.test", "per_second": 9.0, "latency_ms": 40, "errors": 0}
    assert said["failures"][0]["reason"] == "timeout"
