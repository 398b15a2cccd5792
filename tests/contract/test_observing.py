"""What the settings ask to be seen of a process is there for as long as it runs, and gone afterwards."""

import socket
import urllib.request

import pytest

from contract import metrics
from contract.bus.watching import watchers
from contract.errors import Refused
from contract.metrics import numbers
from contract.observing import begin, begin_child, end, observed
from contract.settings import Settings, as_environ, load
from contract.topology import PARSE


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_by_default_nothing_is_counted_and_nobody_listens():
    with observed(Settings(), stages=(PARSE.name,)):
        assert (numbers.current(), watchers(PARSE)) == (None, ())


def test_with_a_port_metrics_are_served_until_the_end_of_the_block():
    settings = Settings(metrics_port=free_port())
    url = f"http://127.0.0.1:{settings.metrics_port}/healthz"
    with observed(settings, stages=()):
        assert len(watchers(PARSE)) == 1
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert answer.read() == b"ok\n"

    assert (numbers.current(), watchers(PARSE)) == (None, ())
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)


def test_a_worker_without_children_counts_and_answers_itself():
    settings = Settings(metrics_port=free_port())
    begin(settings, children=1)
    try:
        begin_child(settings, number=0)  # as Celery's solo pool has it: in the parent itself
        metrics.beat(PARSE.name)
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.metrics_port}/metrics", timeout=5) as answer:
            assert b"penstock_read_pages_total" in answer.read()
    finally:
        end()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("METRICS_PORT", "70000", "PENSTOCK_METRICS_PORT must be a port or 0, not 70000"),
        ("METRICS_PORT", "-1", "must be a port or 0"),
        ("LOG_FORMAT", "xml", "PENSTOCK_LOG_FORMAT must be one of text, json, not 'xml'"),
        ("TRACES", "perhaps", "PENSTOCK_TRACES must be true or false"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(name, value, words):
    with pytest.raises(Refused, match=words):
        load(environ={f"PENSTOCK_{name}": value})


def test_settings_of_observation_reach_the_processes_that_we_start():
    settings = Settings(metrics_port=9_100, metrics_host="0.0.0.0", log_format="json", traces=True)

    assert load(environ=as_environ(settings)) == settings
