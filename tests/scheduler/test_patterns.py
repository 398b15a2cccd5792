"""A crawl's patterns: searched in bounded time, refused by name, and never in the way of another crawl."""

import time

import pytest

from contract.bus import publish
from contract.bus.groups import ensure_groups, mark_restored
from contract.commands import FrontierRestore
from contract.crawls import CrawlSpec
from contract.envelope import new_message
from contract.errors import Refused
from scheduler.patterns import Patterns, check_patterns
from scheduler.scope import Scope
from scheduler.urls import canonical
from tests.scheduler.harness import running
from tests.scheduler.web import Web

A, B = "http://a.test/", "http://b.test/"
#: Python's `re` tries 2^n ways through a URL of n characters before it says no.
ENDLESS = r"^(([a-z0-9:/.-])+)+$X"
LONG = A + "a" * 1_900


@pytest.mark.parametrize(
    "pattern", [ENDLESS, r"(a+)+X", r"(a|aa)+X", r"(?:[a-z]{1,30}){1,30}X", r"a[ab]{900}X", r"(.*)(.*)(.*)(.*)X"]
)
def test_no_pattern_takes_long_over_a_url(pattern):
    patterns = Patterns([pattern] * 3, "deny")
    started = time.process_time()

    assert not patterns.match(LONG)
    assert time.process_time() - started < 0.5


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
