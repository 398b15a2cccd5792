"""Which addresses may be fetched from."""

import pytest

from scraper.errors import BlockedAddress, InvalidUrl
from scraper.http.addresses import check_url, host_key, is_public


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "0.0.0.0", "255.255.255.255"),
        *("169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.8", "192.88.99.1", "198.18.0.1", "240.0.0.1"),
        "168.63.129.16",  # Azure's metadata service, on a public address
        *("224.0.0.1", "ff02::1", "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254"),
        "::ffff:169.254.169.254",  # mapped
        "::7f00:1",  # compatible
        "64:ff9b::7f00:1",  # NAT64
        *("64:ff9b:1::a9fe:a9fe", "64:ff9b:1::808:808", "64:ff9b:1:ffff::1"),  # NAT64 of one's own (RFC 8215)
        *("3fff::1", "3fff:fff:ffff::1", "2001:db8::1"),  # for documentation (RFC 9637, RFC 3849)
        *("5f00::1", "100::1", "100:0:0:1::1"),  # segment routing, discard-only, dummy (RFC 9602, 6666, 9780)
        "2002:7f00:1::",  # 6to4
        "2001::80ff:fffe",  # Teredo, inverted
        *("", "example.com", "127.1"),
    ],
)
def test_an_address_that_is_not_on_the_public_internet_is_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::"]
)
def test_a_public_address_is_let_through(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://0/",
        ),
        *("http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://127。0。0。1/", "http://169.254.169.254/latest/"),
        "http://127.0.0.1\\@example.com/",  # a browser goes to 127.0.0.1
        *("http://example.com:25/", "http://example.com:6379/", "https://example.com:22/"),
    ],
)
def test_a_url_with_a_private_address_or_a_port_of_something_else_is_blocked(url):
    with pytest.raises(BlockedAddress) as caught:
        check_url(url, allow_private=False)

    assert (caught.value.reason, caught.value.asked, caught.value.retryable) == ("blocked_address", False, False)


@pytest.mark.parametrize(
    "url",
    [
        *("", "no", "//x", "http://", "http://[::1/", "http://exa mple.com/", "http://example.com:99999/"),
        *("file:///etc/passwd", "gopher://h/", "ftp://h/", "data:,x", "javascript:1", "http://\ud800/", "http://a\0b/"),
    ],
)
def test_what_no_request_can_be_made_of_is_an_invalid_url(url):
    with pytest.raises(InvalidUrl) as caught:
        check_url(url, allow_private=True)

    assert not caught.value.asked


def test_credentials_and_fragments_are_never_sent():
    assert check_url("http://user:secret@example.com:80/a#b", allow_private=False) == "http://example.com/a"


def test_private_addresses_pass_where_the_operator_allows_them():
    assert check_url("http://127.0.0.1:6379/", allow_private=True) == "http://127.0.0.1:6379/"


def test_the_host_key_is_scheme_and_authority():
    assert host_key("https://Example.COM:443/a?b") == "https://example.com"
    assert host_key("http://[::1]:8080/") == "http://[::1]:8080"
