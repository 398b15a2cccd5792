"""`python -m tools.compose up [--scale NAME=N]...`: docker-compose.yml without Docker, until Ctrl-C."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from tools.compose.file import NotUnderstood, read_project
from tools.compose.images import ROOT
from tools.compose.runner import NotWell, Runner
from tools.compose.script import OutOfSight
from tools.compose.wires import can_make_namespaces


def main() -> int:
    """Run until asked to stop; returns the exit status."""
    words = argparse.ArgumentParser(prog="python -m tools.compose", description=__doc__)
    words.add_argument("command", choices=["up"])
    words.add_argument("--scale", action="append", default=[], metavar="NAME=N")
    said = words.parse_args()
    scale = {name: int(number) for name, _, number in (each.partition("=") for each in said.scale)}
    if not can_make_namespaces():
        print("compose: needs root, iproute2 and util-linux, to make namespaces", file=sys.stderr)
        return 2
    try:
        return _up(scale)
    except (NotUnderstood, NotWell, OutOfSight) as error:
        print(f"compose: {error}", file=sys.stderr)
        return 2


def _up(scale: Mapping[str, int]) -> int:
    project = read_project(ROOT / "docker-compose.yml", {**dot_env(ROOT / ".env"), **os.environ})
    with Runner(project) as runner:
        runner.up(scale)
        for _, room in runner.all_rooms():
            print(f"{room.name:14}{' '.join(room.addresses.values())}  {room.log}")
        for host, port in runner.published.values():
            print(f"published at http://{host}:{port}/; Ctrl-C stops it", flush=True)
        _wait_until_asked_to_stop()
        for name, all_ended in runner.down().items():
            for ended in all_ended:
                print(f"{name:14}{ended.seconds:5.1f} s, status {ended.status}")
    return 0


def _wait_until_asked_to_stop() -> None:
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()


def dot_env(path: Path) -> dict[str, str]:
    """The variables of a .env file, if there is one."""
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


if __name__ == "__main__":
    sys.exit(main())
