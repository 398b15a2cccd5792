"""A crawl is one history: each event of its life has the next version, and a command may say which one it expects."""

import pytest

from contract.commands import CrawlCancel, CrawlPause, CrawlResume, SeedsAdd
from contract.crawls import ALL as LIFE
from tests.scheduler.harness import Run, running
from tests.scheduler.web import Web

A = "http://a.test/"


def life(run: Run, crawl: str) -> list[tuple[int, str, str]]:
    """The events of a crawl's own life by version: version, id's last word, type."""
    found = [m for m in run.events if isinstance(m.payload, LIFE) and m.envelope.crawl == crawl]
    return sorted((m.payload.version, m.envelope.id.removeprefix(f"{crawl}."), m.envelope.type) for m in found)


async def test_each_event_of_a_crawls_life_has_the_next_version_which_is_its_id(bus):
    async with running(bus, Web({A: (), A + "x": ()})) as run:
        run.hold = {A}
        crawl = await run.start(A)
        await run.pause(crawl)
        assert (await run.resume(crawl)).version == 3
        await run.command(SeedsAdd(seeds=(A + "x",)), crawl)
        await run.let_go(A)
        await run.finished(crawl)

    kinds = ("crawl.started", "crawl.paused", "crawl.resumed", "seeds.added", "crawl.finished")
    assert life(run, crawl) == [(number, f"v{number}", kind) for number, kind in enumerate(kinds, 1)]


async def test_going_on_with_a_paused_crawl_by_its_name_is_an_event_too(bus):
    async with running(bus, Web({A: ()})) as run:
        run.hold = {A}
        crawl = await run.start(A, name="mine")
        await run.pause(crawl)
        answer = await run.begin(A, name="mine")
        await run.let_go(A)
        await run.finished(crawl)

    assert (answer.crawl, answer.resumed, answer.version) == (crawl, True, 3)
    assert [version for version, _, _ in life(run, crawl)] == [1, 2, 3, 4]


@pytest.mark.parametrize("command", [CrawlPause, CrawlCancel, lambda **more: SeedsAdd(seeds=(A,), **more)])
async def test_a_command_that_expects_another_version_is_refused_and_changes_nothing(bus, command):
    async with running(bus, Web({A: ()})) as run:
        run.hold = {A}
        crawl = await run.start(A)
        late = await run.command(command(expected_version=2), crawl)
        right = await run.command(command(expected_version=1), crawl)

    assert late.refused == "the crawl has gone on meanwhile: it is at version 1, not 2"
    assert (right.refused, right.version) == (None, 2)


async def test_of_two_commands_that_expect_the_same_version_one_is_carried_out(bus):
    async with running(bus, Web({A: ()}), schedulers=2) as run:
        run.hold = {A}
        crawl = await run.start(A)
        await run.pause(crawl)
        first = await run.command(CrawlResume(expected_version=2), crawl)
        second = await run.command(CrawlCancel(expected_version=2), crawl)

    assert (first.refused, first.version) == (None, 3)
    assert second.refused == "the crawl has gone on meanwhile: it is at version 3, not 2"
