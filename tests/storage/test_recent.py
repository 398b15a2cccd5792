"""The last seconds of a crawl: rate, latency, busiest hosts, latest failures, in bounded memory."""

import pytest

from storage.read_models.recent import FAILURES, HOSTS, MOST_OUTCOMES, WINDOW_SECONDS, Recent, quantile
from tests import builders


def fetched(host="http://a.test", number=0, **changes):
    return builders.page_fetched(f"{host}/{number}", **changes).payload


def failed(number=0, **changes):
    return builders.page_failed(f"http://a.test/{number}", **changes).payload


def test_rate_and_latency_are_those_of_the_window():
    recent = Recent(100.0)
    for number in range(100):
        recent.add(fetched(number=number, elapsed_ms=number + 1), now=105.0)

    numbers = recent.numbers(now=110.0)

    assert (numbers["seconds"], numbers["fetched"], numbers["answers"]) == (10.0, 10.0, 100)
    assert numbers["latency_ms"] == {"p50": 51, "p95": 96}


def test_a_crawl_that_has_just_begun_is_measured_over_its_own_time():
    recent = Recent(100.0)
    recent.add(fetched(), now=101.0)
    recent.add(fetched(), now=101.5)

    assert recent.numbers(now=102.0)["fetched"] == 1.0


def test_what_is_older_than_the_window_does_not_count():
    recent = Recent(100.0)
    recent.add(fetched(), now=101.0)

    numbers = recent.numbers(now=101.1 + WINDOW_SECONDS)

    assert (numbers["fetched"], numbers["answers"], numbers["latency_ms"], numbers["hosts"]) == (0.0, 0, None, [])


def test_hosts_are_the_busiest_ones_with_their_median_latency_and_errors():
    recent = Recent(0.0)
    for number in range(HOSTS + 4):
        for place in range(number + 1):
            recent.add(fetched(f"http://h{number}.test", place, elapsed_ms=place), now=1.0)
    recent.add(failed(status=503, elapsed_ms=70), now=1.0)

    hosts = recent.numbers(now=2.0)["hosts"]

    assert [host["host"] for host in hosts] == [f"http://h{number}.test" for number in range(HOSTS + 3, 3, -1)]
    assert hosts[0] == {"host": "http://h19.test", "answers": 20, "errors": 0, "latency_ms": 10}


@pytest.mark.parametrize(
    ("changes", "answers", "latency_ms"),
    [
        ({"status": 503, "elapsed_ms": 70}, 1, 70),
        ({"status": None, "elapsed_ms": 60_000}, 0, None),  # no answer has no latency
    ],
)
def test_a_failure_is_an_error_of_its_host_and_an_answer_only_if_there_was_one(changes, answers, latency_ms):
    recent = Recent(0.0)
    recent.add(failed(**changes), now=1.0)

    numbers = recent.numbers(now=2.0)

    assert numbers["answers"] == answers
    assert numbers["fetched"] == 0.0
    assert numbers["hosts"] == [{"host": "http://a.test", "answers": 1, "errors": 1, "latency_ms": latency_ms}]


def test_what_was_never_asked_tells_nothing_of_the_host():
    recent = Recent(0.0)
    recent.add(failed(asked=False), now=1.0)

    assert recent.numbers(now=2.0)["hosts"] == []
    assert len(recent.numbers(now=2.0)["failures"]) == 1


def test_the_latest_failures_stay_and_one_url_is_named_once_with_a_short_sentence():
    recent = Recent(0.0)
    for number in range(FAILURES + 2):
        recent.add(failed(number), now=1.0)
    recent.add(failed(3, reason="http_503", status=503, detail="x" * 9_999), now=2.0)

    failures = recent.numbers(now=1_000.0)["failures"]

    assert [failure["url"][-1] for failure in failures] == ["2", "4", "5", "6", "3"]
    assert (failures[-1]["reason"], failures[-1]["status"], len(failures[-1]["detail"])) == ("http_503", 503, 300)


def test_memory_is_bounded_and_the_rate_is_still_right():
    recent = Recent(0.0)
    for number in range(MOST_OUTCOMES * 2):
        recent.add(fetched(), now=number / 1_000)

    assert repr(recent) == f"<Recent {MOST_OUTCOMES} outcomes, 0 failures>"
    assert recent.numbers(now=MOST_OUTCOMES * 2 / 1_000)["fetched"] == pytest.approx(1_000, rel=0.01)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 3), (0.95, 4), (1.0, 4)])
def test_a_quantile_is_one_of_the_values(share, value):
    assert quantile([1, 2, 3, 4], share) == value
    assert quantile([7], share) == 7
