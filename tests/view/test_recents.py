"""What the recorders saw is put together; a recorder that is gone does not count."""

import time
from typing import Any

import pytest

from penstock.view.recents import FAILURES, FRESH_SECONDS, HOSTS, Recents, rate_of
from penstock.view.state import Watcher

#: The two clocks at the same moment.
NOW, UNIX = 1_000.0, 1_795_000_000.0


def share(*, age: float = 0.0, **changes: Any) -> dict[str, Any]:
    """One recorder's part, as it was said this many seconds ago."""
    plain = {
        "at": int((UNIX - age) * 1000),
        "seconds": 10.0,
        "answers": 100,
        "fetched": 10.0,
        "latency_ms": {"p50": 20, "p95": 40},
        "hosts": [{"host": "http://a.test", "answers": 100, "errors": 1, "latency_ms": 20}],
        "failures": [],
    }
    return {**plain, **changes}


def fields(*shares: dict[str, Any]) -> dict[str, Any]:
    recents = Recents()
    parts = {f"recent.{number}": each for number, each in enumerate(shares)}
    return recents.fields(recents.fresh(parts, now=NOW, unix=UNIX))


def failure(number: int, *, at: int | None = None, reason: str = "timeout") -> dict[str, Any]:
    return {"url": f"http://a.test/{number}", "reason": reason, "at": number if at is None else at, "detail": "d"}


def test_one_recorders_numbers_are_shown_as_they_are():
    assert fields(share()) == {
        "latency_ms": {"p50": 20, "p95": 40},
        "hosts": [{"host": "http://a.test", "per_second": 10.0, "latency_ms": 20, "errors": 1}],
        "failures": [],
    }


def test_two_recorders_shares_of_a_host_add_up_and_latency_is_weighed_by_answers():
    slow = [{"host": "http://a.test", "answers": 300, "errors": 2, "latency_ms": 40}]
    merged = fields(share(), share(answers=300, latency_ms={"p50": 40, "p95": 80}, hosts=slow))

    assert merged["hosts"] == [{"host": "http://a.test", "per_second": 40.0, "latency_ms": 35, "errors": 3}]
    assert merged["latency_ms"] == {"p50": 35, "p95": 70}


def test_the_busiest_hosts_of_all_come_first_and_are_few():
    some = [{"host": f"http://h{number}.test", "answers": number} for number in range(1, 13)]
    hosts = fields(share(hosts=some[::2]), share(hosts=some[1::2]))["hosts"]

    assert [host["host"] for host in hosts] == [f"http://h{number}.test" for number in range(12, 12 - HOSTS, -1)]
    assert hosts[0]["latency_ms"] is None


def test_the_latest_failures_of_all_are_kept_and_one_url_is_named_once():
    merged = fields(
        share(failures=[failure(1), failure(3), failure(5)]),
        share(failures=[failure(2), failure(4), failure(6), failure(1, at=7, reason="http_503")]),
    )

    assert [each["url"][-1] for each in merged["failures"]] == ["3", "4", "5", "6", "1"]
    assert len(merged["failures"]) == FAILURES
    assert merged["failures"][-1] == {"url": "http://a.test/1", "reason": "http_503", "status": None, "detail": "d"}


def test_a_dead_recorders_part_does_not_count():
    dead = share(age=FRESH_SECONDS + 1, hosts=[{"host": "http://dead.test", "answers": 9}], failures=[failure(1)])

    assert fields(dead) == {"latency_ms": {}, "hosts": [], "failures": []}
    assert [host["host"] for host in fields(dead, share())["hosts"]] == ["http://a.test"]


def test_a_recorder_that_falls_silent_stops_counting():
    recents, parts = Recents(), {"recent.a": share()}

    assert recents.fresh(parts, now=NOW, unix=UNIX)
    assert recents.fresh(parts, now=NOW + FRESH_SECONDS - 1, unix=UNIX)
    assert not recents.fresh(parts, now=NOW + FRESH_SECONDS + 1, unix=UNIX)


@pytest.mark.parametrize("skew", [-3_600.0, 3_600.0])
def test_a_recorder_whose_clock_is_wrong_counts_from_its_second_word_on(skew):
    recents = Recents()
    recents.fresh({"recent.a": share(age=skew)}, now=NOW, unix=UNIX)

    assert recents.fresh({"recent.a": share(age=skew - 0.5)}, now=NOW + 0.5, unix=UNIX + 0.5)
    assert not recents.fresh({"recent.a": share(age=skew - 0.5)}, now=NOW + 6, unix=UNIX + 6)


def test_failures_stay_when_their_recorder_has_nothing_more_to_say():
    recents = Recents()
    recents.fields(recents.fresh({"recent.a": share(failures=[failure(1)])}, now=NOW, unix=UNIX))

    assert [each["url"] for each in recents.fields([])["failures"]] == ["http://a.test/1"]


@pytest.mark.parametrize(
    "odd", [{}, {"at": "yesterday", "seconds": 1}, {"at": 1}, [], None, {"at": 1, "seconds": 1, "hosts": 3}]
)
def test_a_part_that_is_not_understood_is_left_out(odd):
    recents = Recents()

    assert recents.fresh({"recent.a": odd, "record": share()}, now=NOW, unix=UNIX) == []


def test_a_window_without_an_answer_has_no_latency():
    assert fields(share(answers=0, latency_ms=None, hosts=[])) == {"latency_ms": {}, "hosts": [], "failures": []}


def test_rates_add_up():
    recents = Recents()

    assert rate_of(recents.fresh({"recent.a": share(), "recent.b": share(fetched=2.5)}, now=NOW, unix=UNIX)) == 12.5


def test_a_watcher_puts_them_into_its_state_and_takes_their_rate_while_it_has_none():
    recent = share(at=int(time.time() * 1000), failures=[failure(1)])
    state = Watcher("c", "demo").state_of({"frontier": {"fetched": 50}, "recent.a": recent})

    assert (state.pages_per_second, state.latency_ms, len(state.hosts), len(state.failures)) == (
        10.0,
        {"p50": 20, "p95": 40},
        1,
        1,
    )
