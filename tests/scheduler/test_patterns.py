"""A crawl's patterns: searched in bounded time, refused by name, and never in the way of another crawl."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.bus import publish
from contract.bus.groups import ensure_groups, mark_restored
from contract.commands import FrontierRestore
from contract.crawls import CrawlSpec
from contract.envelope import new_message
from contract.errors import Refused
from scheduler.patterns import Patterns, check_patterns
from scheduler.scope import Scope
from scheduler.urls import canonical
from scheduler.vain_patterns import why_in_vain
from tests.scheduler.harness import running
from tests.scheduler.web import Web

A, B = "http://a.test/", "http://b.test/"
#: Python's `re` tries 2^n ways through a URL of n characters before it says no.
ENDLESS = r"^(([a-z0-9:/.-])+)+X$"
LONG = A + "a" * 1_900


@pytest.mark.parametrize(
    "pattern", [ENDLESS, r"(a+)+X", r"(a|aa)+X", r"(?:[a-z]{1,30}){1,30}X", r"a[ab]{900}X", r"(.*)(.*)(.*)(.*)X"]
)
def test_no_pattern_takes_longer_over_a_url_than_a_test_may(pattern):
    patterns = Patterns([pattern] * 3, "deny")
    assert not patterns.match(LONG)


def test_one_of_the_patterns_found_anywhere_is_a_match():
    patterns = Patterns(["/docs/", "(?i)[.]HTML$", "^https://"], "allow")

    assert [patterns.match(url) for url in (A, A + "docs/x", A + "x.html", A + "x.html?y", "https://a.test/")] == [
        *(False, True, True, False, True)
    ]
    assert not Patterns([], "allow")


@pytest.mark.parametrize(
    "bad",
    [
        *("(", "*", "[a", "[z-a]", "(?=x)", "(?<!x)y", r"(a)\1", "(?>a)", "a*+", r"x\Z", "a{,3}", "\ud800", "a\n("),
        *("a{1001}", r"((a{100}){100}){100}", r"\pL{1000}", "(" * 5_000, "x" * 100_000),
    ],
)
def test_a_pattern_that_cannot_be_searched_is_refused_in_one_line_that_names_it(bad):
    with pytest.raises(Refused, match="the deny pattern") as error:
        check_patterns(CrawlSpec(name="x", allow=("ok",), deny=("ok", bad)))

    assert error.value.field == "deny.1"
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("pattern", "url", "found"),
    [
        ("новости", "http://a.test/новости/1", True),
        ("%D0%BD%D0%BE", "http://a.test/новости/1", True),
        ("^https://пример[.]рф/", "https://пример.рф/x", True),
        ("xn--e1afmkfd", "https://пример.рф:81/x", True),
        ("рф:81/", "https://пример.рф:81/x", True),
        ("[?]q=café au lait$", "http://a.test/?q=caf%c3%a9%20au%20lait", True),
        ("(?i)ÄRZTE", "http://a.test/%C3%A4rzte", True),
        ("/~a", "http://a.test/%7Ea", True),
        ("привет", "http://a.test/?q=%EF%F0%E8%E2%E5%F2", False),  # windows-1251, which a URL does not say
        ("%EF%F0", "http://a.test/?q=%EF%F0%E8%E2%E5%F2", True),
        ("é", "http://a.test/%C3", False),
        ("%2F", "http://a.test/a%252Fb", True),  # decoded once
        ("a/b", "http://a.test/a%252Fb", False),
    ],
)
def test_a_pattern_sees_a_url_as_it_is_written_and_as_people_read_it(pattern, url, found):
    href = canonical(url).href

    assert Patterns([pattern], "allow").match(href) is found
    assert Scope(CrawlSpec(name="x", scope="any", deny=(pattern,))).reason_against(canonical(url), depth=0) == (
        "deny" if found else None
    )


VAIN = [
    *("^/docs/", "^(?:/a|/b)c", "^/a|^/b", "(^/a)", r"\A/x", "^$", "^www[.]ex", "^http$", "^httpx:", "^ftp://"),
    *("^https://Example.com/", "^http://a b", "^https://me@ex.com", "(?i)^/A"),
    *("a$b", "x(a|^b)$y", "(?:a$)+b", "x^", "$x", ".^", "((?:a|b)^c)", "[^/]^x"),
]
PERHAPS = [
    *("/docs/", "^https?://", "(?i)^HTTPS://Ex.com", "^/a|b", "a*^http", "x?$", "(?:a^)?b", "x(?:^|/)y", "(a$|b)c"),
    *("(?m)^/a", "", "^", "^h", "^.*x", "^http", "^https://ex.com/A B", "[[:alpha:]]^x", "^(?i:HTTP)", "a$", "$"),
    *("^http://пример.рф/", "[$]x", r"\$x", r"\^x", "[x^]y", "(?:a$)*b", "(a$){0,2}b", r"a$\b", "^https://[^/]*/$"),
]


@pytest.mark.parametrize("pattern", VAIN)
def test_a_pattern_that_can_match_no_url_is_refused_in_one_line(pattern):
    with pytest.raises(Refused, match=r"the allow pattern .* can match no URL: ") as error:
        check_patterns(CrawlSpec(name="x", allow=("ok", pattern)))

    assert error.value.field == "allow.1"
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("pattern", PERHAPS)
def test_a_pattern_that_may_match_is_none_of_these(pattern):
    check_patterns(CrawlSpec(name="x", deny=(pattern,)))


URLS = ["http://a.test/", "https://ex.com/docs/b?c=ftp://x^y", "http://a.test/%0A/a%0Ab$c", "https://www.ex.com/^x$"]
PIECES = [
    "^",
    "$",
    "a",
    "/",
    "h",
    "http",
    "(?:",
    ")",
    "|",
    "*",
    "?",
    "+",
    "{2}",
    ".",
    "[^a]",
    r"\b",
    "b",
    "(?i)",
    "://",
    "x",
]


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
@example("(?:a|^)h")
@example("h{2}$")
def test_no_pattern_that_is_found_in_a_url_is_said_to_be_in_vain(pattern):
    try:
        found = any(map(Patterns([pattern], "deny").match, URLS))
    except Refused:
        return

    assert not (found and why_in_vain(pattern))


def test_a_recorded_crawl_with_a_pattern_in_vain_goes_on_as_it_did():
    assert Scope(CrawlSpec(name="x", deny=("^/docs/",))).reason_against(canonical(A), depth=0, seed=True) is None


def test_patterns_that_are_too_large_together_are_refused():
    with pytest.raises(Refused, match="all allow patterns together") as error:
        check_patterns(CrawlSpec(name="x", allow=tuple(f"{n}{'x' * 900}" for n in range(100))))

    assert error.value.field == "allow"


def test_a_hundred_patterns_as_long_as_a_url_are_not_too_large():
    check_patterns(
        CrawlSpec(name="x", deny=tuple(rf"^https?://a[.]test/{n}-{'x' * 40}/\d+[.]html$" for n in range(100)))
    )


@pytest.mark.parametrize(("spec", "as_link", "as_seed"), [("allow", "allow", None), ("deny", "deny", "deny")])
def test_a_recorded_crawl_with_patterns_of_another_engine_takes_up_no_urls(spec, as_link, as_seed):
    scope, url = Scope(CrawlSpec(name="x", scope="any", **{spec: ("(?=a)a",)})), canonical(A)

    assert scope.reason_against(url, depth=1) == as_link
    assert scope.reason_against(url, depth=0, seed=True) == as_seed


async def test_a_crawl_with_a_pattern_made_to_take_for_ever_lets_another_go_on(bus):
    web = Web({A: {LONG, A + "b" * 1_900}, B: {B + "x"}, B + "x": ()})

    async with running(bus, web) as run:
        bad = await run.start(A, allow=(ENDLESS,), deny=(ENDLESS,))
        good = await run.start(B)
        ends = [await run.finished_now(crawl) for crawl in (bad, good)]
        await run.drained()

    assert [(end.fetched, end.excluded) for end in ends] == [(1, 2), (2, 0)]


async def test_a_pattern_that_cannot_be_searched_is_refused_by_the_scheduler_too(bus):
    async with running(bus, Web({})) as run:
        answer = await run.begin(A, deny=("ok", "(?=x)"))

    assert answer.refused.startswith("the deny pattern '(?=x)' is not a regular expression of RE2")


async def test_a_recorded_crawl_whose_pattern_cannot_be_searched_is_restored_and_others_go_on(bus):
    await bus.redis.flushall()
    spec = CrawlSpec(name="old", deny=("(?=x)",), obey_robots=False)
    epoch, parts = (
        await ensure_groups(bus),
        ({"step": "crawl", "spec": spec, "seeds": (A,), "version": 1}, {"step": "end"}),
    )

    async with running(bus, Web({B: ()})) as run:
        for number, part in enumerate(parts):
            payload = FrontierRestore(epoch=epoch, run="r", **part)
            await publish(bus, new_message(payload, id=f"r.{number}", source="test", crawl="old"))
            await run.drained_of("scheduler.restore")
        await mark_restored(bus, epoch)
        end = await run.finished(await run.start(B))

    assert end.fetched == 1
