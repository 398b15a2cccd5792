"""The one URL of Redis: what it may say, and the one line for what it may not."""

import pytest

from contract.errors import Refused
from contract.logs import masked
from contract.redis_url import RedisUrl, parse_redis_url

TLS = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://h", RedisUrl(hosts=(("h", 6379),))),
        ("redis://u:p%2F@h:7/3", RedisUrl(hosts=(("h", 7),), db=3, username="u", password="p/")),
        ("redis://h?db=3&password=p", RedisUrl(hosts=(("h", 6379),), db=3, password="p")),
        ("redis://:p@[::1]", RedisUrl(hosts=(("::1", 6379),), password="p")),
        ("rediss://h", RedisUrl(hosts=(("h", 6379),), tls=TLS)),
        ("rediss://h?ssl_check_hostname=no", RedisUrl(hosts=(("h", 6379),), tls=TLS | {"ssl_check_hostname": False})),
        ("unix:///run/a%20b.sock", RedisUrl(path="/run/a b.sock")),
        ("sentinel://a,b:1/mine/2", RedisUrl(hosts=(("a", 26379), ("b", 1)), master="mine", db=2)),
        ("sentinels://a/mine", RedisUrl(hosts=(("a", 26379),), master="mine", tls=TLS)),
        ("sentinel://a/m?sentinel_password=s", RedisUrl(hosts=(("a", 26379),), master="m", sentinel_password="s")),
    ],
)
def test_a_url_is_taken_apart(url, place):
    assert parse_redis_url(url) == place


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "give redis://HOST:6379/0"),
        ("http://h/", "http:// is no way to Redis"),
        ("redis://", "it names no host"),
        ("redis://h:port/0", "no HOST:PORT"),
        ("redis://h:99999/0", "no HOST:PORT"),
        ("redis://[::1", "Invalid IPv6"),
        ("redis://h/zero", "database's number"),
        ("redis://h/?db=-1", "database's number"),
        ("redis://h,i/0", "only sentinel:// can"),
        ("redis://h/0?socket_timeout=3", "no option 'socket_timeout'"),
        ("redis://h/0?ssl_ca_certs=/x", "with rediss://"),
        ("redis://h/0#x", "%23"),
        ("rediss://h/0?ssl_cert_reqs=maybe", "none, optional or required"),
        ("rediss://h/0?ssl_check_hostname=maybe", "true or false"),
        ("sentinel://h:26379", "does not name the master"),
        ("unix://run/r.sock", "whole path"),
    ],
)
def test_a_url_that_cannot_be_meant_is_one_line_that_says_why(url, why):
    with pytest.raises(Refused) as error:
        parse_redis_url(url)
    assert str(error.value).startswith("wrong setting: redis_url is ")
    assert why in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        *("http://:sesame@h/", "redis://:ses/ame@h/0", "redis://u:sesame@h:port", "redis://:ses?ame@h/0"),
        *("redis://:ses#ame@h/0", "redis://h/x?password=sesame", "sentinel://h?sentinel_password=sesame", "u:sesame@h"),
    ],
)
def test_a_password_is_not_shown_wherever_it_stands(url):
    with pytest.raises(Refused) as error:
        parse_redis_url(url)
    assert "ame" not in str(error.value).replace("name", "")


def test_passwords_in_the_query_are_masked_in_logs():
    assert masked("at rediss://h/0?ssl_password=a&db=1, sentinel://h/m?sentinel_password=b") == (
        "at rediss://h/0?ssl_password=***&db=1, sentinel://h/m?sentinel_password=***"
    )
