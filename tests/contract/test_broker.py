"""Redis as Celery spells it."""

import pytest

from contract.broker import broker_url, celery_settings
from contract.errors import Refused


@pytest.mark.parametrize(
    ("ours", "celerys"),
    [
        ("redis://:secret@h:6380/2", "redis://:secret@h:6380/2"),
        ("redis://u:p%40%2F@h", "redis://u:p%40%2F@h:6379/0"),
        ("redis://[::1]:6380/0", "redis://[::1]:6380/0"),
        ("rediss://h/0?ssl_ca_certs=/ca.pem", "rediss://h:6379/0"),
        ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0"),
        ("unix://:secret@/run/r.sock?db=3", "redis+socket://:secret@/run/r.sock?virtual_host=3"),
        ("sentinel://u:p@h1,h2:26380/mine/4", "sentinel://u:p@h1:26379/4;sentinel://u:p@h2:26380/4"),
    ],
)
def test_celery_gets_the_same_redis_in_its_own_spelling(ours, celerys):
    assert broker_url(ours) == celerys


def test_tls_to_the_broker_checks_certificates_unless_told_otherwise():
    def of(url):
        return celery_settings(url, prefix="p")["broker_use_ssl"]

    assert of("redis://h/0") is None
    assert of("rediss://h/0") == {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    assert of("rediss://h/0?ssl_cert_reqs=CERT_NONE") == {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    assert of("rediss://h/0?ssl_ca_certs=/ca.pem")["ssl_ca_certs"] == "/ca.pem"


def test_celery_keeps_below_our_prefix_and_keeps_no_second_copy():
    options = celery_settings("redis://h/0", prefix="mine")["broker_transport_options"]

    assert options["global_keyprefix"] == "mine:{0}:celery:"
    assert options["ack_emulation"] is False
    assert "master_name" not in options


def test_celery_is_told_of_the_master_and_of_how_to_ask_sentinels():
    url = "sentinels://u:p@h1,h2/mine?sentinel_username=s&sentinel_password=t&ssl_ca_certs=/ca.pem"
    options = celery_settings(url, prefix="mine")["broker_transport_options"]

    asking = options["sentinel_kwargs"]
    assert options["master_name"] == "mine"
    assert (asking["username"], asking["password"], asking["ssl"], asking["ssl_ca_certs"]) == (
        "s",
        "t",
        True,
        "/ca.pem",
    )


def test_a_url_that_is_none_is_refused_for_celery_too():
    with pytest.raises(Refused, match="wrong setting: redis_url"):
        celery_settings("nonsense", prefix="p")
