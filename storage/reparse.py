"""A crawl's archived pages, to be parsed once more, and what that said → event store and read models.

Takes an engine and a crawl's id; owns nothing. A recorder may go on meanwhile: whoever writes waits for the other. What
is known already stays as it is, so that appending twice is appending once.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, select

from contract.pages import PageFailed, PageFetched
from storage.read_models.fold import fold
from storage.sql import tables
from storage.sql.database import writing
from storage.sql.tables import digest
from storage.store import event_store
from storage.store.event_store import Arrival, Recorded, chunks

#: Pages looked up together.
_CHUNK = 250


class Archived(msgspec.Struct, frozen=True):
    """A page that a crawl has: its page.fetched, or the page.failed that stands for it.

    `parsed_event` is the key of the page.parsed that stands for it, if any. Its body is lost where `event.place` is
    None. `links` is what that page.parsed counts: found, and left out of them; None where nobody could count them.
    """

    event: Recorded
    parsed_event: bytes | None = None
    links: tuple[int, int] | None = None


def count(engine: Engine, crawl: str) -> int:
    """How many fetched pages `archived` gives by now."""
    event = tables.events.c
    query = select(func.count()).where(event.crawl == crawl, event.type == PageFetched.TYPE)
    with engine.connect() as connection:
        return connection.execute(query).scalar_one()


def archived(engine: Engine, crawl: str, *, failed: bool = False) -> Iterator[list[Archived]]:
    """The fetched pages of a crawl in the order of the archive, some at a time.

    With `failed` also the answers of 4xx and 5xx that are kept: of each page the one that stands for it.
    """
    types = (PageFetched.TYPE, PageFailed.TYPE) if failed else (PageFetched.TYPE,)
    events = event_store.read(engine, types=types, crawl=crawl)
    while chunk := [stored.recorded() for stored in itertools.islice(events, _CHUNK)]:
        if failed:
            chunk = _standing(engine, chunk)
        parsed = _parsed(engine, crawl, chunk)
        yield [Archived(event, *parsed.get(digest(crawl, event.message.payload.url), ())) for event in chunk]


def _standing(engine: Engine, events: Sequence[Recorded]) -> list[Recorded]:
    """These events without the failures that had no answer, or were followed by another outcome."""
    keys = [event.key for event in events if isinstance(event.message.payload, PageFailed)]
    page = tables.pages.c
    with engine.connect() as connection:
        query = select(page.event).where(page.event.in_(keys), page.segment.is_not(None))
        standing = {bytes(key) for key in connection.execute(query).scalars()}
    return [event for event in events if isinstance(event.message.payload, PageFetched) or event.key in standing]


def _parsed(engine: Engine, crawl: str, events: Sequence[Recorded]) -> dict[bytes, tuple[Any, ...]]:
    """The keys of parsed pages → that of the page.parsed that stands in the row, and the links that it counts."""
    page = tables.pages.c
    columns = (page.parsed_event, page.links_found, page.links_left_out, page.parse_error)
    keys = [digest(crawl, event.message.payload.url) for event in events]
    with engine.connect() as connection:
        query = select(page.key, *columns).where(page.key.in_(keys), page.parsed_event.is_not(None))
        rows = connection.execute(query).all()
    return {bytes(key): (bytes(event), None if error else (found, cut)) for key, event, found, cut, error in rows}


def known(engine: Engine, keys: Sequence[bytes]) -> set[bytes]:
    """Those of these keys under which an event is recorded."""
    with engine.connect() as connection:
        return _known(connection, keys)


def rows_of(engine: Engine, crawl: str, urls: Sequence[str]) -> set[str]:
    """Those of these URLs for which the crawl has a page, whatever came of it."""
    key = tables.pages.c.key
    by_key = {digest(crawl, url): url for url in urls}
    with engine.connect() as connection:
        queries = (select(key).where(key.in_(some)) for some in chunks(list(by_key)))
        return {by_key[bytes(found)] for query in queries for found in connection.execute(query).scalars()}


def append(engine: Engine, arrivals: Sequence[Arrival]) -> set[bytes]:
    """Append events and fold them, in one transaction; returns the keys of the new ones. Raises what SQL raises."""
    batch = {arrival.key: arrival for arrival in arrivals}
    with writing(engine) as connection:
        # Nobody else writes now. Two commands at once say the same in other words (its time, how long it took), which
        # is no conflict between events that anybody has to hear of.
        for key in _known(connection, list(batch)):
            del batch[key]
        if batch:
            event_store.append(connection, batch)
            fold(connection, [Recorded(key, arrival.message) for key, arrival in batch.items()])
    return set(batch)


def _known(connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
    key = tables.events.c.key
    queries = (select(key).where(key.in_(some)) for some in chunks(keys))
    return {bytes(found) for query in queries for found in connection.execute(query).scalars()}
