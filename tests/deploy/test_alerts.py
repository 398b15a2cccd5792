"""The alert rules in the eyes of promtool: their form, what brings each one on, and where it sends whoever is woken."""

import re

import pytest
import yaml

from tests.architecture.rules.sources import ROOT
from tests.deploy.files import BASE, STAGES, objects, of_kind
from tests.promtool import promtool

FOLDER = ROOT / "deploy" / "prometheus"
RULES, CASES = FOLDER / "rules" / "penstock.yml", FOLDER / "tests" / "penstock_test.yml"
GUIDE = ROOT / "docs" / "operations.md"


def alerts():
    """Every alert there is."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_promtool_finds_no_fault_with_the_rules():
    assert promtool("check", "rules", str(RULES)) == ""


def test_each_alert_comes_on_when_it_should_and_only_then():
    assert promtool("test", "rules", str(CASES)) == ""


def test_each_alert_has_a_case_in_which_it_comes_on_and_one_in_which_it_does_not():
    cases = [case for test in yaml.safe_load(CASES.read_text())["tests"] for case in test["alert_rule_test"]]
    on = {case["alertname"] for case in cases if case.get("exp_alerts")}
    off = {case["alertname"] for case in cases if not case.get("exp_alerts")}

    assert {rule["alert"] for rule in alerts()} == on == off


@pytest.mark.parametrize("name", ["prometheus.yml", "kubernetes.yml"])
def test_an_example_configuration_is_one_that_prometheus_takes_with_the_jobs_that_alerts_name(name, tmp_path):
    said = yaml.safe_load((FOLDER / name).read_text())
    jobs = {job["job_name"]: job for job in said["scrape_configs"]}
    for job in jobs.values():
        # A promtool that was built without Kubernetes does not know the word.
        job.pop("kubernetes_sd_configs", None)
    (tmp_path / name).write_text(yaml.safe_dump(said))

    assert promtool("check", "config", "--syntax-only", str(tmp_path / name)) == ""
    assert set(re.findall(r'job="([\w-]+)"', RULES.read_text())) == jobs.keys()
    assert "component" in {each.get("target_label") for each in jobs["penstock-stages"]["relabel_configs"]}


def test_every_stage_that_kubernetes_lets_prometheus_ask_is_missed_when_it_has_gone():
    [gone] = [rule["expr"] for rule in alerts() if rule["alert"] == "PenstockStageGone"]
    asked = {
        name
        for name, each in of_kind(objects(BASE), "Deployment").items()
        for port in each["spec"]["template"]["spec"]["containers"][0]["ports"]
        if port["name"] == "metrics"
    }

    assert set(re.findall(r'component="(\w+)"', gone)) == asked == STAGES.keys() - {"api"}


def test_each_alert_names_its_section_of_the_operations_guide():
    wanted = {rule["annotations"]["runbook_url"] for rule in alerts()}

    assert wanted == {f"docs/operations.md#{rule['alert'].lower()}" for rule in alerts()}
    if not GUIDE.exists():
        pytest.skip("there is no docs/operations.md yet")
    headings = {line.lstrip("# ").strip() for line in GUIDE.read_text("utf-8").splitlines() if re.match("#+ ", line)}
    assert {rule["alert"] for rule in alerts()} <= headings
