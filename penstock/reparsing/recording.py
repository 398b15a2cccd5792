"""What children said of archived pages → page.parsed, in the event store and the read models.

Takes batches, counts them in a tally once they are recorded. What an extractor said is recorded, also that it failed;
`is_said` tells it from what a child did (it died, its time was over), which says nothing of the page: the parse before
stands, and another run tries again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set

import msgspec
from sqlalchemy import Engine

from contract import codec
from contract.errors import Undecodable, Unreachable
from contract.pages import PageParsed
from penstock.reparsing.choosing import Chosen
from penstock.reparsing.tally import Tally
from scraper.parsers.frames import Result
from scraper.parsers.parsed import reparsed
from storage.batch import is_passing
from storage.reparse import append
from storage.store.event_store import Arrival

#: What `source` says in these events.
SOURCE = "penstock.reparse"
#: How often to try while the database is locked, full or away; a locked one lets an attempt wait for LOCK_SECONDS.
ATTEMPTS = 4
_PAUSE_SECONDS = 0.5


class Read(msgspec.Struct, frozen=True):
    """A page that a child has read."""

    page: Chosen
    result: Result


def is_said(result: Result) -> bool:
    """Whether an extractor said this, well or ill; a child that ended has nothing to say in its name."""
    return bool(result.spider_version)


async def record(engine: Engine, batch: Sequence[Read], tally: Tally) -> None:
    """Record a batch in one transaction; raises `Unreachable` for a database that cannot be written to."""
    arrivals = await asyncio.to_thread(_arrivals, batch, tally)
    if arrivals:
        await _record(engine, arrivals, tally)


def _arrivals(batch: Sequence[Read], tally: Tally) -> list[Arrival]:
    return [arrival for read in batch if (arrival := _arrival(read, tally))]


def _arrival(read: Read, tally: Tally) -> Arrival | None:
    message = reparsed(read.page.event.message, read.result, source=SOURCE, links=read.page.links)
    try:
        raw = codec.encode(message)
        return Arrival(codec.decode(raw), raw)
    except (Undecodable, ValueError) as error:
        # The items come from a child as they are, and a page may have taken it over.
        _count_unrecorded(message.payload.url, error, tally)
        return None


async def _record(engine: Engine, arrivals: Sequence[Arrival], tally: Tally) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            fresh = await asyncio.to_thread(append, engine, arrivals)
            return _count(arrivals, fresh, tally)
        except Exception as error:
            if not is_passing(error):
                return await _record_apart(engine, arrivals, error, tally)
            if attempt == ATTEMPTS:
                raise Unreachable(f"cannot write to the database: {_line(error)}; what is recorded stays") from error
        await asyncio.sleep(_PAUSE_SECONDS)


async def _record_apart(engine: Engine, arrivals: Sequence[Arrival], error: Exception, tally: Tally) -> None:
    if len(arrivals) == 1:
        return _count_unrecorded(arrivals[0].message.payload.url, error, tally)
    for arrival in arrivals:
        await _record(engine, [arrival], tally)


def _count(arrivals: Sequence[Arrival], fresh: Set[bytes], tally: Tally) -> None:
    for arrival in arrivals:
        page: PageParsed = arrival.message.payload
        if arrival.key not in fresh:
            tally.already_parsed += 1
        elif page.error:
            tally.failed += 1
            tally.note(page.url, page.error, page.detail)
        else:
            tally.parsed += 1
            tally.items += len(page.items)


def _count_unrecorded(url: str, error: Exception, tally: Tally) -> None:
    tally.unrecorded += 1
    tally.note(url, "unrecorded", _line(error))


def _line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
