"""Workers and schedulers that come and go in mid-crawl, as the site sees it: which container asked, for what, and when.

The tests share one cluster whose workers have 16 slots each; the last test ends the site.
"""

import itertools
import json
import re
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from contract.bus.consumer import RECLAIM_SECONDS
from penstock.site import RequestRecord, SiteOptions, Web, expected, judge
from scraper.fetch import DRAIN_SECONDS
from tests.deploy.client import Client
from tests.deploy.conftest import running_cluster
from tools.compose.rooms import Room
from tools.compose.runner import Runner

pytestmark = [pytest.mark.soak, pytest.mark.timeout(240)]

SITE = SiteOptions(hosts=20, pages=1200, port=8900, latency_ms=200)
WEB = Web(SITE, port=SITE.port)
TRUTH = {
    url: "excluded" if not page.allowed else "fetched" if page.status < 400 else "failed"
    for url, page in expected(WEB).items()
}
SLOTS = 16
#: As fast as there are slots for, by 160 requests at a time.
HASTY = {"delay": 0, "per_host": 8}
#: A process that has to wait for the CPU sends, or reads, a request late, and the next one seems to come early. That is
#: rare; of workers that did not know of one another most requests would be too early.
TOLERANCE_SECONDS, RARELY = 0.02, 0.05
#: A worker that has joined, and work that was left behind, are seen by the site within this.
TAKEN_UP_SECONDS = 2.0
Cluster = tuple[Runner, Client]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """All of the file, with one small worker."""
    small = {"PENSTOCK_WORKERS": "1", "PENSTOCK_CONCURRENCY": str(SLOTS)}
    with running_cluster(SITE, workers=1, **small) as both:
        yield both


def test_a_worker_that_is_added_in_mid_crawl_asks_for_its_first_page_within_two_seconds(cluster: Cluster) -> None:
    runner, client = cluster
    crawl = begun(client, "added", **HASTY)
    started_ns = time.monotonic_ns()

    scaled(runner, workers=2)

    well_ns, added = time.monotonic_ns(), runner.rooms["worker"][-1]
    client.until(lambda: bool(asked_by(added, client, "added")), seconds=20)
    first_ns = asked_by(added, client, "added")[0].start_ns
    times = {"well": well_ns, "takes tickets": ready_ns(added), "first page": first_ns}
    print(*(f"{name}: {(at_ns - started_ns) / 1e9:.2f} s after its start" for name, at_ns in times.items()), sep="\n")
    assert (first_ns - well_ns) / 1e9 < TAKEN_UP_SECONDS
    all_was_got_once(client, crawl, "added")


def test_a_worker_that_is_stopped_in_mid_crawl_leaves_no_gap(cluster: Cluster) -> None:
    runner, client = cluster
    scaled(runner, workers=2)
    leaving = runner.rooms["worker"][0]
    crawl = begun(client, "stopped", **HASTY)
    client.until(lambda: len(asked_by(leaving, client, "stopped")) > SLOTS, seconds=20)
    began_ns = time.monotonic_ns()

    ended = runner.stop("worker", 0)

    assert (ended.killed, ended.status) == (False, 0)
    all_was_got_once(client, crawl, "stopped")
    last_ns = asked_by(leaving, client, "stopped")[-1].start_ns
    assert (last_ns - began_ns) / 1e9 < 1.0, "it goes on to take jobs"
    assert longest_pause_seconds(client.seen("stopped")) < TAKEN_UP_SECONDS


def test_of_two_schedulers_one_is_killed_in_mid_crawl_and_nothing_waits(cluster: Cluster) -> None:
    runner, client = cluster
    scaled(runner, workers=2)
    crawl = begun(client, "scheduled", **HASTY)

    runner.rooms["scheduler"].pop(0).kill()

    all_was_got_once(client, crawl, "scheduled")
    # What it had taken and not finished waits for a lease; that is a few hosts' turn, and the others go on.
    assert longest_pause_seconds(client.seen("scheduled")[: len(TRUTH) * 9 // 10]) < TAKEN_UP_SECONDS
    runner.scale("scheduler", 2)
    runner.wait_until_well(["scheduler"])


def test_politeness_is_the_same_with_one_worker_and_with_four(cluster: Cluster) -> None:
    runner, client = cluster
    delay_seconds, per_host = 0.15, 2  # a page takes longer, so that two are under way
    for workers in (1, 4):
        scaled(runner, workers=workers)
        name = f"polite{workers}"
        crawl = client.crawl(WEB.root_url, name=name, delay=delay_seconds, per_host=per_host, max_pages=500)["id"]
        client.finished(crawl, seconds=90)

        assert len({record.client for record in client.seen(name)}) == workers
        most = max(each.most_in_flight for each in judge(client.seen(name)).values())
        gaps = gaps_seconds(client.seen(name))
        print(f"{workers} workers: {most} at once, {min(gaps):.3f} s apart at least")
        assert most == per_host
        assert sum(gap < delay_seconds - TOLERANCE_SECONDS for gap in gaps) <= RARELY * len(gaps)


def test_what_a_stopped_worker_gives_back_is_asked_for_by_another_at_once(cluster: Cluster) -> None:
    runner, client = cluster
    scaled(runner, workers=1)
    crawl = silent(client, "silent")
    client.until(lambda: client.metric('penstock_stage_pending{stage="scraper.fetch"}') == SLOTS, seconds=20)
    scaled(runner, workers=2)
    leaving, staying = runner.rooms["worker"]

    ended = runner.stop("worker", 0)

    assert not ended.killed
    assert DRAIN_SECONDS < ended.seconds < runner.project.services["worker"].grace_seconds
    time.sleep(RECLAIM_SECONDS + 1)
    client.ask(f"/crawls/{crawl}/cancel", {})
    runner.strangers["site"].stop(grace_seconds=10)  # now it logs what it has not answered
    for url, (first, second) in by_url(client.seen("silent")).items():
        assert (first.client, second.client) == (address(leaving), address(staying)), url
        assert (second.start_ns - first.end_ns) / 1e9 < RECLAIM_SECONDS + 1, url


def scaled(runner: Runner, *, workers: int) -> None:
    """Have so many workers, all of them well."""
    runner.scale("worker", workers)
    runner.wait_until_well(["worker"])


def silent(client: Client, name: str) -> str:
    """Begin a crawl of as many pages that are never answered as a worker has slots for."""
    seeds = [f"http://{host}/hostile/silence" for host in WEB.hosts[:SLOTS]]
    spec = {"seeds": seeds, "name": name, "user_agent": name, "delay": 0, "ignore_robots": True}
    return client.ask("/crawls", spec)["id"]


def by_url(records: list[RequestRecord]) -> dict[str, list[RequestRecord]]:
    """The requests for each URL, in the order of their times; there are as many URLs as slots."""
    found: dict[str, list[RequestRecord]] = {}
    for record in sorted(records, key=lambda record: record.start_ns):
        found.setdefault(record.host + record.path, []).append(record)
    assert len(found) == SLOTS
    return found


def begun(client: Client, name: str, **options: object) -> str:
    """Begin a crawl of the whole site, and wait until it is under way."""
    crawl: str = client.crawl(WEB.root_url, name=name, **options)["id"]
    client.until(lambda: len(client.seen(name)) > 100, seconds=30)
    return crawl


def all_was_got_once(client: Client, crawl: str, name: str) -> None:
    """Wait for the end of a crawl, and hold it against the truth."""
    client.finished(crawl, seconds=120)
    assert client.outcomes(crawl) == TRUTH
    assert all(report.refetched == {} for report in judge(client.seen(name)).values())


def address(room: Room) -> str:
    """Where the site sees a container."""
    return room.addresses["outside"]


def asked_by(room: Room, client: Client, name: str) -> list[RequestRecord]:
    """The requests of one container for a crawl, by time."""
    found = [record for record in client.seen(name) if record.client == address(room)]
    return sorted(found, key=lambda record: record.start_ns)


def gaps_seconds(records: list[RequestRecord]) -> list[float]:
    """The times between two starts at each host."""
    starts: dict[str, list[int]] = {}
    for record in records:
        starts.setdefault(record.host, []).append(record.start_ns)
    return [(b - a) / 1e9 for each in starts.values() for a, b in itertools.pairwise(sorted(each))]


def longest_pause_seconds(records: list[RequestRecord]) -> float:
    """The longest time in which nobody asked for anything."""
    starts = sorted(record.start_ns for record in records)
    return max(after - before for before, after in itertools.pairwise(starts)) / 1e9


def ready_ns(room: Room) -> int:
    """When a worker said that it takes tickets, by the monotonic clock."""
    [line] = [line for line in room.words().splitlines() if re.search(r"@\S+ ready\.", line)]
    said = datetime.fromisoformat(json.loads(line)["time"]).timestamp()
    return time.monotonic_ns() - int((time.time() - said) * 1e9)
