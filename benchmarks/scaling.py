"""Pages a second with 1, 2 and 4 worker containers: docker-compose.yml at work on a web that takes 200 ms to answer.

    sudo .venv/bin/python -m benchmarks.scaling [--workers 1 2 4] [--seconds 10] [--latency 200] [--slots 16]

Runs the file by `tools.compose` twice: with so few request slots in each worker (`--slots`, one process) that these are
what is full, and with the file's own. For each number of workers one crawl is begun over the API, without delays, and
looked at in its middle. Pages of 37 KB with 80 links on 100 hosts, ready before the first request.

Prints a table for each: pages/s and requests in flight as the site's log has them; pages parsed and recorded a second
by the API's counts (fewer: a backlog grows, and pages/s will come down to it); the slots of the workers and how
many of them held a job (XPENDING, by the API's metrics); the most requests that any host saw at once (the crawl allows
8); CPU ms a page of each service; how much of the machine's CPU was taken, by the site, and by others (the kernel's own
work for the network included); and the resource that is full, by the rule of `_full`.

On one machine: workers, stages, Redis, PostgreSQL and the site share its cores, so CPU is full early.
"""

import argparse
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from penstock.site import RequestRecord, SiteOptions, Web, judge, read_log
from tests.deploy.files import SECRETS, compose
from tools.compose.rooms import Room
from tools.compose.runner import Runner
from tools.compose.wires import can_make_namespaces

_TICKS, _CORES = os.sysconf("SC_CLK_TCK"), os.cpu_count() or 1
#: What the site keeps ready stays below the 400 MB that it keeps at all.
_HOSTS, _PAGES, _PAGE_KB, _LINKS, _PORT = 100, 10_000, 37, 80, 8900
#: Requests at a host at once. With the hosts: more than all workers' slots, so that politeness is never what is full.
_PER_HOST = 8
#: A crawl is at its pace after this; the first one, which asks for every robots.txt, after longer.
_WARM_SECONDS, _FIRST_SECONDS = 5.0, 8.0
_SAMPLE_SECONDS = 1.0
#: Slots are full if so many wait for the site: the rest is taking a job and handing over what came of it.
_FULL_SLOTS = 0.85
#: CPU that is idle no longer. Stages that have time handle each page alone, so a busy CPU is not yet a full one: it is
#: if slots wait for it instead of for the site.
_FULL_CPU = 0.93
#: With more than this share of the CPU taken by others, a round says nothing.
_MOST_OTHERS = 0.15


def main(options: argparse.Namespace) -> int:
    """Both sweeps; returns the exit status."""
    if not can_make_namespaces():
        print("scaling: needs Linux, root, iproute2 and util-linux, to make namespaces", file=sys.stderr)
        return 2
    few = {"PENSTOCK_WORKERS": "1", "PENSTOCK_CONCURRENCY": str(options.slots)}
    for title, variables in ((f"1 process × {options.slots} slots a worker", few), ("as the file has it", {})):
        print(f"\n{title}; {options.latency:g} ms of latency, {_CORES} cores\n\n{_heading()}", flush=True)
        with _cluster(options, **variables) as cluster:
            _measured(cluster, workers=options.workers[-1], warm=_FIRST_SECONDS, seconds=1.0)
            first = None
            for workers in options.workers:
                found = _measured(cluster, workers=workers, warm=_WARM_SECONDS, seconds=options.seconds)
                first = first or found
                print(_row(workers, found, first), flush=True)
    return 0


class _Cluster(NamedTuple):
    """The project that runs, a client of its API, and the site beside it."""

    runner: Runner
    api: httpx.Client
    site: Room

    @property
    def slots(self) -> int:
        """Requests that all its workers together can have in flight."""
        said = self.runner.project.services["worker"].environment
        return len(self.runner.rooms["worker"]) * int(said["PENSTOCK_WORKERS"]) * int(said["PENSTOCK_CONCURRENCY"])

    def processes(self) -> Iterator[tuple[str, int]]:
        """Every process with the name of its service."""
        for name, room in [*self.runner.all_rooms(), ("site", self.site)]:
            yield from ((name, pid) for pid in room.pids())

    def log(self) -> list[RequestRecord]:
        """What the site has seen."""
        return read_log(self.runner.folder / "site.jsonl")


@contextmanager
def _cluster(options: argparse.Namespace, **variables: str) -> Iterator[_Cluster]:
    project = compose(PENSTOCK_ALLOW_PRIVATE="true", **variables)
    headers = {"Authorization": f"Bearer {SECRETS['PENSTOCK_API_TOKEN']}"}
    with Runner(project, publish={8000: 0}) as runner:
        web = f"--hosts {_HOSTS} --pages {_PAGES} --page-kb {_PAGE_KB} --links {_LINKS} --prebuild"
        words = f"{web} --port {_PORT} --latency {options.latency} --log {runner.folder / 'site.jsonl'}"
        site = runner.stranger("site", f"{sys.executable} -m penstock site {words}")
        runner.up({"worker": 1})
        while "hosts" not in site.words():
            time.sleep(_SAMPLE_SECONDS)
        host, port = runner.published[8000]
        with httpx.Client(base_url=f"http://{host}:{port}", headers=headers, timeout=60) as api:
            yield _Cluster(runner, api, site)


class _Found(NamedTuple):
    """What the middle of one crawl was like; shares are of one core."""

    pages_a_second: float
    in_flight: float
    most_at_a_host: int
    held: float
    slots: int
    backlog: float
    cpu_ms_a_page: dict[str, float]
    busiest: tuple[str, float]
    machine: float
    site: float
    others: float
    parsed_a_second: float = 0.0


def _measured(cluster: _Cluster, *, workers: int, warm: float, seconds: float) -> _Found:
    runner, api, _ = cluster
    runner.scale("worker", workers)
    runner.wait_until_well(["worker"])
    name = f"scaling{time.monotonic_ns()}"
    root = Web(SiteOptions(hosts=_HOSTS, pages=_PAGES), port=_PORT).root_url
    spec = {"seeds": [root], "scope": "any", "delay": 0, "per_host": _PER_HOST, "name": name, "user_agent": name}
    crawl = api.post("/crawls", json=spec).raise_for_status().json()["id"]
    time.sleep(warm)
    before, parsed_before = _Spent.of(cluster), _parsed(api, crawl)
    samples = _samples(api, seconds)
    after, parsed_after = _Spent.of(cluster), _parsed(api, crawl)
    api.post(f"/crawls/{crawl}/cancel").raise_for_status()
    time.sleep(_SAMPLE_SECONDS)  # what is in flight ends, and the site's log is whole
    records = [record for record in cluster.log() if name in record.user_agent]
    found = _found(records, samples, before, after, slots=cluster.slots)
    return found._replace(parsed_a_second=(parsed_after - parsed_before) * 1e9 / (after.at_ns - before.at_ns))


def _parsed(api: httpx.Client, crawl: str) -> int:
    return int(api.get(f"/crawls/{crawl}").json()["counts"]["parsed"])


class _Sample(NamedTuple):
    """The fetchers as Redis has them: jobs that they hold, and jobs that nobody has taken yet."""

    held: float
    backlog: float


def _samples(api: httpx.Client, seconds: float) -> list[_Sample]:
    """One a second, over so many seconds."""
    found, until = [], time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        lines = dict(line.rsplit(" ", 1) for line in api.get("/metrics").text.splitlines() if line[:1] != "#")
        held, backlog = (float(lines[f'penstock_stage_{what}{{stage="scraper.fetch"}}']) for what in _SAMPLED)
        found.append(_Sample(held, backlog))
        time.sleep(min(_SAMPLE_SECONDS, left))
    return found


_SAMPLED = ("pending", "backlog")


class _Spent(NamedTuple):
    """CPU seconds since each process began, and of the whole machine, at a time."""

    at_ns: int
    processes: Counter[tuple[str, int]]
    busy: float

    @classmethod
    def of(cls, cluster: _Cluster) -> "_Spent":
        processes = Counter({(name, pid): _cpu_seconds(pid) for name, pid in cluster.processes()})
        user, nice, system, _, _, irq, softirq, steal, *_ = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
        busy = sum(map(int, (user, nice, system, irq, softirq, steal))) / _TICKS
        return cls(time.monotonic_ns(), processes, busy)


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _found(
    records: list[RequestRecord], samples: list[_Sample], before: _Spent, after: _Spent, *, slots: int
) -> _Found:
    begin, end = before.at_ns, after.at_ns
    seconds = (end - begin) / 1e9
    pages = sum(begin <= record.end_ns < end and record.path != "/robots.txt" for record in records)
    open_ns = sum(max(0, min(record.end_ns, end) - max(record.start_ns, begin)) for record in records)
    spent = after.processes - before.processes
    services = Counter[str]()
    for (name, _), used in spent.items():
        services[name] += used
    (busiest, _), most = spent.most_common(1)[0]
    return _Found(
        pages_a_second=pages / seconds,
        in_flight=open_ns / (end - begin),
        most_at_a_host=max(report.most_in_flight for report in judge(records).values()),
        held=statistics.mean(sample.held for sample in samples),
        slots=slots,
        backlog=statistics.mean(sample.backlog for sample in samples),
        cpu_ms_a_page={name: 1000 * used / max(1, pages) for name, used in services.items()},
        busiest=(busiest, most / seconds),
        machine=(after.busy - before.busy) / seconds,
        site=services["site"] / seconds,
        others=(after.busy - before.busy - spent.total()) / seconds,
    )


def _full(found: _Found) -> str:
    """The resource that is full: the first of these that is, from what would void the measurement down."""
    name, share = found.busiest
    if found.site > _FULL_CPU:
        return f"the site itself: {found.site:.0%} of a core"
    if found.in_flight > _FULL_SLOTS * found.slots:
        return f"slots: {found.in_flight:.0f} of {found.slots} wait for the site"
    if found.others > _MOST_OTHERS * _CORES:
        return "spoiled by other work on this machine"
    if found.machine > _FULL_CPU * _CORES:
        return f"CPU: {found.machine / _CORES:.0%} of {_CORES} cores"
    if share > _FULL_CPU:
        return f"one process of {name}: {share:.0%} of a core"
    return "none" if found.backlog else "none: no job waits (politeness, or back-pressure)"


_SERVICES = ("worker", "parse", "record", "scheduler", "redis", "postgres", "api")
_COLUMNS = ("workers", "pages/s", "×", "parsed/s", "in flight", "held of slots", "at a host", *_SERVICES)


def _heading() -> str:
    words = [*_COLUMNS, "all, ms a page", "CPU", "the site", "others", "full"]
    return f"| {' | '.join(words)} |\n|{'---|' * len(words)}"


def _row(workers: int, found: _Found, first: _Found) -> str:
    each = found.cpu_ms_a_page
    words = [
        *(str(workers), f"{found.pages_a_second:.0f}", f"{found.pages_a_second / first.pages_a_second:.2f}"),
        f"{found.parsed_a_second:.0f}",
        *(f"{found.in_flight:.1f}", f"{found.held:.0f} of {found.slots}", str(found.most_at_a_host)),
        *(f"{each.get(name, 0.0):.2f}" for name in _SERVICES),
        f"{sum(each.values()) - each.get('site', 0.0):.2f}",
        *(f"{share / _CORES:.0%}" for share in (found.machine, found.site, found.others)),
        _full(found),
    ]
    return f"| {' | '.join(words)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--latency", type=float, default=200.0)
    parser.add_argument("--slots", type=int, default=16)
    sys.exit(main(parser.parse_args()))
