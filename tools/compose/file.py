"""docker-compose.yml → services, networks and volumes as plain data. Knows the words that our file uses, and no others.

Source: the Compose specification. What is not understood raises `NotUnderstood`, so that nothing is left out unseen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

#: Words of a service that say nothing about how it behaves here.
_WITHOUT_EFFECT = {"build", "restart", "logging"}
_UNDERSTOOD = {
    *("image", "command", "environment", "networks", "depends_on", "deploy", "volumes", "ports", "user", "ulimits"),
    *("stop_grace_period", "read_only", "tmpfs", "cap_drop", "security_opt", "healthcheck", "shm_size"),
}
_SUFFIXES = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


class NotUnderstood(Exception):
    """Raised for a file that says what this runner cannot do, or asks for a variable that is not set."""


@dataclass(frozen=True)
class Health:
    """How a service is asked whether it is well; times in seconds."""

    test: tuple[str, ...]
    interval: float
    timeout: float
    retries: int
    start_period: float


@dataclass(frozen=True)
class Mount:
    """A volume or a folder of the host (absolute) at a place in the container."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Port:
    """A port of the container that the host publishes."""

    host: str
    published: int
    target: int


@dataclass(frozen=True)
class Service:
    """One service, with all variables filled in; sizes in bytes, times in seconds."""

    name: str
    image: str
    ours: bool
    command: tuple[str, ...]
    environment: Mapping[str, str]
    networks: tuple[str, ...]
    after: tuple[str, ...]
    health: Health
    replicas: int = 1
    grace_seconds: float = 10.0
    user: str = ""
    read_only: bool = False
    drops_capabilities: bool = False
    no_new_privileges: bool = False
    tmpfs: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    open_files: int = 0
    shm_bytes: int = 64 * 2**20
    memory_bytes: int = 0


@dataclass(frozen=True)
class Project:
    """A whole file; a network is True where it is internal."""

    services: Mapping[str, Service]
    networks: Mapping[str, bool]
    volumes: tuple[str, ...] = field(default=())


def read_project(path: Path, environ: Mapping[str, str]) -> Project:
    """The project of a file, with `${VARIABLES}` from `environ`."""
    whole = filled_in(yaml.safe_load(path.read_text("utf-8")), environ)
    services = {name: _service(name, said, path.parent) for name, said in whole["services"].items()}
    networks = {name: bool((said or {}).get("internal")) for name, said in whole["networks"].items()}
    return Project(services, networks, tuple(whole["volumes"]))


def filled_in(value: Any, environ: Mapping[str, str]) -> Any:
    """The value with `${NAME}`, `${NAME:-default}` and `${NAME:?message}` filled in, and `$$` as `$`."""
    if isinstance(value, dict):
        return {key: filled_in(each, environ) for key, each in value.items() if not str(key).startswith("x-")}
    if isinstance(value, list):
        return [filled_in(each, environ) for each in value]
    return re.sub(_VARIABLE, lambda found: _value(found, environ), value) if isinstance(value, str) else value


_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?])([^}]*))?\})")


def _value(found: re.Match[str], environ: Mapping[str, str]) -> str:
    dollar, name, kind, word = found.groups()
    if dollar:
        return "$"
    if environ.get(name):
        return environ[name]
    if kind == "?":
        raise NotUnderstood(f"required variable {name} is missing a value: {word}")
    return word or ""


def _service(name: str, said: dict[str, Any], folder: Path) -> Service:
    if unknown := set(said) - _UNDERSTOOD - _WITHOUT_EFFECT:
        raise NotUnderstood(f"service {name}: {', '.join(sorted(unknown))}")
    limits = said.get("deploy", {}).get("resources", {}).get("limits", {})
    return Service(
        name=name,
        image=said["image"],
        ours="build" in said,
        command=tuple(said["command"]),
        environment={key: str(value) for key, value in said["environment"].items()},
        networks=tuple(said["networks"]),
        after=tuple(said.get("depends_on", ())),
        health=_health(said["healthcheck"]),
        replicas=said.get("deploy", {}).get("replicas", 1),
        grace_seconds=seconds(said["stop_grace_period"]),
        user=str(said.get("user", "")),
        read_only=said.get("read_only", False),
        drops_capabilities=said.get("cap_drop") == ["ALL"],
        no_new_privileges="no-new-privileges:true" in said.get("security_opt", ()),
        tmpfs=tuple(said.get("tmpfs", ())),
        mounts=tuple(_mount(text, folder) for text in said.get("volumes", ())),
        ports=tuple(_port(text) for text in said.get("ports", ())),
        open_files=said.get("ulimits", {}).get("nofile", 0),
        shm_bytes=size(said.get("shm_size", "64m")),
        memory_bytes=size(limits.get("memory", "0")),
    )


def _health(said: dict[str, Any]) -> Health:
    kind, *words = said["test"]
    test = ("sh", "-c", *words) if kind == "CMD-SHELL" else tuple(words)
    times = {name: seconds(said[name]) for name in ("interval", "timeout", "start_period")}
    return Health(test, retries=said["retries"], **times)


def _mount(text: str, folder: Path) -> Mount:
    source, target, *options = text.split(":")
    if source.startswith((".", "/", "~")):
        source = str((folder / Path(source).expanduser()).resolve())
    return Mount(source, target, read_only="ro" in options)


def _port(text: str) -> Port:
    host, published, target = text.rsplit(":", 2)
    return Port(host, int(published), int(target))


def seconds(text: str) -> float:
    """A duration as `1m30s`, in seconds."""
    parts = re.findall(r"(\d+)(ms|h|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise NotUnderstood(f"not a duration: {text!r}")
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1, "ms": 0.001}[unit] for number, unit in parts)


def size(text: str) -> int:
    """A size as `512M` or `1gb`, in bytes."""
    found = re.fullmatch(r"(\d+)([bkmg]?)b?", str(text).lower())
    if not found:
        raise NotUnderstood(f"not a size: {text!r}")
    return int(found[1]) * _SUFFIXES[found[2] or "b"]
