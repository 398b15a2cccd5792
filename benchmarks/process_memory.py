"""Memory of each process of a cluster, at rest and in the middle of a crawl: proportional set size, in MB.

    python -m benchmarks.process_memory [--seconds 20] [--workers 2] [--parsers 2]

Starts `penstock up` and `penstock site` (pages of 37 KB, 80 links, no delay), and looks twice: before there is a crawl,
and after so many seconds of one. A stage's processes count together; memory that processes share is counted once, and
divided among them. Linux only.
"""

import argparse
import contextlib
import re
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.system.commands import COMMAND, descendants, environ

#: What a process is called here, by a word of its command line; the first that fits.
NAMES = ("valkey", "scheduler", "record", "worker", "parse", "serve")
REST_SECONDS = 5
SITE = ("--hosts", "20", "--pages", "100000", "--page-kb", "37", "--links", "80")


def main(options: argparse.Namespace) -> None:
    """Look at rest and in a crawl, and print the table."""
    with tempfile.TemporaryDirectory(prefix="ps") as folder, _site() as root, _up(folder, options) as (pid, address):
        time.sleep(REST_SECONDS)
        at_rest = proportional(pid)
        spec = {"seeds": [root], "name": "memory", "scope": "any", "delay": 0, "per_host": 4}
        crawl = httpx.post(f"{address}/crawls", json=spec, timeout=60).raise_for_status().json()["id"]
        time.sleep(options.seconds)
        busy = proportional(pid)
        counts = httpx.get(f"{address}/crawls/{crawl}").json()["counts"]
        httpx.post(f"{address}/crawls/{crawl}/cancel", timeout=60).raise_for_status()
    print(f"after {counts['fetched']} pages\n\n| process | at rest, MB | in a crawl, MB |\n|---|---|---|")
    for name in busy:
        print(f"| {name} | {at_rest[name] / 1e6:.0f} | {busy[name] / 1e6:.0f} |")


def proportional(pid: int) -> Counter[str]:
    """Bytes of each stage's processes below this one."""
    found: Counter[str] = Counter()
    for child, command in descendants(pid):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{child}/smaps_rollup").read_text()
            name = next((name for name in NAMES if name in command), "other")
            found[name] += int(re.findall(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[0]) * 1024
    return found


@contextlib.contextmanager
def _site() -> Iterator[str]:
    with _running("site", "--port", "0", *SITE, stdout=subprocess.PIPE) as process:
        yield process.stdout.readline().strip()


@contextlib.contextmanager
def _up(folder: str, options: argparse.Namespace) -> Iterator[tuple[int, str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {"PENSTOCK_WORKERS": str(options.workers), "PENSTOCK_PARSERS": str(options.parsers)}
    words = ("up", "--data", f"{folder}/data", "--port", str(port), "--allow-private")
    with _running(*words, stderr=subprocess.PIPE, settings=variables) as process:
        line = next(line for line in process.stderr if "serving at" in line)
        found = re.search(r"http://[\d.:]+", line)
        yield process.pid, found[0] if found else ""


@contextlib.contextmanager
def _running(*words: str, settings: dict[str, str] | None = None, **options: Any) -> Iterator[Any]:
    process = subprocess.Popen([*COMMAND, *words], env=environ(**(settings or {})), text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--parsers", type=int, default=2)
    main(parser.parse_args())
