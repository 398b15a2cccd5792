"""Every URL gets exactly one outcome, and the crawl ends once, with the right counts."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.bus import Bus
from contract.bus.groups import ensure_groups, mark_restored
from contract.crawls import CrawlFinished
from contract.pages import PageExcluded, PageFailed
from tests.scheduler.harness import running
from tests.scheduler.web import Answering, Web

A = "http://a.test/"
MOVED = Answering(status=301, to="http://a.test/there")


async def test_a_small_site_is_fetched_to_its_end(bus):
    web = Web({A: {A + "1", A + "2"}, A + "1": {A}})

    async with running(bus, web) as run:
        crawl = await run.start(A)
        end = await run.finished(crawl)

    assert (end.fetched, end.failed, end.excluded) == (2, 1, 0)
    assert run.outcomes(crawl) == {A: ["200"], A + "1": ["200"], A + "2": ["http_404"]}


async def test_a_url_that_is_linked_in_many_spellings_is_fetched_once(bus):
    web = Web({A: ("http://A.test:80/x#1", "http://a.test/x#2", "http://a.test/./x", A + "x"), A + "x": (A + "x",)})

    async with running(bus, web) as run:
        await run.finished(await run.start(A, "http://a.test", "HTTP://a.test/#top"))

    assert web.asked == {A: 1, A + "x": 1}


async def test_a_crawl_without_a_seed_that_is_a_url_ends_at_once(bus):
    async with running(bus, Web({})) as run:
        end = await run.finished(await run.start("mailto:x@a.test", "http://a..test/"))

    assert end == CrawlFinished(fetched=0, failed=0, excluded=0, version=2)


async def test_a_redirect_is_a_link_of_the_same_depth(bus):
    web = Web({A: MOVED, A + "there": {A + "deep"}, A + "deep": {A + "deeper"}})

    async with running(bus, web) as run:
        crawl = await run.start(A, max_depth=1)
        end = await run.finished(crawl)

    assert run.outcomes(crawl) == {A: ["301"], A + "there": ["200"], A + "deep": ["200"], A + "deeper": ["depth"]}
    assert (end.fetched, end.failed, end.excluded) == (3, 0, 1)


async def test_redirects_in_a_circle_end_where_they_began(bus):
    web = Web({A: MOVED, A + "there": Answering(status=302, to=A)})

    async with running(bus, web) as run:
        crawl = await run.start(A)
        await run.finished(crawl)

    assert run.outcomes(crawl) == {A: ["301"], A + "there": ["302"]}


async def test_a_chain_of_redirects_ends_as_excluded_after_its_bound(bus):
    web = Web({f"{A}{n}": Answering(status=301, to=f"{A}{n + 1}") for n in range(9)})

    async with running(bus, web) as run:
        crawl = await run.start(A + "0", max_hops=3)
        await run.finished(crawl)

    assert run.outcomes(crawl)[A + "3"] == ["301"]
    assert run.outcomes(crawl)[A + "4"] == ["too_many_redirects"]
    assert A + "5" not in run.outcomes(crawl)


async def test_the_end_of_a_redirect_chain_that_is_too_long_is_fetched_when_it_is_linked_directly(bus):
    web = Web({A: {A + "0", A + "late"}, A + "0": Answering(status=301, to=A + "end"), A + "late": {A + "end"}})
    web.pages[A + "end"] = ()

    async with running(bus, web) as run:
        run.hold = {A + "late"}
        crawl = await run.start(A, max_hops=0)
        await run.until(lambda: run.of(PageExcluded, crawl))
        await run.let_go(A + "late")
        end = await run.finished(crawl)

    assert sorted(run.outcomes(crawl)[A + "end"]) == ["200", "too_many_redirects"]
    assert (end.fetched, end.failed, end.excluded) == (4, 0, 0)


async def test_a_failure_that_passes_is_tried_again_and_counted_once(bus):
    web = Web({A: [Answering(status=503), Answering(status=503), {A + "next"}], A + "next": ()})

    async with running(bus, web, hurried=True) as run:
        crawl = await run.start(A)
        end = await run.finished(crawl)

    assert (end.fetched, end.failed, end.excluded) == (2, 0, 0)
    assert [failed.attempt for failed in run.of(PageFailed, crawl)] == [1, 2]


async def test_a_failure_that_stays_is_given_up_after_the_last_attempt(bus):
    async with running(bus, Web({A: Answering(status=500)}), hurried=True) as run:
        crawl = await run.start(A, max_attempts=3)
        end = await run.finished(crawl)

    assert [failed.attempt for failed in run.of(PageFailed, crawl)] == [1, 2, 3]
    assert (end.fetched, end.failed, end.excluded) == (0, 1, 0)


async def test_a_failure_that_will_not_pass_is_not_tried_again(bus):
    web = Web({A: Answering(status=410)})

    async with running(bus, web) as run:
        await run.finished(await run.start(A))

    assert web.asked[A] == 1


async def test_what_a_worker_excludes_is_counted_as_excluded(bus):
    async with running(bus, Web({A: {A + "x"}, A + "x": Answering(reason="not:robots")})) as run:
        end = await run.finished(await run.start(A))

    assert (end.fetched, end.failed, end.excluded) == (1, 0, 1)


@st.composite
def webs(draw: st.DrawFn) -> dict[str, Any]:
    """Small webs over three hosts: pages, redirects, dead links, passing failures, exclusions."""
    urls = [f"http://h{draw(st.integers(0, 2))}.test/{n}" for n in range(draw(st.integers(1, 14)))]
    link = st.sampled_from([*urls, "http://h0.test/gone", "http://out.test/x", "mailto:x", "http://h1.test/a#b"])
    page = st.lists(link, max_size=5).map(lambda links: Answering(links=tuple(links)))
    moved = st.sampled_from(urls).map(lambda to: Answering(status=302, to=to))
    bad = st.sampled_from([Answering(status=404), Answering(reason="not:robots"), Answering(status=500)])
    shaky = page.map(lambda good: [Answering(status=503), good])
    return {url: draw(st.one_of(page, page, page, moved, bad, shaky)) for url in urls}


def reachable(pages: dict[str, Any], seed: str) -> set[str]:
    """What a plain walk finds that is in scope or excluded for it."""
    found, waiting = {seed}, [seed]
    while waiting:
        answer = pages.get(waiting.pop(), Answering(status=404))
        answer = answer[-1] if isinstance(answer, list) else answer
        links = [answer.to] if answer.to else answer.links if answer.status < 300 and not answer.reason else ()
        links = [link.partition("#")[0] for link in links if link.startswith("http")]
        waiting += [link for link in links if link not in found]
        found.update(links)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(pages=webs(), chance=st.integers(0, 2**16), schedulers=st.integers(1, 2))
def test_any_web_is_walked_to_its_end_with_one_outcome_for_each_url(redis_url, pages, chance, schedulers):
    asyncio.run(_walk(redis_url, pages, chance, schedulers))


async def _walk(redis_url: str, pages: dict[str, Any], chance: int, schedulers: int) -> None:
    async with Bus.open(redis_url) as bus:
        await bus.redis.flushall()
        await mark_restored(bus, await ensure_groups(bus))
        first = next(iter(pages))
        options = {"seed_of_chance": chance, "twice": True, "schedulers": schedulers, "hurried": True}
        async with running(bus, Web(pages), **options) as run:
            hosts = [f"http://h{n}.test/gone" for n in range(3)]
            crawl = await run.start(first, *hosts, max_hops=20)
            end = await run.finished(crawl)
        outcomes = run.outcomes(crawl)
        assert set(outcomes) == reachable(pages, first) | set(hosts)
        assert {url: found for url, found in outcomes.items() if len(found) != 1} == {}
        kinds = [found[0] for found in outcomes.values()]
        fetched = sum(kind in ("200", "302") for kind in kinds)
        excluded = sum(kind in ("scope", "robots") for kind in kinds)
        assert (end.fetched, end.excluded, end.failed) == (fetched, excluded, len(kinds) - fetched - excluded)
