"""Which URLs may belong to a crawl, and what is said of the others."""

import pytest

from contract.crawls import CrawlSpec
from scheduler.scope import Scope, looks_like_a_trap
from scheduler.suffixes import list_date, registered_domain
from scheduler.urls import canonical

SEED = canonical("http://www.ex.co.uk/start")


def reason(url: str, *, depth: int = 1, hops: int = 0, seed: bool = False, **spec) -> str | None:
    """What a crawl from SEED says of a URL."""
    plain = CrawlSpec(name="x", **spec)
    return Scope(plain, {Scope(plain).place(SEED)}).reason_against(canonical(url), depth=depth, hops=hops, seed=seed)


@pytest.mark.parametrize(
    ("scope", "url", "expected"),
    [
        ("host", "http://www.ex.co.uk/a", None),
        ("host", "https://ex.co.uk/a", None),  # the same place to people
        ("host", "http://sub.ex.co.uk/", "scope"),
        ("host", "http://ex.co.uk:8080/", "scope"),
        ("domain", "http://sub.ex.co.uk/", None),
        ("domain", "http://other.co.uk/", "scope"),
        ("any", "http://other.org/", None),
    ],
)
def test_a_scope_is_host_domain_or_any(scope, url, expected):
    assert reason(url, scope=scope) == expected


@pytest.mark.parametrize(
    ("url", "spec", "expected"),
    [
        ("http://ex.co.uk/private/x", {"deny": ("/private/",)}, "deny"),
        ("http://ex.co.uk/x", {"deny": ("/private/",)}, None),
        ("http://ex.co.uk/x", {"allow": ("/docs/", "[.]html$")}, "allow"),
        ("http://ex.co.uk/x.html", {"allow": ("/docs/", "[.]html$")}, None),
        ("http://ex.co.uk/docs/x", {"allow": ("/docs/",), "deny": ("x$",)}, "deny"),
        ("http://ex.co.uk/" + "x" * 30, {"max_url_length": 30}, "url_too_long"),
    ],
)
def test_patterns_and_length_leave_urls_out(url, spec, expected):
    assert reason(url, **spec) == expected


def test_a_dot_behind_a_name_makes_no_other_place_unless_the_crawl_is_of_before():
    dotted = "http://ex.co.uk./a"

    assert (reason(dotted, identity=2), reason(dotted, identity=1)) == (None, "scope")
    assert reason(dotted, identity=2, scope="domain") is None


def test_depth_and_hops_have_bounds_and_none_means_none():
    assert reason("http://ex.co.uk/", depth=3, max_depth=2) == "depth"
    assert reason("http://ex.co.uk/", depth=2, max_depth=2) is None
    assert reason("http://ex.co.uk/", depth=10**6) is None
    assert reason("http://ex.co.uk/", hops=11, max_hops=10) == "too_many_redirects"


def test_a_seed_needs_no_scope_and_no_allow_pattern_but_is_denied():
    assert reason("http://other.org/", seed=True, allow=("/docs/",)) is None
    assert reason("http://other.org/", seed=True, deny=("other",)) == "deny"


@pytest.mark.parametrize(
    ("path", "is_trap"),
    [
        ("/a/b/a/b/a/b/a/b/a/b", True),
        ("/a/b/c/d/e/f/g", False),
        ("/x" * 4, False),
        ("/x" * 5, True),
        ("/" + "/".join(map(str, range(41))), True),
        ("/" + "/".join(map(str, range(40))), False),
        ("/start/a/b/c/a/b/c/a/b/c/a/b/c/a/b/c/end", True),
        ("/start/a/b/c/a/b/c/a/b/c/a/b/c/a/b", False),
        ("/region/0/area/0/zone/0/block/0/unit/0", False),
        ("/?" + "&".join(f"a{n}=1" for n in range(101)), True),
        ("/?" + "&".join(f"a{n}=1" for n in range(60)), False),
        ("/2026/11/2026/11", False),
    ],
)
def test_urls_that_multiply_themselves_look_like_a_trap(path, is_trap):
    assert looks_like_a_trap(canonical(f"http://ex.com{path}")) is is_trap


@pytest.mark.parametrize(
    ("hostname", "domain"),
    [
        ("a.b.ex.com", "ex.com"),
        ("a.ex.co.uk", "ex.co.uk"),
        ("one.github.io", "one.github.io"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("co.uk", "co.uk"),
        ("a.b.city.kobe.jp", "city.kobe.jp"),
        ("a.b.xn--p1ai", "b.xn--p1ai"),
        ("a.b.ex.internal", "ex.internal"),  # not listed: the default rule
    ],
)
def test_a_registered_domain_is_one_label_below_a_public_suffix(hostname, domain):
    assert registered_domain(hostname) == domain


def test_the_list_says_when_it_was_made():
    assert "2026-10-22" <= list_date() < "2100"


def test_hosts_below_a_suffix_that_is_not_listed_are_one_domain_unless_the_crawl_is_of_before():
    seed, other = canonical("http://www.ex.internal/"), canonical("http://b.ex.internal/")
    scopes = [Scope(CrawlSpec(name="x", scope="domain", identity=identity)) for identity in (1, 2)]

    assert [scope.place(seed) == scope.place(other) for scope in scopes] == [False, True]
