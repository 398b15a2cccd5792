"""What watching costs a crawl: the same crawl of the simulated web with and without watchers, by turns.

    python -m benchmarks.watchers [--seconds 8] [--watchers 200] [--rounds 3] [--detail] [--delay 0.05]

Starts `penstock up` and `penstock site`, creates each crawl over HTTP, and has one other process read its event stream
on so many connections. Prints pages a second, CPU ms a page of each process, messages a second to each watcher, and
the share of a core that the server takes; all over the middle of a crawl, which is then cancelled.
Budget: the ratio of pages a second is 1 within what one round differs from the next.

`--delay 0` lets the crawl take all there is; a small delay lets it run at a pace, so that CPU a page tells more.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.system.commands import COMMAND, descendants, environ

_TICKS = os.sysconf("SC_CLK_TCK")
#: What a process is called here, by a word of its command line; the first that fits.
_NAMES = ("valkey", "scheduler", "record", "worker", "parse", "serve")


def main(options: argparse.Namespace) -> None:
    """Crawl by turns without and with watchers, and print each round and the medians."""
    with tempfile.TemporaryDirectory(prefix="ps") as folder, _site() as root, _up(folder) as (pid, address):
        rounds: dict[int, list[dict[str, float]]] = {0: [], options.watchers: []}
        for _ in range(options.rounds):
            for watchers, found in rounds.items():
                found.append(_round(options, root, pid, address, watchers=watchers))
                print(f"{watchers:4} watchers: {_words(found[-1])}", flush=True)
    without, beside = (_medians(found) for found in rounds.values())
    print(f"median without: {_words(without)}\nmedian with:    {_words(beside)}")
    print(f"pages a second with ÷ without: {beside['pages/s'] / without['pages/s']:.3f}")


def _round(options: argparse.Namespace, root: str, pid: int, address: str, *, watchers: int) -> dict[str, float]:
    spec = {"seeds": [root], "name": f"w{time.time()}", "scope": "any", "delay": options.delay, "per_host": 4}
    crawl = httpx.post(f"{address}/crawls", json=spec, timeout=60).raise_for_status().json()["id"]
    path = f"/crawls/{crawl}/progress" + ("?detail=1" if options.detail else "")
    counted = multiprocessing.Value("L", 0)
    process = multiprocessing.Process(target=_watch, args=(address, path, watchers, counted))
    process.start()
    time.sleep(options.seconds / 2)  # until all are there, and the crawl is at its pace
    before = _Numbers.of(address, crawl, pid, counted.value)
    time.sleep(options.seconds)
    spent = _Numbers.of(address, crawl, pid, counted.value).since(before, watchers)
    httpx.post(f"{address}/crawls/{crawl}/cancel", timeout=60).raise_for_status()
    process.join()
    return spent


class _Numbers(NamedTuple):
    at: float
    pages: int
    messages: int
    cpu: Counter[str]

    @classmethod
    def of(cls, address: str, crawl: str, pid: int, messages: int) -> "_Numbers":
        pages = httpx.get(f"{address}/crawls/{crawl}").json()["counts"]["fetched"]
        return cls(time.perf_counter(), pages, messages, _cpu(pid))

    def since(self, before: "_Numbers", watchers: int) -> dict[str, float]:
        seconds, pages = self.at - before.at, self.pages - before.pages
        spent = {name: 1000 * (self.cpu[name] - before.cpu[name]) / pages for name in sorted(self.cpu)}
        told = {"messages/s": (self.messages - before.messages) / watchers / seconds} if watchers else {}
        share = (self.cpu["serve"] - before.cpu["serve"]) / seconds
        return {"pages/s": pages / seconds, "share of serve": share, **spent, **told}


def _watch(address: str, path: str, watchers: int, counted: Any) -> None:
    """Read so many streams to their ends, counting messages."""

    async def read_all() -> None:
        await asyncio.gather(*(_read(address, path, counted) for _ in range(watchers)))

    asyncio.run(read_all())


async def _read(address: str, path: str, counted: Any) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    while data := await reader.read(1 << 16):
        counted.value += data.count(b"event: progress")
    writer.close()


def _cpu(pid: int) -> Counter[str]:
    """CPU seconds of each process below this one, by its name."""
    found: Counter[str] = Counter()
    for child, command in descendants(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            name = next((name for name in _NAMES if name in command), "other")
            found[name] += (int(fields[11]) + int(fields[12])) / _TICKS
    return found


@contextlib.contextmanager
def _site() -> Iterator[str]:
    words = ["site", "--port", "0", "--hosts", "20", "--pages", "20000", "--page-kb", "4"]
    with _running(words, stdout=subprocess.PIPE) as process:
        yield process.stdout.readline().strip()


@contextlib.contextmanager
def _up(folder: str) -> Iterator[tuple[int, str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["up", "--data", f"{folder}/data", "--port", str(port), "--allow-private"]
    with _running(words, stderr=subprocess.PIPE) as process:
        line = next(line for line in process.stderr if "serving at" in line)
        found = re.search(r"http://[\d.:]+", line)
        yield process.pid, found[0] if found else ""


@contextlib.contextmanager
def _running(words: list[str], **options: Any) -> Iterator[Any]:
    process = subprocess.Popen([*COMMAND, *words], env=environ(), text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def _words(numbers: dict[str, float]) -> str:
    return ", ".join(f"{name} {number:.4g}" for name, number in numbers.items())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--watchers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--detail", action="store_true")
    main(parser.parse_args(sys.argv[1:]))
