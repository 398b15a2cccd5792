"""The metrics of a running cluster: what they say of a crawl, and that alerts and dashboard ask for what there is."""

import json
import os
import re
import signal

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from penstock.cluster.supervisor import STAGE_COMMANDS
from tests.architecture.rules.sources import ROOT
from tests.promtool import promtool
from tests.system.commands import descendants
from tests.system.observed import PATIENCE_SECONDS, running_cluster, until

DASHBOARD = ROOT / "deploy" / "grafana" / "penstock.json"
RULES = ROOT / "deploy" / "prometheus" / "rules" / "penstock.yml"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster that has crawled ten pages, and tells its traces to a collector."""
    with running_cluster(tmp_path_factory.mktemp("metrics"), PENSTOCK_LOG_FORMAT="json") as made:
        made.crawl("first")
        yield made


def test_counters_of_the_stages_say_what_was_crawled(cluster):
    until(lambda: cluster.told("record")["penstock_messages_total", "done", "storage.record"] > 20)
    pages = cluster.told("api")["penstock_pages", "fetched"]
    fetch, scheduler = cluster.told("worker"), cluster.told("scheduler")

    assert pages >= 10
    outcomes = {name: count for name, count in fetch.items() if name[0] == "penstock_fetch_outcomes_total"}
    assert sum(outcomes[name] for name in outcomes if name[1] == "fetched") == pages
    assert cluster.told("parse")["penstock_read_pages_total", "read"] == pages
    assert scheduler["penstock_issued_jobs_total",] == sum(outcomes.values())
    assert scheduler["penstock_messages_total", "done", "scheduler.settle"] >= pages
    assert fetch["penstock_fetch_seconds_count",] >= pages


def test_what_a_fetch_process_has_counted_outlives_it(cluster):
    before = cluster.told("worker")["penstock_fetch_answers_total", "2xx"]
    worker = next(pid for pid, line in descendants(cluster.pid) if " worker " in line)
    children = [pid for pid, _ in descendants(worker)]
    os.kill(children[0], signal.SIGKILL)
    until(lambda: children[0] not in [pid for pid, _ in descendants(worker)])

    assert cluster.told("worker")["penstock_fetch_answers_total", "2xx"] == before
    cluster.crawl("second")
    assert cluster.told("worker")["penstock_fetch_answers_total", "2xx"] == 2 * before


def test_every_stage_process_is_well(cluster):
    for number, name in enumerate(STAGE_COMMANDS):
        answer = httpx.get(f"http://127.0.0.1:{cluster.first_port + number}/healthz", timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.text) == (200, "ok\n"), name


@pytest.mark.parametrize("command", [*STAGE_COMMANDS, "api"])
def test_promtool_finds_no_fault_with_what_a_process_says(cluster, command):
    assert promtool("check", "metrics", said=cluster.text(command)) == ""


def names_there(cluster):
    """Every name that a query can ask for."""
    found = set()
    for command in (*STAGE_COMMANDS, "api"):
        for family in text_string_to_metric_families(cluster.text(command)):
            found |= {sample.name for sample in family.samples}
    return found


def names_in(expression):
    """The metrics that a query asks for."""
    return set(re.findall(r"\b(?:penstock|process)_\w+", re.sub(r'"[^"]*"', "", expression)))


def expressions():
    """Every query of the dashboard, with its panel's title."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", ())]


def test_the_dashboard_and_the_alerts_ask_only_for_what_there_is(cluster):
    alerts = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    asked = {name for _, expression in expressions() for name in names_in(expression)}
    asked |= {name for alert in alerts for name in names_in(alert["expr"])}

    assert asked - names_there(cluster) == set()
    assert len(asked) > 40


def test_every_query_of_the_dashboard_is_one_that_prometheus_understands(tmp_path):
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, (_, expression) in enumerate(expressions())
    ]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    assert promtool("check", "rules", str(file)) == ""


def test_the_dashboard_can_be_imported_anywhere():
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]

    assert "id" not in board
    assert (board["title"], board["uid"]) == ("Penstock", "penstock")
    assert board["schemaVersion"] >= 36
    assert len(ids) == len(set(ids))
    [source] = board["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    for panel in board["panels"]:
        for part in (panel, *panel.get("targets", ())):
            assert panel["type"] == "row" or part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    rows = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
    assert rows == ["Overview", "Stages", "Fetch", "Parse", "Record", "Redis"]


@pytest.mark.soak
def test_one_trace_goes_through_the_processes_and_comes_to_the_collector(cluster):
    def processes_of(trace):
        return {stage for stage, each in cluster.spans() if each.trace_id == trace}

    traces = {each.trace_id for stage, each in cluster.spans() if stage == "scraper.fetch"}
    wanted = {"scraper.fetch", "scheduler.settle", "scraper.parse", "scheduler.discover", "storage.record"}

    assert traces
    until(lambda: all(wanted <= processes_of(trace) for trace in list(traces)[:3]))
