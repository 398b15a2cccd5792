"""A crawl's state is what its last event says: the one of the highest version, whatever order and clocks there were."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.crawls import CrawlCancelled, CrawlFinished, CrawlPaused, CrawlResumed, SeedsAdded
from storage.read_models import queries
from storage.rebuild import rebuild
from storage.sql import tables
from tests.builders import CRAWL, crawl_started, life
from tests.storage.helpers import contents, cut, empty, only_row, write

EARLY, LATE = "2026-11-23T11:00:00.000Z", "2026-11-23T13:00:00.000Z"
LIFE = [
    (SeedsAdded, {"seeds": ("http://site.test/2",)}),
    (CrawlPaused, {}),
    (CrawlResumed, {}),
    (CrawlPaused, {}),
    (SeedsAdded, {"seeds": ("http://site.test/3",)}),
    (CrawlResumed, {}),
]
ENDS = {
    "finished": [(CrawlFinished, {"fetched": 3, "failed": 1, "excluded": 2})],
    "cancelled": [(CrawlPaused, {}), (CrawlCancelled, {})],
    "paused": [(CrawlPaused, {}), (SeedsAdded, {"seeds": ("http://site.test/4",)})],
    "running": [],
}


@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("state", ENDS)
def test_the_highest_version_says_the_state_in_any_order_and_by_any_clock(engine, tmp_path, state, data):
    times = st.sampled_from([EARLY, LATE, "2026-11-23T12:00:00.000Z"])
    events = [
        life(kind, version, time=data.draw(times), **facts)
        for version, (kind, facts) in enumerate([*LIFE, *ENDS[state]], 2)
    ]
    arriving = data.draw(st.permutations([crawl_started(), *events]))
    empty(engine)

    for messages in cut(arriving, data.draw(st.lists(st.integers(1, 4), max_size=6))):
        write(engine, tmp_path, *messages)

    row, before = only_row(engine, tables.crawls), contents(engine)
    assert row["state"] == state
    finals = (3, 1, 2) if state == "finished" else (None, None, None)
    assert (row["final_fetched"], row["final_failed"], row["final_excluded"]) == finals
    rebuild(engine)
    assert contents(engine) == before


@pytest.mark.parametrize("order", [1, -1])
def test_a_clock_that_lies_does_not_bring_back_a_state_that_is_over(engine, tmp_path, order):
    events = [life(CrawlPaused, 2, time=LATE), life(CrawlResumed, 3, time=EARLY)]

    for message in [crawl_started(), *events[::order]]:
        write(engine, tmp_path, message)

    assert [row.state for row in queries.crawls(engine)] == ["running"]
    assert only_row(engine, tables.crawls)["version"] == 3


@pytest.mark.parametrize("order", [1, -1])
def test_an_event_from_before_there_were_versions_comes_before_those_that_have_one(engine, tmp_path, order):
    events = [life(CrawlPaused, 0, time=LATE), life(CrawlResumed, 1, time=EARLY)]

    for message in [crawl_started(), *events[::order]]:
        write(engine, tmp_path, message)

    assert [row.state for row in queries.crawls(engine)] == ["running"]


def test_the_end_of_a_crawl_is_the_time_of_the_event_that_ended_it(engine, tmp_path):
    ended = life(CrawlFinished, 3, time=EARLY, fetched=1, failed=0, excluded=0)
    write(engine, tmp_path, ended, life(CrawlPaused, 2, time=LATE), crawl_started())

    [crawl] = queries.crawls(engine)
    assert (crawl.id, crawl.state, crawl.finished_at) == (CRAWL, "finished", EARLY)
