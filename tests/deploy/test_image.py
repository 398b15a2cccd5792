"""The image: what the Dockerfile says, and what the lock behind it holds."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from contract.settings import load
from tests.deploy.files import ROOT
from tools.compose.images import our_image

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.M)[1:]
LOCKS = ("requirements.lock", "deploy/build.lock")


def pins(name: str) -> dict[str, str]:
    """Distribution → version, of a lock or of constraints.txt."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text("utf-8"), re.M))


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"

    done = subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_a_numbered_user_that_is_not_root() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", our_image().user)


def test_the_entry_point_is_penstock_itself_so_that_signals_reach_it() -> None:
    assert our_image().entrypoint == ("penstock",)
    assert our_image().stop_signal.name == "SIGTERM"


def test_the_images_environment_is_made_of_settings_that_exist() -> None:
    settings = load(environ={**our_image().environment, "PENSTOCK_CONFIG": ""})

    assert (settings.data, settings.metrics_port) == ("/data", 9100)


def test_the_last_stage_installs_nothing() -> None:
    assert "pip" not in STAGES[-1]
    assert "apt" not in STAGES[-1]


def test_every_file_is_held_against_its_hash() -> None:
    installs = re.findall(r"install (.*)$", "\n".join(STAGES[:-1]).replace(" \\\n", " "), re.M)

    assert installs
    for words in installs:
        assert "--require-hashes" in words or "--no-deps --no-index" in words, words


def test_what_the_dockerfile_copies_is_there_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    let_in = [line[1:] for line in ignored if line.startswith("!")]
    copied = [word for words in re.findall(r"^COPY (?!--from)(.*)", DOCKERFILE, re.M) for word in words.split()[:-1]]

    for name in copied:
        assert (ROOT / name).exists(), name
        assert any(fnmatch(name, pattern) for pattern in let_in), name
    assert "*" in ignored
    assert sorted(let_in) == sorted(copied)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host_and_has_a_hash_for_everything(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")

    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_image_has_the_versions_that_the_tests_run_with() -> None:
    tested = pins("constraints.txt")

    assert {name: version for name, version in pins("requirements.lock").items() if tested[name] != version} == {}


def test_the_lock_holds_all_that_penstock_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["postgres"]])
    locked = {canonicalize_name(name) for name in pins("requirements.lock")}

    assert [str(each) for each in asked if canonicalize_name(each.name) not in locked] == []


def test_the_lock_for_building_holds_the_build_backend() -> None:
    [backend] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]

    assert pins("deploy/build.lock")[Requirement(backend).name] in Requirement(backend).specifier
