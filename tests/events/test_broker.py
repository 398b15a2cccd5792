"""Redis as Celery spells it."""

import pytest

from events.broker import broker_url, tls_options


@pytest.mark.parametrize(
    ("ours", "celerys"),
    [
        ("redis://:secret@h:6380/2", "redis://:secret@h:6380/2"),
        ("rediss://h/0", "rediss://h/0"),
        ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0"),
        ("unix://:secret@/run/r.sock?db=3", "redis+socket://:secret@/run/r.sock?virtual_host=3"),
    ],
)
def test_celery_gets_the_same_redis_in_its_own_spelling(ours, celerys):
    assert broker_url(ours) == celerys


def test_tls_to_the_broker_checks_certificates():
    assert tls_options("rediss://h/0") is not None
    assert tls_options("redis://h/0") is None
