"""A frontier that has lost its last seconds is told what is recorded of a crawl, while it goes on with the crawl."""

from contract.bus import Bus
from contract.commands import CrawlStart, KnownLinks, SeedsAdd
from contract.crawls import CrawlCancelled, CrawlFinished, CrawlSpec
from contract.pages import Link
from tests.scheduler.harness import Run, running
from tests.scheduler.test_restore import CRAWL, A, Replay, page
from tests.scheduler.web import Web


async def going_on(run: Run, *held: str) -> Replay:
    """A crawl at version 1 whose seed is in flight, and a replay of what is recorded of it."""
    run.hold = set(held or (A,))
    await run.start(A, crawl=CRAWL, name="lost")
    await run.until(lambda: run.starts)
    return Replay(run.bus)


async def state(bus: Bus, *fields: str) -> list[str]:
    """What Redis knows of the crawl."""
    return [(value or b"").decode() for value in await bus.redis.hmget(bus.keys.crawl(CRAWL), list(fields))]


async def test_a_crawl_whose_pause_was_lost_is_paused_again_and_keeps_its_version(bus: Bus):
    async with running(bus, Web({A: ()})) as run:
        replay = await going_on(run)
        await replay.begin(state="paused", version=2)
        await replay.end()
        assert await state(bus, "state", "version", "restoring") == ["paused", "2", ""]
        assert (await run.resume(CRAWL)).version == 3
        await run.let_go(A)
        assert (await run.finished(CRAWL)).version == 4


async def test_a_command_that_came_meanwhile_is_not_undone(bus: Bus):
    async with running(bus, Web({A: ()})) as run:
        replay = await going_on(run)
        await replay.begin(state="paused", version=2)
        assert (await run.resume(CRAWL)).version == 3
        await replay.begin(state="paused", version=2)
        assert await state(bus, "state", "version") == ["running", "3"]
        await replay.end()
        await run.let_go(A)
        assert (await run.finished(CRAWL)).version == 4


async def test_seeds_that_were_lost_are_asked_for_and_those_that_were_awaited_are_not_any_more(bus: Bus):
    web = Web({A: (), A + "more": ()})
    async with running(bus, web) as run:
        run.hold = {A}
        await run.start(A, crawl=CRAWL, name="lost", more=True)
        replay = Replay(bus)
        await replay.begin(A, A + "more", version=2)
        await replay.send("links", seeds=(A, A + "more"))
        await replay.end()
        await run.let_go(A)
        end = await run.finished(CRAWL)

    assert end == CrawlFinished(fetched=2, failed=0, excluded=0, version=3)
    assert web.asked == {A: 1, A + "more": 1}


async def test_whoever_asks_again_after_that_sends_all_seeds_once_more(bus: Bus):
    """Which parts had come is not recorded, so a sender that was cut off must not be told that all have."""
    more = [A + name for name in ("one", "two")]
    web, spec = Web(dict.fromkeys((A, *more), ())), CrawlSpec(name="lost", delay_seconds=0.0, obey_robots=False)
    command = CrawlStart(spec=spec, seeds=(A,), more=True, fresh=True, parts=2)
    async with running(bus, web) as run:
        run.hold = {A}
        await run.command(command, CRAWL)
        replay = Replay(bus)
        await replay.begin(A, more[0], version=2)
        await replay.send("links", seeds=(A, more[0]))
        await replay.end()
        assert (await run.command(command, CRAWL)).resumed
        assert await state(bus, "hold") == ["2"]
        for number, url in enumerate(more, 1):
            await run.command(SeedsAdd(seeds=(url,), batch=CRAWL, part=number), CRAWL)
        await run.let_go(A)
        end = await run.finished(CRAWL)

    assert end.fetched == 3


async def test_what_is_known_here_goes_on_here_and_the_rest_is_not_asked_again(bus: Bus):
    names = ("done", "unknown")
    web = Web({A: {A + name for name in names}, A + "done": (), A + "unknown": ()})
    async with running(bus, web) as run:
        replay = await going_on(run)
        await replay.begin(version=2)
        await replay.send("pages", pages=(page("", depth=0), page("done")))
        await replay.worked_in()
        await replay.send("links", links=(KnownLinks(A, 0, 0, tuple(Link(A + name) for name in names)),))
        await replay.worked_in()
        await run.let_go(A)
        await run.drained()
        assert run.of(CrawlFinished) == []  # not before all is told
        await replay.end()
        end = await run.finished(CRAWL)

    assert end == CrawlFinished(fetched=3, failed=0, excluded=0, version=3)
    assert web.asked == {A: 1, A + "unknown": 1}


async def test_a_crawl_whose_end_was_lost_is_cancelled_again_and_its_name_is_free(bus: Bus):
    async with running(bus, Web({A: {A + "x"}, A + "x": ()})) as run:
        replay = await going_on(run)
        await replay.begin(state="cancelled", version=2)
        await run.let_go(A)
        await run.drained()
        assert await state(bus, "state") == ["cancelled"]
        assert (len(run.starts), run.of(CrawlFinished), run.of(CrawlCancelled)) == (1, [], [])
        assert not (await run.begin(A, name="lost")).resumed


async def test_an_end_under_a_version_that_is_another_events_is_said_again_under_a_free_one(bus: Bus):
    async with running(bus, Web({A: ()})) as run:
        run.hold = set()
        await run.start(A, crawl=CRAWL, name="lost")
        assert (await run.finished(CRAWL)).version == 2
        replay = Replay(bus)
        await replay.begin(version=3)
        await replay.begin(version=3)
        await run.drained()

    assert [end.version for end in run.of(CrawlFinished)] == [2, 4]
    assert len({(end.fetched, end.failed, end.excluded) for end in run.of(CrawlFinished)}) == 1


async def test_a_cancellation_under_such_a_version_is_said_again_too(bus: Bus):
    async with running(bus, Web({A: ()})) as run:
        replay = await going_on(run)
        await run.cancel(CRAWL)
        await replay.begin(state="paused", version=2)
        await run.let_go(A)
        await run.drained()

    assert [end.version for end in run.of(CrawlCancelled)] == [2, 3]


async def test_a_scope_of_as_many_places_as_another_is_not_taken_for_that_one(bus: Bus):
    other, new, found = "http://b.test/", "http://c.test/", "http://c.test/found"
    web = Web({A: (), A + "later": {found}, other: (), new: (), found: ()})
    async with running(bus, web) as run:
        run.hold = {A + "later"}
        await run.start(A, A + "later", crawl=CRAWL, name="lost", obey_robots=False, delay_seconds=0, per_host=2)
        [word], places = await state(bus, "places"), await bus.redis.smembers(bus.keys.places(CRAWL))
        await run.add(CRAWL, other)
        await run.drained_of("scheduler.discover")
        await run.until(lambda: other in run.outcomes())
        await run.drained_of("scraper.parse", "scheduler.discover")  # who judges links has read the scope by now

        # The server loses its last seconds, and with them the second place; a third is added.
        await bus.redis.delete(bus.keys.places(CRAWL))
        await bus.redis.sadd(bus.keys.places(CRAWL), *places)
        await bus.redis.hset(bus.keys.crawl(CRAWL), "places", word)
        await run.add(CRAWL, new, part=2)
        await run.until(lambda: new in run.outcomes())
        await run.let_go(A + "later")
        await run.finished(CRAWL)

    assert run.outcomes()[found] == ["200"]
