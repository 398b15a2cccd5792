"""The alert rules in the eyes of promtool: their form, what brings each one on, and where it sends whoever is woken."""

import re

import pytest
import yaml

from tests.architecture.rules.sources import ROOT
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


def test_the_example_configuration_is_one_that_prometheus_takes():
    assert promtool("check", "config", "--syntax-only", str(FOLDER / "prometheus.yml")) == ""


def test_each_alert_names_its_section_of_the_operations_guide():
    wanted = {rule["annotations"]["runbook_url"] for rule in alerts()}

    assert wanted == {f"docs/operations.md#{rule['alert'].lower()}" for rule in alerts()}
    if not GUIDE.exists():
        pytest.skip("there is no docs/operations.md yet")
    headings = {line.lstrip("# ").strip() for line in GUIDE.read_text("utf-8").splitlines() if re.match("#+ ", line)}
    assert {rule["alert"] for rule in alerts()} <= headings
