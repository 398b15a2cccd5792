"""/metrics and /healthz of a stage process, over a real socket."""

import asyncio
import urllib.error
import urllib.request

import pytest

from contract import metrics
from contract.errors import Refused
from contract.metrics.server import MetricsServer
from contract.observing import observed
from contract.settings import Settings
from contract.topology import DISPATCH, FETCH, PARSE, RECORD, SEED
from tests.contract.counting import counting, samples
from tests.promtool import promtool

STAGES = (SEED.name, DISPATCH.name, FETCH.name, PARSE.name, RECORD.name)


def get(port, path, **headers):
    """Status, media type and text."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers["content-type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["content-type"], error.read().decode()


@pytest.fixture
def server():
    """A server of numbers in which nothing has run yet, and that wants two stages to run."""
    with counting() as found:
        made = MetricsServer(found, host="127.0.0.1", port=0, expected=(FETCH.name, PARSE.name), stale_seconds=0.2)
        yield made
        made.close()


def test_a_process_is_well_while_each_of_its_loops_shows_signs_of_life(server):
    assert get(server.port, "/healthz") == (503, "text/plain; charset=utf-8", "scraper.fetch does not run, "
                                            "scraper.parse does not run\n")  # fmt: skip
    metrics.beat(FETCH.name)
    metrics.beat(PARSE.name)
    assert get(server.port, "/healthz")[::2] == (200, "ok\n")


async def test_a_loop_that_is_silent_for_too_long_is_named(server):
    metrics.beat(FETCH.name)
    await asyncio.sleep(0.25)  # it is the passing of time that is looked at
    metrics.beat(PARSE.name)

    status, _, text = await asyncio.to_thread(get, server.port, "/healthz")

    assert (status, text) == (503, "scraper.fetch has been silent for 0 s\n")


def test_metrics_are_text_that_prometheus_reads_in_either_format(server):
    metrics.beat(FETCH.name)
    metrics.add("penstock_fetch_answers", "2xx", amount=2)

    status, media_type, text = get(server.port, "/metrics")
    _, open_type, open_text = get(server.port, "/metrics", Accept="application/openmetrics-text; version=1.0.0")

    assert (status, media_type.split(";")[0]) == (200, "text/plain")
    assert samples(text)["penstock_fetch_answers_total", "2xx"] == 2
    assert samples(text)["process_resident_memory_bytes",] > 1_000_000
    assert open_type.startswith("application/openmetrics-text")
    assert open_text.endswith("# EOF\n")
    assert get(server.port, "/")[0] == 404


def test_promtool_finds_no_fault_with_any_of_our_metrics(server):
    for stage in STAGES:
        metrics.beat(stage)
    _, _, text = get(server.port, "/metrics")

    assert promtool("check", "metrics", said=text) == ""


def test_a_port_that_is_in_use_is_refused_in_one_line(server):
    settings = Settings(metrics_port=server.port)

    with (
        pytest.raises(Refused, match=f"metrics cannot be served at 127.0.0.1:{server.port}: Address already in use"),
        observed(settings, stages=()),
    ):
        pass
