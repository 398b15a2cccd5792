"""The import law holds, and the rule that says so can fail."""

import pytest

from tests.architecture.rules.imports import forbidden_imports, import_cycles
from tests.architecture.rules.sources import expect_none, made_up, read_sources


def test_services_import_only_the_contract_and_never_one_another():
    expect_none(forbidden_imports(read_sources()))


def test_no_modules_import_one_another_in_a_circle():
    expect_none(import_cycles(read_sources()))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scraper/parse.py", "import storage"),
        ("scraper/parse.py", "import storage.archive.archive as archive"),
        ("scraper/parse.py", "from penstock.cli import main"),
        ("scraper/parse.py", "from .. import scheduler"),  # climbs out of the package
        ("contract/bus/take.py", "from ...storage import record"),
        ("contract/keys.py", "import scheduler"),
        ("storage/record.py", "def later():\n    from scheduler.urls import canonical"),
        ("storage/record.py", "if TYPE_CHECKING:\n    from scraper import Page"),
        ("storage/record.py", "importlib.import_module('scraper.parse')"),
        ("penstock/site/graph.py", "from tests.builders import make_page"),
    ],
)
def test_an_import_against_the_law_is_named_wherever_it_stands(path, text):
    [breach] = forbidden_imports(made_up({path: text}))

    assert breach.startswith(f"{path}:{text.count(chr(10)) + 1}: {path.partition('/')[0]} may not import")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scraper/parse.py", "from contract.keys import Keys"),
        ("scraper/parse.py", "from .page import Page"),
        ("scraper/__init__.py", "from .page import Page"),
        ("scraper/bodies/read.py", "from ..page import Page"),
        ("scraper/parse.py", "import selectolax.lexbor"),
        ("penstock/cli.py", "import scheduler, scraper, storage"),
        ("scraper/parse.py", "import storage_of_somebody_else"),
    ],
)
def test_an_import_within_the_law_passes(path, text):
    assert forbidden_imports(made_up({path: text})) == []


def test_a_circle_is_shown_as_the_way_round_it():
    sources = made_up(
        {
            "scraper/one.py": "from scraper import two",
            "scraper/two.py": "def late():\n    from . import three",
            "scraper/three.py": "from scraper.one import thing",
            "scraper/four.py": "from scraper.one import thing",
        }
    )

    [breach] = import_cycles(sources)

    assert breach.count(" → ") == 3
    for name in ("one", "two", "three"):
        assert f"scraper.{name}" in breach
    assert "scraper.one → scraper.two" in breach


def test_two_circles_are_both_reported():
    pairs = {"a": "b", "b": "a", "c": "d", "d": "c"}
    sources = made_up({f"contract/{here}.py": f"from contract import {there}" for here, there in pairs.items()})

    assert len(import_cycles(sources)) == 2


def test_a_package_that_lists_its_names_makes_no_circle_with_the_modules_behind_them():
    sources = made_up(
        {
            "scraper/__init__.py": "from scraper.spider import Spider",
            "scraper/spider.py": "from scraper.page import Page",
            "scraper/page.py": "import json",
        }
    )

    assert import_cycles(sources) == []
