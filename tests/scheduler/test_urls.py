"""One spelling, one fingerprint, one host key for each URL."""

import ada_url
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduler.urls import as_hex, canonical, fingerprint, mark_of, same_url

ONE_SPELLING = [
    ("HTTP://Ex.com:80/%7Ea/../b?#f", "http://ex.com/b?"),
    ("https://ex.com:443", "https://ex.com/"),
    ("http://ex.com:8080/", "http://ex.com:8080/"),
    ("http://ex.com/a#b", "http://ex.com/a"),
    ("http://ex.com/#", "http://ex.com/"),
    ("http://ex.com?x/y#z", "http://ex.com/?x/y"),
    ("http:ex.com/a", "http://ex.com/a"),
    (r"http:\\ex.com\a", "http://ex.com/a"),
    ("http:///ex.com/a", "http://ex.com/a"),
    # reserved characters are never decoded, and queries keep order, empty values and repetition
    ("http://ex.com/%2F%23%25%3B", "http://ex.com/%2F%23%25%3B"),
    ("http://ex.com/?b=1&a=&a=2&amp;c", "http://ex.com/?b=1&a=&a=2&amp;c"),
    ("http://ex.com/a b\u00e9?\u00e9", "http://ex.com/a%20b%C3%A9?%C3%A9"),
    # white space at the ends, and tabs and line feeds anywhere, are no part of a URL
    (" \n http://ex.com/\ta\n ", "http://ex.com/a"),
    # credentials are no part of the identity
    ("http://u:p@ex.com:81/?a=@", "http://ex.com:81/?a=@"),
    ("http://u@ex.com/@b", "http://ex.com/@b"),
    # hosts as a browser reads them
    ("http://127.0.0.1\\@example.com/", "http://127.0.0.1/@example.com/"),
    ("http://2130706433/", "http://127.0.0.1/"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("http://127。0。0。1/", "http://127.0.0.1/"),
    ("http://[::FFFF:127.0.0.1]:80/", "http://[::ffff:7f00:1]/"),
    ("http://faß.de/", "http://xn--fa-hia.de/"),
    ("http://ⓔxample.com", "http://example.com/"),
    ("http://ex.com./", "http://ex.com./"),
]
NO_URL = [
    "http://example.com:99999/",
    "http://exa mple.com/",
    "http://a..b/",
    "http://.a/",
    f"http://{'a' * 64}.com/",
    f"http://{'a.' * 127}com/",
    "http://[::1/",
    "http://",
    "//x",
    "/x",
    "",
    "http://a\0b/",
    "http://a/\ud800",
    "http://1.2.3.999/",
    "file:///etc/passwd",
    "gopher://ex.com/",
    "ftp://ex.com/",
    "data:,x",
    "javascript:alert(1)",
    "mailto:a@ex.com",
    "blob:http://ex.com/1",
]


@pytest.mark.parametrize(("text", "href"), ONE_SPELLING)
def test_a_url_has_one_spelling(text, href):
    assert canonical(text).href == href
    assert canonical(href).href == href


@pytest.mark.parametrize("text", NO_URL)
def test_what_is_no_web_url_is_none(text):
    assert canonical(text) is None


def test_a_url_of_seventy_thousand_characters_is_a_url():
    assert len(canonical("http://ex.com/" + "x" * 70_000).href) == 70_014


@pytest.mark.parametrize(
    ("text", "host", "hostname", "port"),
    [
        ("https://Ex.com:443/a", "https://ex.com", "ex.com", ""),
        ("http://ex.com:443/a", "http://ex.com:443", "ex.com", "443"),
        ("http://[::1]:8080/x", "http://[::1]:8080", "[::1]", "8080"),
        ("http://[::1]/", "http://[::1]", "[::1]", ""),
        ("http://u:p@ex.com/", "http://ex.com", "ex.com", ""),
        ("http://ex.com./a", "http://ex.com", "ex.com.", ""),
        ("http://ex.com.:81/a", "http://ex.com:81", "ex.com.", "81"),
    ],
)
def test_a_host_key_is_scheme_and_authority(text, host, hostname, port):
    url = canonical(text)

    assert (url.host, url.hostname, url.port) == (host, hostname, port)


WEB_TEXT = st.one_of(
    st.text(max_size=40),
    st.builds(
        "{}://{}{}{}{}".format,
        st.sampled_from(["http", "https", "HTTP"]),
        st.sampled_from(["", "u@", "u:p@", ":@", "@@"]),
        st.one_of(st.sampled_from(["ex.com", "[::1]", "127.1", "EX.com:80", "a.b:81"]), st.text(max_size=8)),
        st.sampled_from(["", "/", "?", "#", "/a/../b", "/%2e%2E/", "\\", "/@"]),
        st.text(max_size=20),
    ),
)


@settings(max_examples=400, deadline=None)
@given(WEB_TEXT)
@example("http://@/#@")
@example("http://a:b@c/?d#e@f")
def test_the_canonical_form_of_a_canonical_url_is_itself_and_what_ada_says(text):
    url = canonical(text)
    if url is None:
        return
    again = ada_url.URL(text)
    again.hash = again.username = again.password = ""

    assert canonical(url.href) == url
    assert url.href == again.href
    assert (url.hostname, url.port) == (again.hostname, again.port)
    assert (url.path, "" if url.query == "?" else url.query) == (again.pathname, again.search)


def marks(*urls, identity=2):
    """The fingerprints of these URLs."""
    return {mark_of(canonical(url), identity) for url in urls}


@pytest.mark.parametrize(
    "urls",
    [
        ("http://ex.com/~a", "http://ex.com/%7Ea", "http://ex.com/%7ea", "HTTP://ex.com:80/x/../~%61"),
        ("http://ex.com/%c3%A9?b=%2f", "http://ex.com/%C3%a9?b=%2F", "http://ex.com/\u00e9?b=%2f"),
        ("http://ex.com/?%41", "http://ex.com/?A"),
        ("http://ex.com./a", "http://ex.com/a"),
    ],
)
def test_equivalent_spellings_are_one_url_and_were_many_by_the_first_rule(urls):
    first = marks(*urls, identity=1)

    assert len(marks(*urls)) == 1
    assert len(first) > 1
    assert first == {fingerprint(canonical(url).href) for url in urls}
    assert all(same_url(url, canonical(urls[0]), 2) for url in urls)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://ex.com/a%2Fb", "http://ex.com/a/b"),
        ("http://ex.com/?a%26b", "http://ex.com/?a&b"),
        ("http://ex.com/%2541", "http://ex.com/%41"),
        ("http://ex.com/%3D", "http://ex.com/="),
        ("http://ex.com/a", "http://ex.com/A"),
        ("http://ex.com/a", "http://ex.com:81/a"),
        ("http://ex.com/a", "https://ex.com/a"),
        ("http://ex.com/a", "http://ex.com/a?"),
    ],
)
def test_what_is_reserved_or_another_place_is_another_url(one, other):
    assert len(marks(one, other)) == 2


def test_a_redirect_to_another_spelling_of_itself_leads_to_a_url_of_its_own():
    old, new = "http://ex.com/%7Ea", canonical("http://ex.com/~a")

    assert mark_of(new, 2, came_from=old) not in marks(old)
    assert mark_of(new, 2, came_from="http://ex.com/b") in marks(old)
    assert mark_of(new, 1, came_from=old) == fingerprint(new.href)


def test_a_fingerprint_is_fixed_for_ever():
    assert as_hex(mark_of(canonical("http://ex.com/%7Ea"), 1)) == as_hex(fingerprint("http://ex.com/%7Ea"))
    assert as_hex(mark_of(canonical("http://ex.com./%7Ea"), 2)) == as_hex(fingerprint("http://ex.com/~a"))
    assert fingerprint("http://ex.com/") == fingerprint(canonical("HTTP://EX.com").href)
    assert as_hex(fingerprint("http://ex.com/")) == "a82886373959c971"
    assert as_hex(-1) == "f" * 16
    assert as_hex(1) == "0" * 15 + "1"
