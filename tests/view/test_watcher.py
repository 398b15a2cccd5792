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


def test_what_only_grows_never_runs_backwards_until_sql_says_how_much_it_was():
    watcher = Watcher("c", "demo")
    parts = [
        {"frontier": {"discovered": 90, "fetched": 50, "queued": 40}, "record": {"items": 30, "parsed": 45}},
        {"frontier": {"discovered": 80, "fetched": 43, "queued": 37}, "record": {"items": 29}},  # an older message
        {"frontier": {"state": "running"}, "record": {}},  # a Redis that was emptied
        {"frontier": {"discovered": 99, "fetched": 51, "queued": 41}, "record": {"items": 31, "parsed": 46}},
        {"frontier": {"fetched": 51}, "record": {"fetched": 49, "items": 28, "parsed": 49, "complete": True}},
    ]

    states = [watcher.state_of(each) for each in parts]

    assert [state.fetched for state in states] == [50, 50, 50, 51, 49]
    assert [state.discovered for state in states][:4] == [90, 90, 90, 99]
    assert [state.items for state in states] == [30, 30, 30, 31, 28]
    assert [state.parsed for state in states] == [45, 45, 45, 46, 49]
    assert [state.queued for state in states][:2] == [40, 37]


def test_programs_get_the_last_seconds_too():
    said = msgspec.json.decode(_as_json(made_state()))

    assert said["latency_ms"] == {"p50": 38, "p95": 1275}
    assert said["hosts"][0] == {"host": "http://h0.test", "per_second": 9.0, "latency_ms": 40, "errors": 0}
    assert said["failures"][0]["reason"] == "timeout"
