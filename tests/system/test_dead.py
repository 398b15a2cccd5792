"""`penstock dead`: on a cluster that runs, and in a data folder where none does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from contract.bus import Bus, Consumer, publish
from contract.bus.groups import ensure_groups
from contract.settings import Settings
from contract.topology import PARSE, RECORD
from penstock.cluster import one_machine
from penstock.site import SiteOptions, running_site
from storage.read_models import queries
from storage.sql.database import open_database, writing
from tests.builders import CRAWL, crawl_started, page_fetched
from tests.system.commands import penstock


async def bury(bus: Bus, stage, reason: str) -> None:
    async with Consumer(bus, stage) as consumer:
        for delivery in await consumer.take(10, block_ms=5):
            await consumer.bury(delivery, reason)


async def test_letters_of_a_cluster_that_runs_are_listed_shown_and_dropped(bus: Bus, tmp_path: Path) -> None:
    await publish(bus, page_fetched("http://a.test/\x1b]0;owned\x07"), page_fetched("http://b.test/"))
    await bury(bus, PARSE, "it \x1b[31mbroke")
    words = {"PENSTOCK_REDIS_URL": bus.url, "PENSTOCK_DATA": str(tmp_path)}

    listed = await penstock("dead", "list", **words)
    assert (listed.status, len(listed.out.splitlines())) == (0, 2), listed
    assert "\x1b" not in listed.out
    [letter] = (await penstock("dead", "list", "--host", "a.test", "--json", **words)).json
    assert (letter["stage"], letter["reason"], letter["crawl"]) == ("scraper.parse", "it \x1b[31mbroke", CRAWL)
    shown = await penstock("dead", "show", letter["letter"], **words)
    assert (shown.status, "page.fetched" in shown.out, "\x1b" in shown.out) == (0, True, False), shown
    raw = (await penstock("dead", "show", letter["letter"], "--json", **words)).json["raw"]
    assert json.loads(raw)["data"]["url"] == letter["url"]
    assert (await penstock("dead", "drop", letter["letter"], **words)).status == 0
    gone = await penstock("dead", "show", letter["letter"], **words)
    assert (gone.status, "no dead letter" in gone.err) == (2, True), gone
    dropped = await penstock("dead", "drop", "--all", "--stage", "scraper.parse", "--json", **words)
    assert len(dropped.json["done"]) == 1
    assert (await penstock("dead", "list", "--json", **words)).json == []


async def test_a_letter_of_a_folder_without_a_cluster_is_carried_out_before_the_command_ends(tmp_path: Path) -> None:
    async with (
        one_machine(Settings(data=str(tmp_path)), commands=()) as cluster,
        Bus.open(cluster.settings.redis_url) as bus,
    ):
        await ensure_groups(bus)
        await publish(bus, crawl_started())
        await bury(bus, RECORD, "cannot be recorded: the disk was on fire")

    done = await penstock("dead", "retry", "--all", "--reason", "on fire", "--data", str(tmp_path))

    assert done.status == 0, done
    assert [row["id"] for row in (await penstock("crawls", "--json", "--data", str(tmp_path))).json] == [CRAWL]
    assert (await penstock("dead", "list", "--json", "--data", str(tmp_path))).json == []


@pytest.mark.soak
async def test_a_crawl_whose_events_cannot_all_be_recorded_ends_says_so_and_is_whole_after_a_retry(tmp_path) -> None:
    engine = open_database(Settings(data=str(tmp_path)))
    async with running_site(SiteOptions(pages=12)) as site:
        fault = (
            f"new.type = 'page.parsed' AND new.subject = '{site.root_url}' BEGIN SELECT raise(ABORT, 'a fault'); END"
        )
        with writing(engine) as connection:
            connection.execute(text(f"CREATE TRIGGER fault BEFORE INSERT ON events WHEN {fault}"))
        words = ("--delay", "0", "--allow-private", "--progress", "none", "--data", str(tmp_path))
        done = await penstock("crawl", site.root_url, *words)
    assert (done.status, "1 events could not be recorded" in done.err) == (1, True), done
    again = await penstock("dead", "retry", "--all", "--data", str(tmp_path))
    assert (again.status, "was given up again" in again.err, "0 given" in again.out) == (2, True, True), again

    with writing(engine) as connection:
        connection.execute(text("DROP TRIGGER fault"))
    assert (await penstock("dead", "retry", "--all", "--data", str(tmp_path))).status == 0
    [row] = queries.crawls(engine)
    assert (row.parsed, queries.is_complete(engine, row.id)) == (row.fetched, True)


async def test_what_is_not_said_clearly_is_refused(tmp_path: Path) -> None:
    for words in (
        ("retry",),
        ("drop", "x/1-1", "--all"),
        ("list", "--stage", "nobody"),
        ("list", "--crawl", ""),
        ("retry", "x"),
    ):
        done = await penstock("dead", *words, "--data", str(tmp_path))
        assert (done.status, len(done.err.splitlines())) == (2, 1), done
