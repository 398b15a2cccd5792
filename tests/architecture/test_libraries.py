"""What the code imports is declared, what is declared is pinned, and the rules that say so can fail."""

import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.rules.libraries import loose_requirements, odd_lines, undeclared_libraries
from tests.architecture.rules.sources import ROOT, expect_none, made_up, read_sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8")


def test_every_library_that_is_imported_is_asked_for():
    used = ("postgres", "monitor", "parquet", "s3", "otel", "detector")
    declared = [*PROJECT["dependencies"], *(line for extra in used for line in EXTRAS[extra])]

    expect_none(undeclared_libraries(read_sources(), declared=declared, owners=packages_distributions()))


def test_every_requirement_is_pinned():
    declared = [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]

    expect_none(loose_requirements(declared, CONSTRAINTS))


def test_the_pins_name_no_host_and_no_path():
    assert "://" not in CONSTRAINTS
    expect_none(odd_lines(CONSTRAINTS))


def test_a_library_that_only_came_along_with_another_is_reported():
    sources = made_up({"contract/m.py": "import json\nimport yaml.nodes\nfrom contract import keys\nimport redis"})

    [breach] = undeclared_libraries(sources, declared=["redis[x]>=8"], owners={"yaml": ["PyYAML"]})

    assert breach == "contract/m.py:2: imports yaml, which pyproject.toml does not ask for"


def test_a_library_may_be_imported_under_another_name():
    sources = made_up({"contract/m.py": "import yaml"})

    assert undeclared_libraries(sources, declared=["pyyaml"], owners={"yaml": ["PyYAML"]}) == []


@pytest.mark.parametrize("constraints", ["", "redis==7.0.0", "redis-sentinel==8.1.0"])
def test_a_missing_or_refused_pin_is_reported(constraints):
    assert len(loose_requirements(["redis>=8.1,<9"], constraints)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://pypi.example/simple",
        "redis @ file:///x/redis.whl",
        "-e .",
        "redis>=8",
        "--find-links /x",
    ],
)
def test_a_line_that_is_no_plain_pin_is_reported(line):
    assert odd_lines(f"redis==8.1.0\n{line}\nasync-timeout==5.0.1 ; python_full_version < '3.11.3'\n") == [line]
