"""`penstock pause|resume|cancel|add`: a command to a crawl, and what the scheduler made of it.

Where no cluster runs in the data folder, one is started for as long as the command takes, with only the stages that
carry it out, so that a stopped crawl can be cancelled or given seeds too.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from events.bus import Bus, publish
from events.bus.groups import ensure_groups
from events.commands import CrawlCancel, CrawlPause, CrawlResume, SeedsAdd
from events.envelope import Payload
from events.errors import Refused
from events.settings import Settings, load
from penstock.cluster import one_machine
from penstock.commands.recorded import crawl_of
from penstock.seeds import seed_urls
from penstock.submit import answer_to, new_command
from storage import unfinished
from storage.database import open_database

#: The stages that carry a command out and record it.
NEEDED = ("scheduler", "record")
#: How long the recorder may take to write down what was done.
_RECORDED_SECONDS = 20.0
_PAYLOADS: dict[str, type[Payload]] = {"pause": CrawlPause, "resume": CrawlResume, "cancel": CrawlCancel}
_DONE = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "add": "given its seeds"}


def control(verb: str, crawl: str, given: dict[str, Any], *, seeds: list[str], seeds_file: str | None) -> None:
    """Carry the command out; raises `Refused` with the scheduler's sentence where it does not fit."""
    settings = load(given)
    row = crawl_of(settings, crawl)
    urls = seed_urls(seeds, file=seeds_file)
    if verb == "add" and not urls:
        raise Refused("nothing to add: give a seed URL or --seeds-file")
    payload = SeedsAdd(seeds=tuple(urls)) if verb == "add" else _PAYLOADS[verb]()
    asyncio.run(_control(settings, row.id, payload, verb))
    print(f"{row.name} ({row.id}) is {_DONE[verb]}")


async def _control(settings: Settings, crawl: str, payload: Payload, verb: str) -> None:
    async with (
        one_machine(settings, commands=NEEDED) as cluster,
        Bus.open(cluster.settings.redis_url, prefix=settings.prefix) as bus,
    ):
        await ensure_groups(bus)
        command = new_command(payload, crawl=crawl)
        await publish(bus, command)
        answer = await answer_to(bus, command)
        if answer.refused:
            raise Refused(f"crawl {crawl}: {answer.refused}")
        await _recorded(cluster.settings, crawl, answer.version)


async def _recorded(settings: Settings, crawl: str, version: int) -> None:
    engine, deadline = open_database(settings), time.monotonic() + _RECORDED_SECONDS
    while time.monotonic() < deadline:
        if await asyncio.to_thread(unfinished.version, engine, crawl) >= version:
            return
        await asyncio.sleep(0.02)
