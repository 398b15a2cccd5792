"""Numbers that a process shares with its forked children: what a child has counted outlives it."""

import os
import signal
import subprocess
import sys

import pytest

from contract import metrics, topology
from contract.metrics import numbers
from contract.metrics.families import FAMILIES, FETCH_OUTCOMES, PARSE_RESULTS
from scraper import errors
from tests.contract.counting import counted, counting

FETCH = topology.FETCH.name


def fork_and_count(found, *, row, requests):
    """A child that counts in a row of its own, says that it runs, and is killed; returns when it is dead."""
    ready, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        found.use(row)
        metrics.beat(FETCH)
        metrics.put("penstock_held_messages", FETCH, value=3)
        metrics.add("penstock_fetch_answers", "2xx", amount=requests)
        os.write(done, b"x")
        signal.pause()
    os.read(ready, 1)
    yield
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(ready)
    os.close(done)
    yield


def test_what_children_count_is_summed_and_stays_when_they_are_killed():
    with counting(children=2) as found:
        first, second = fork_and_count(found, row=1, requests=5), fork_and_count(found, row=2, requests=7)
        next(first), next(second)
        assert counted(found)["penstock_fetch_answers_total", "2xx"] == 12
        assert counted(found)["penstock_held_messages", FETCH] == 6

        next(first), next(second)

        assert counted(found)["penstock_fetch_answers_total", "2xx"] == 12


def test_a_child_that_replaces_a_dead_one_goes_on_with_its_counts_and_clears_what_it_held():
    with counting(children=1) as found:
        dead = fork_and_count(found, row=1, requests=5)
        next(dead), next(dead)
        found.use(1)
        metrics.beat(FETCH)

        metrics.add("penstock_fetch_answers", "2xx")

        assert counted(found)["penstock_fetch_answers_total", "2xx"] == 6
        assert counted(found)["penstock_held_messages", FETCH] == 0


def test_without_a_beginning_counting_does_nothing():
    metrics.add("penstock_fetch_answers", "2xx")
    metrics.put("penstock_back_pressure", value=1)
    metrics.observe("penstock_fetch_seconds", value=1.0)
    metrics.beat(FETCH)

    assert numbers.current() is None


def test_only_stages_that_have_run_here_are_shown():
    with counting() as found:
        assert counted(found).keys() <= {("process_start_time_seconds",)} | {
            name for name in counted(found) if name[0].startswith("process_")
        }
        metrics.beat(topology.PARSE.name)

        names = {name for name, *_ in counted(found)}

    assert "penstock_read_pages_total" in names
    assert "penstock_fetch_answers_total" not in names


def test_a_histogram_counts_what_is_not_greater_than_each_bound():
    with counting() as found:
        metrics.beat(FETCH)
        for seconds in (0.005, 0.02, 99.0):
            metrics.observe("penstock_fetch_seconds", value=seconds)

        said = counted(found)

    assert [said["penstock_fetch_seconds_bucket", bound] for bound in ("0.005", "0.01", "0.025", "60.0", "+Inf")] == [
        1, 1, 2, 2, 3,
    ]  # fmt: skip
    assert said["penstock_fetch_seconds_count",] == 3
    assert said["penstock_fetch_seconds_sum",] == pytest.approx(99.025)


def test_a_word_that_is_not_declared_counts_as_other_so_that_no_site_can_make_a_series():
    with counting() as found:
        metrics.beat(FETCH)
        metrics.add("penstock_fetch_outcomes", "failed", "what-a-site-said")

        assert counted(found)["penstock_fetch_outcomes_total", "failed", "other"] == 1


def test_every_way_in_which_a_fetch_can_fail_is_declared():
    kinds = {errors.FetchError}
    while more := {sub for kind in kinds for sub in kind.__subclasses__()} - kinds:
        kinds |= more
    reasons = {kind.reason for kind in kinds}
    declared = {reason for outcome, reason in FETCH_OUTCOMES if outcome in ("failed", "excluded")}

    assert reasons <= declared
    assert declared - reasons == {"http_status", "robots", "cancelled", "other"}
    assert "other" in PARSE_RESULTS


def test_every_metric_has_a_plain_name_in_base_units():
    for family in FAMILIES:
        assert family.name.startswith("penstock_")
        assert family.name == family.name.lower()
        assert not family.name.endswith(("_total", "_ms", "_count", "_sum", "_bucket"))
        assert family.text.endswith(".")
        if family.kind == "histogram":
            assert family.bounds == tuple(sorted(family.bounds))
            assert family.name.endswith(("_seconds", "_messages"))


#: Stages and the bus, without what is only there to tell of them.
MODULES = "contract.bus, contract.observing, scheduler.service, scraper.fetch, scraper.parse, storage.record"


def test_a_process_that_counts_and_traces_nothing_imports_none_of_the_libraries():
    # redis-py itself looks for OpenTelemetry's metrics, and imports them where they are.
    libraries = "prometheus_client", "structlog", "opentelemetry.sdk.trace", "opentelemetry.exporter"
    ask = f"import {MODULES}, sys; print([name for name in {libraries!r} if name in sys.modules])"

    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
