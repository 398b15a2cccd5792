"""docker-compose.yml at work: the file's own commands, environment and health checks, a container in each namespace.

The tests share one cluster, and stand in the order in which they have it: the last one ends it.
"""

import sys
from urllib.error import HTTPError

import pytest

from contract.keys import Keys
from contract.topology import FETCH, PARSE, Stage
from penstock.site import Web, expected, judge
from tests.deploy.client import Client
from tests.deploy.conftest import SITE
from tests.deploy.files import SECRETS
from tools.compose.rooms import listening
from tools.compose.runner import Runner
from tools.compose.wires import inside

pytestmark = [pytest.mark.soak, pytest.mark.timeout(180)]

WEB = Web(SITE, port=SITE.port)
TRUTH = {
    url: "excluded" if not page.allowed else "fetched" if page.status < 400 else "failed"
    for url, page in expected(WEB).items()
}
Cluster = tuple[Runner, Client]


def test_a_crawl_begun_through_the_api_finds_exactly_what_the_site_has_each_page_once(cluster: Cluster) -> None:
    _, client = cluster
    crawl = client.crawl(WEB.root_url, name="exact", delay=0, per_host=4)["id"]

    done = client.finished(crawl, seconds=60)

    assert done["state"] == "finished"
    assert client.outcomes(crawl) == TRUTH
    assert done["counts"]["fetched"] == done["counts"]["parsed"] == list(TRUTH.values()).count("fetched")
    assert all(report.refetched == {} for report in judge(client.seen("exact")).values())


def test_the_api_wants_its_token(cluster: Cluster) -> None:
    _, client = cluster

    with pytest.raises(HTTPError, match="401"):
        client.ask("/crawls", token="another")


def test_a_worker_that_is_stopped_in_mid_crawl_loses_nothing_and_politeness_stays_as_it_was(cluster: Cluster) -> None:
    runner, client = cluster
    crawl = client.crawl(WEB.root_url, name="polite", delay=0.2, per_host=1)["id"]
    client.until(lambda: len(client.seen("polite")) > 100, seconds=30)

    ended = runner.stop("worker")

    assert (ended.killed, ended.status) == (False, 0)
    client.finished(crawl, seconds=60)
    assert client.outcomes(crawl) == TRUTH
    for host, report in judge(client.seen("polite")).items():
        assert report.most_in_flight == 1, host
        assert report.smallest_gap_seconds is None or report.smallest_gap_seconds >= 0.2, host
        assert report.refetched == {}, host


def test_a_worker_and_a_scheduler_that_are_killed_in_mid_crawl_lose_nothing(cluster: Cluster) -> None:
    runner, client = cluster
    crawl = client.crawl(WEB.root_url, name="killed", delay=0.2, per_host=1)["id"]
    client.until(lambda: len(client.seen("killed")) > 100, seconds=30)

    for name in ("worker", "scheduler"):
        runner.rooms[name].pop(0).kill()

    client.finished(crawl, seconds=90)
    assert client.outcomes(crawl) == TRUTH
    assert {report.most_in_flight for report in judge(client.seen("killed")).values()} == {1}


def test_a_container_that_is_added_takes_part(cluster: Cluster) -> None:
    runner, client = cluster
    runner.scale("worker", 3)
    runner.scale("parse", 2)
    runner.wait_until_well(("worker", "parse"))
    crawl = client.crawl(WEB.root_url, name="more", delay=0, per_host=4)["id"]

    client.finished(crawl, seconds=60)

    assert client.outcomes(crawl) == TRUTH
    for stage, room in ((FETCH, runner.rooms["worker"][-1]), (PARSE, runner.rooms["parse"][-1])):
        assert f"{room.name}-" in consumers(runner, stage), "a consumer is named by its container"


def consumers(runner: Runner, stage: Stage) -> str:
    """The consumers of a stage, as Redis has them."""
    words = Keys().stream(stage.takes[0]), stage.name
    code = f"print(redis.Redis(password={SECRETS['REDIS_PASSWORD']!r}).xinfo_consumers{words!r})"
    return inside(runner.rooms["redis"][0].pid, [sys.executable, "-c", f"import redis; {code}"])


def test_nothing_listens_where_it_should_not(cluster: Cluster) -> None:
    runner, _ = cluster
    health = ("127.0.0.1", 9100)
    others = {
        "redis": {("0.0.0.0", 6379), ("::", 6379)},
        "postgres": {("0.0.0.0", 5432), ("::", 5432)},
        "api": {("0.0.0.0", 8000)},
    }

    for name, room in runner.all_rooms():
        assert room.listens() - {health} == others.get(name, set()), room
    assert {name for name, place in runner.published.items() if place in listening()} == {8000}
    assert runner.published[8000][0] == "127.0.0.1"


def test_every_container_is_well_by_the_files_own_check_and_within_its_memory(cluster: Cluster) -> None:
    runner, _ = cluster
    for name, room in runner.all_rooms():
        service = runner.project.services[name]
        assert runner.is_well(service, room), room
        assert room.memory_bytes() < service.memory_bytes / 2, room


def test_all_end_by_themselves_within_their_grace(cluster: Cluster) -> None:
    runner, _ = cluster

    for name, containers in runner.down().items():
        assert containers, name
        for ended in containers:
            assert (ended.killed, ended.status) == (False, 0), (name, ended)
