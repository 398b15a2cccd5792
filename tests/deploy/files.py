"""The files of the deployment, read for the tests: the compose project, and what kustomize makes of a folder."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.compose.file import Project, read_project

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
BASE = ROOT / "deploy" / "kubernetes" / "base"
COMPONENTS = ROOT / "deploy" / "kubernetes" / "components"
EXAMPLE = ROOT / "deploy" / "kubernetes" / "overlays" / "example"

SECRETS = {"REDIS_PASSWORD": "redis0word", "POSTGRES_PASSWORD": "postgres0word", "PENSTOCK_API_TOKEN": "token0word"}

#: Commands whose containers are ours, as penstock/cli knows them.
STAGES = {"scheduler": "scheduler", "worker": "worker", "parse": "parse", "record": "record", "api": "serve"}


def compose(**variables: str) -> Project:
    """docker-compose.yml with these variables and the three secrets."""
    return read_project(COMPOSE, {**SECRETS, **variables})


def objects(folder: Path, *components: str) -> list[dict[str, Any]]:
    """Every object that `kubectl apply --kustomize` makes of a folder with these components, patches worked in."""
    said = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    found = [each for name in said["resources"] for each in _of(folder / name)]
    for name in components:
        part = COMPONENTS / name
        also = yaml.safe_load((part / "kustomization.yaml").read_text("utf-8"))
        found += [each for name in also.get("resources", ()) for each in _of(part / name)]
        for patch in also["patches"]:
            targeted(found, patch["target"], yaml.safe_load(patch["patch"]))
    for patch in said.get("patches", ()):
        for change in documents(folder / patch["path"]):
            [changed] = [each for each in found if named(each) == named(change)]
            merge(changed, change)
    return found


def _of(path: Path) -> list[dict[str, Any]]:
    return objects(path) if path.is_dir() else list(documents(path))


def documents(path: Path) -> Iterator[dict[str, Any]]:
    """The objects in a file."""
    yield from yaml.safe_load_all(path.read_text("utf-8"))


def named(each: Mapping[str, Any]) -> str:
    """Kind and name."""
    return f"{each['kind']}/{each['metadata']['name']}"


def merge(into: dict[str, Any], change: Mapping[str, Any]) -> None:
    """A strategic merge without lists that are merged: ours are replaced whole."""
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def targeted(found: list[dict[str, Any]], target: Mapping[str, str], change: Any) -> None:
    """A patch of all that a target names: deleted, or changed by a list of operations (RFC 6902)."""
    chosen = [each for each in found if each["kind"] == target["kind"]]
    chosen = [each for each in chosen if each["metadata"]["name"] == target.get("name", each["metadata"]["name"])]
    assert chosen, target
    for each in chosen:
        if isinstance(change, list):
            for operation in change:
                _operate(each, operation)
        else:
            assert change["$patch"] == "delete"
            found.remove(each)


def _operate(on: Any, operation: Mapping[str, Any]) -> None:
    *way, last = operation["path"].strip("/").split("/")
    for word in way:
        on = on[int(word) if isinstance(on, list) else word]
    key, value = (int(last) if last.isdigit() else last), operation.get("value")
    match operation["op"]:
        case "test":
            assert on[key] == value, operation
        case "add" if key == "-":
            on.append(value)
        case "add":
            assert isinstance(on, dict)
            on[key] = value
        case "replace":
            assert on[key] is not None
            on[key] = value
        case "remove":
            del on[key]
        case other:
            raise AssertionError(f"not understood: {other}")


def of_kind(all_objects: list[dict[str, Any]], *kinds: str) -> dict[str, dict[str, Any]]:
    """The objects of these kinds, by name."""
    return {each["metadata"]["name"]: each for each in all_objects if each["kind"] in kinds}
