"""Requests over time: counted by when they started, in any order; as few points as a chart can show."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.read_models.timeline import MOST_POINTS, timeline
from storage.rebuild import rebuild
from storage.sql import tables
from storage.sql.database import writing
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import contents, cut, empty, write

AT = 1_795_000_000
EVENTS = [
    builders.page_fetched(URL + "/1", started_at=AT * 1000, elapsed_ms=10),
    builders.page_fetched(URL + "/2", started_at=AT * 1000 + 4_999, elapsed_ms=20),
    builders.page_failed(URL + "/3", started_at=AT * 1000 + 4_000),
    builders.page_fetched(URL + "/3", attempt=2, started_at=AT * 1000 + 5_000, elapsed_ms=40),
    builders.page_fetched(URL + "/1", crawl="other", started_at=AT * 1000, elapsed_ms=99),
    builders.page_failed(URL + "/buried", started_at=0, asked=False),
    builders.page_excluded(URL + "/4"),
    builders.page_parsed(URL + "/1"),
]


def test_requests_are_counted_by_the_time_at_which_they_started(engine, tmp_path):
    write(engine, tmp_path, *EVENTS)

    found = timeline(engine, CRAWL)

    assert found.bucket_seconds == 5
    assert found.points == [(AT, 2, 1, 15), (AT + 5, 1, 0, 40)]


@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_any_batches_come_to_the_same_and_so_does_a_rebuild(engine, tmp_path, data):
    empty(engine)
    write(engine, tmp_path, *EVENTS)
    before = contents(engine, [tables.timeline])
    empty(engine)

    for batch in cut(data.draw(st.permutations(EVENTS)), data.draw(st.lists(st.integers(1, 3), max_size=5))):
        write(engine, tmp_path, *batch)
        write(engine, tmp_path, *batch)

    assert contents(engine, [tables.timeline]) == before
    rebuild(engine, "timeline")
    assert contents(engine, [tables.timeline]) == before


@pytest.mark.parametrize("seconds", [0, 5, 2_995, 3_000, 86_400, 40_000_000])
def test_there_are_never_more_points_than_a_chart_can_show(engine, seconds):
    with writing(engine) as connection:
        for at in {AT, AT + seconds}:
            connection.execute(tables.timeline.insert().values(_row(at)))

    found = timeline(engine, CRAWL)

    assert len(found.points) <= MOST_POINTS
    assert len(found.points) > MOST_POINTS / 2 or found.bucket_seconds == 5
    assert sum(point[1] for point in found.points) == (1 if seconds == 0 else 2)
    assert [point[0] for point in found.points] == list(
        range(found.points[0][0], found.points[-1][0] + 1, found.bucket_seconds)
    )


def test_a_crawl_that_has_asked_for_nothing_has_no_points(engine):
    assert timeline(engine, CRAWL).points == []


def _row(at):
    return {"crawl": CRAWL, "bucket": at, "fetched": 1, "failed": 0, "elapsed_ms": 7}
