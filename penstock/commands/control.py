"""`penstock pause|resume|cancel|add`: a command to a crawl, and what the scheduler made of it.

Where no cluster runs in the data folder, one is started for as long as the command takes, with only the stages that
carry it out, so that a stopped crawl can be cancelled or given seeds too.
"""

from __future__ import annotations

import asyncio
from typing import Any

from contract.bus import Bus
from contract.commands import CrawlCancel, CrawlPause, CrawlResume, SeedsAdd
from contract.envelope import Payload
from contract.errors import Refused
from contract.settings import Settings, load
from penstock.cluster import one_machine, running_in
from penstock.commands.recorded import crawl_of
from penstock.seeds import seed_urls
from penstock.submit import give, until_recorded
from storage.read_models.queries import CrawlRow
from storage.sql.database import open_database

#: The stages that carry a command out and record it.
NEEDED = ("scheduler", "record")
_PAYLOADS: dict[str, type[Payload]] = {"pause": CrawlPause, "resume": CrawlResume, "cancel": CrawlCancel}
#: From these a crawl does not come back, so nobody has to be asked.
OVER = ("finished", "cancelled")
_DONE = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "add": "given its seeds"}


def control(verb: str, crawl: str, given: dict[str, Any], *, seeds: list[str], seeds_file: str | None) -> None:
    """Carry the command out; raises `Refused` with the scheduler's sentence where it does not fit."""
    settings = load(given)
    row = crawl_of(settings, crawl)
    if row.state in OVER:
        raise Refused(f"crawl {row.id}: the crawl is {row.state} and cannot be {_DONE[verb].replace('its', 'more')}")
    if verb == "resume" and row.state == "running" and running_in(settings) is None:
        way = f"penstock crawl --name {row.name} --data {settings.folder}"
        raise Refused(f"crawl {row.id}: it is not paused, its cluster has ended; go on with it: {way}, or penstock up")
    urls = seed_urls(seeds, file=seeds_file)
    if verb == "add" and not urls:
        raise Refused("nothing to add: give a seed URL or --seeds-file")
    _carry_out(settings, row, verb, SeedsAdd(seeds=tuple(urls)) if verb == "add" else _PAYLOADS[verb]())


def add_seeds(settings: Settings, row: CrawlRow, urls: list[str]) -> None:
    """Give a crawl that goes on more seeds; raises `Refused` as `control` does."""
    _carry_out(settings, row, "add", SeedsAdd(seeds=tuple(urls)))


def _carry_out(settings: Settings, row: CrawlRow, verb: str, payload: Payload) -> None:
    asyncio.run(_control(settings, row.id, payload))
    print(f"{row.name} ({row.id}) is {_DONE[verb]}")


async def _control(settings: Settings, crawl: str, payload: Payload) -> None:
    async with (
        one_machine(settings, commands=NEEDED) as cluster,
        Bus.open(cluster.settings.redis_url, prefix=settings.prefix) as bus,
    ):
        answer = await give(bus, payload, crawl=crawl)
        if answer.refused:
            raise Refused(f"crawl {crawl}: {answer.refused}")
        await until_recorded(open_database(cluster.settings), crawl, answer.version)
