"""Bounds: what is left out is an excluded outcome with a reason, once for each URL, never silence."""

import pytest

from contract.pages import PageExcluded, PageFetched
from tests.scheduler.harness import running
from tests.scheduler.web import Answering, Web

A = "http://a.test/"


def chain(length: int) -> dict[str, set[str]]:
    """Pages in a row: 0 links to 1, 1 to 2, and so on."""
    return {f"{A}{n}": {f"{A}{n + 1}"} for n in range(length)}


async def test_pages_beyond_the_depth_are_excluded(bus):
    async with running(bus, Web(chain(9))) as run:
        crawl = await run.start(A + "0", max_depth=2)
        end = await run.finished(crawl)

    assert run.outcomes(crawl) == {f"{A}{n}": ["200"] for n in range(3)} | {A + "3": ["depth"]}
    assert (end.fetched, end.excluded) == (3, 1)


async def test_a_url_that_was_too_deep_is_fetched_when_it_is_found_on_a_shorter_way(bus):
    web = Web({A: {A + "1", A + "late"}, A + "1": {A + "2"}, A + "2": {A + "x"}, A + "late": {A + "x"}, A + "x": ()})

    async with running(bus, web) as run:
        run.hold = {A + "late"}
        crawl = await run.start(A, max_depth=2)
        await run.until(lambda: any(one.url == A + "x" for one in run.of(PageExcluded, crawl)))
        await run.let_go(A + "late")
        end = await run.finished(crawl)

    assert sorted(run.outcomes(crawl)[A + "x"]) == ["200", "depth"]
    assert (end.fetched, end.failed, end.excluded) == (5, 0, 0)
    assert end.fetched == len(run.outcomes(crawl))


@pytest.mark.parametrize("schedulers", [1, 2])
async def test_never_more_pages_than_asked_for_are_fetched(bus, schedulers):
    web = Web({A: {f"{A}{n}" for n in range(40)}} | {f"{A}{n}": {f"{A}{n}/x"} for n in range(40)}, latency_ms=2)

    async with running(bus, web, schedulers=schedulers) as run:
        crawl = await run.start(A, max_pages=7)
        end = await run.finished(crawl)

    found = run.outcomes(crawl)
    assert (end.fetched, end.failed) == (7, 0)
    assert sum(kinds == ["200"] for kinds in found.values()) == 7
    assert all(kinds in (["200"], ["max_pages"]) for kinds in found.values())
    assert end.excluded == len(found) - 7


async def test_redirects_and_failures_do_not_count_as_pages(bus):
    pages = {A: {A + "gone", A + "moved", A + "1", A + "2"}, A + "moved": Answering(status=301, to=A + "3")}
    web = Web(pages | {f"{A}{n}": () for n in (1, 2, 3)})

    async with running(bus, web) as run:
        crawl = await run.start(A, max_pages=4)
        end = await run.finished(crawl)

    assert (end.fetched, end.failed, end.excluded) == (5, 1, 0)


async def test_a_url_that_waits_for_its_retry_does_not_hold_up_the_end_of_a_bounded_crawl(bus):
    busy = Answering(status=503, retry_after_ms=3_000_000)
    web = Web({A: {"http://b.test/busy", A + "1", A + "2"}, "http://b.test/busy": busy, A + "1": (), A + "2": ()})

    async with running(bus, web) as run:
        run.hold = {A + "2"}
        crawl = await run.start(A, max_pages=3, scope="any")
        await run.until(lambda: "http://b.test/busy" in web.asked and len(run.of(PageFetched, crawl)) == 2)
        await run.let_go(A + "2")
        end = await run.finished(crawl)

    assert (end.fetched, end.failed, end.excluded) == (3, 1, 0)


async def test_a_retry_that_is_queued_after_the_bound_was_reached_is_given_up(bus):
    web = Web({A: {A + "shaky", A + "1"}, A + "1": (), A + "shaky": Answering(status=500)})

    async with running(bus, web, hurried=True) as run:
        run.hold = {A + "shaky"}
        crawl = await run.start(A, max_pages=3)
        await run.until(lambda: len(run.of(PageFetched, crawl)) == 2)
        await run.let_go(A + "shaky")
        end = await run.finished(crawl)

    assert (end.fetched, end.failed, end.excluded) == (2, 1, 0)


async def test_a_host_gives_no_more_pages_than_its_bound(bus):
    b = "http://b.test/"
    web = Web({A: {f"{A}{n}" for n in range(9)} | {b}, b: ()} | {f"{A}{n}": () for n in range(9)})

    async with running(bus, web) as run:
        crawl = await run.start(A, max_pages_per_host=3, scope="any")
        end = await run.finished(crawl)

    kinds = sorted(kind for kinds in run.outcomes(crawl).values() for kind in kinds)
    assert kinds == ["200"] * 4 + ["host_pages"] * 7
    assert (end.fetched, end.excluded) == (4, 7)


async def test_links_out_of_scope_are_excluded_once_each_with_their_reason(bus):
    links = ("http://b.test/", "http://b.test/#x", A + "secret/1", A + "x" * 2_000, A + "/".join("aaaaaa"))
    web = Web({A: links, A + "1": links} | {A: (*links, A + "1")})

    async with running(bus, web) as run:
        crawl = await run.start(A, deny=("/secret/",))
        end = await run.finished(crawl)

    found = run.outcomes(crawl)
    assert sorted(kinds[0] for kinds in found.values()) == ["200", "200", "deny", "scope", "trap", "url_too_long"]
    assert all(len(kinds) == 1 for kinds in found.values())
    assert (end.fetched, end.excluded) == (2, 4)


async def test_an_excluded_url_says_who_linked_to_it(bus):
    async with running(bus, Web({A: {"http://b.test/x"}})) as run:
        await run.finished(await run.start(A))

    [one] = run.of(PageExcluded)
    assert (one.url, one.host, one.depth, one.via, one.attempt) == ("http://b.test/x", "http://b.test", 1, A, 0)


async def test_a_link_that_was_out_of_scope_is_fetched_when_it_is_added_as_a_seed(bus):
    web = Web({A: {"http://b.test/x", A + "late"}, A + "late": (), "http://b.test/x": {"http://b.test/y"}})

    async with running(bus, web) as run:
        run.hold = {A + "late"}
        crawl = await run.start(A)
        await run.until(lambda: run.of(PageExcluded, crawl))
        await run.add(crawl, "http://b.test/x")
        await run.until(lambda: "http://b.test/y" in web.asked)
        await run.let_go(A + "late")
        end = await run.finished(crawl)

    assert (end.fetched, end.failed, end.excluded) == (3, 1, 0)
