"""How fast hosts were asked: over a minute, or since the first request where that is later."""

import pytest

from penstock.api.hub.pace import Paces
from storage.store.feed import Asked

NOW = 1_795_000_000.0


def paces_of(*seconds_ago):
    """A host that was asked so many seconds ago."""
    paces = Paces()
    paces.note(Asked("http://a.test", int((NOW - ago) * 1000), 20) for ago in sorted(seconds_ago, reverse=True))
    return paces


@pytest.mark.parametrize(
    ("seconds_ago", "rate"),
    [((10, 8, 6, 4), 0.4), ((0, 0), 2.0), ((600, 30, 20, 10), 0.05), ((), 0.0)],
)
def test_a_rate_is_over_the_time_in_which_there_were_requests_at_all(seconds_ago, rate):
    assert paces_of(*seconds_ago).per_second("http://a.test", NOW) == rate


def test_a_host_that_was_never_asked_has_no_rate():
    assert paces_of(5).per_second("http://b.test", NOW) == 0.0
