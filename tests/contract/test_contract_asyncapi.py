"""The AsyncAPI document in the eyes of AsyncAPI's own parser, which runs on node: `make check-contract`."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.published.asyncapi import document

ROOT = Path(__file__).resolve().parents[2]
#: Where `make check-contract` puts the parser.
NODE_FOLDER = ROOT / "build" / "node"
PARSER = NODE_FOLDER / "node_modules" / "@asyncapi" / "parser"

pytestmark = [
    pytest.mark.skipif(not shutil.which("node"), reason="node is not installed"),
    pytest.mark.skipif(not PARSER.exists(), reason="@asyncapi/parser is not installed: run make check-contract"),
]


def check(*paths: Path) -> subprocess.CompletedProcess[str]:
    """What the parser says of these files."""
    script = ROOT / "tools" / "check_asyncapi.mjs"
    return subprocess.run(
        ["node", script, NODE_FOLDER, *paths], capture_output=True, text=True, check=False, timeout=50
    )


def test_the_document_is_valid_without_a_warning():
    run = check(ROOT / "docs" / "contract" / "asyncapi.json")

    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith("asyncapi.json: read, 0 faults\n")


def set_action(made: dict[str, Any]) -> None:
    """An operation that does what no operation can."""
    made["operations"]["scraper.parse.receive.page.fetched"]["action"] = "take"


def drop_channel(made: dict[str, Any]) -> None:
    """Operations on a stream that is not there."""
    del made["channels"]["page.parsed"]


def break_schema(made: dict[str, Any]) -> None:
    """A type that no schema knows."""
    made["components"]["schemas"]["BodyRef"]["properties"]["size"]["type"] = "bytes"


def test_every_fault_is_found(tmp_path):
    paths = [harmed(tmp_path, harm) for harm in (set_action, drop_channel, break_schema)]

    run = check(*paths)

    assert run.returncode == 1, run.stderr
    for path in paths:
        assert f"{path}: not read, " in run.stdout


def harmed(folder: Path, harm: Callable[[dict[str, Any]], None]) -> Path:
    """A file with the document after that was done to it."""
    made = json.loads(json.dumps(document()))
    harm(made)
    path = folder / f"{harm.__name__}.json"
    path.write_text(json.dumps(made))
    return path
