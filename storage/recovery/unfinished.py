"""What is recorded of crawls that are not over, as far as the frontier needs it. Takes an engine, gives rows.

What may be long is an iterator that holds some rows at a time.
"""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Engine, func, or_, select

from contract.crawls import ALL as LIFE
from storage.read_models.listings import stream
from storage.sql import tables
from storage.store import event_store
from storage.store.event_store import Stored, stored_of

_GOES_ON = tables.crawls.c.state.in_(("running", "paused"))


def crawls(engine: Engine, only: Collection[str] | None = None) -> list[tuple[str, str, str]]:
    """Crawls that are not over, or these alone, over or not: id, state, and specification in JSON."""
    crawl = tables.crawls.c
    query = select(crawl.id, crawl.state, crawl.spec).where(crawl.spec.is_not(None))
    query = query.where(_GOES_ON if only is None else crawl.id.in_(only))
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(crawl.started_at, crawl.id))]


def lacking(engine: Engine) -> list[tuple[str, str, str]]:
    """Crawls that have finished, and of which less is recorded than they ended with, in the same form: they go on.

    Their end was recorded before all that it speaks of, which was lost then.
    """
    crawl, tally = tables.crawls.c, tables.tallies.c
    ended = select(crawl.id, crawl.spec, crawl.final_fetched, crawl.final_failed, crawl.final_excluded)
    ended = ended.where(crawl.state == "finished", crawl.spec.is_not(None)).order_by(crawl.started_at, crawl.id)
    counted = select(tally.crawl, tally.kind, func.sum(tally.count)).where(tally.kind.in_(("outcome", "parsed")))
    with engine.connect() as connection:
        rows = connection.execute(ended).all()
        query = counted.where(tally.crawl.in_([row.id for row in rows])).group_by(tally.crawl, tally.kind)
        found = {(id, kind): int(count) for id, kind, count in connection.execute(query)}
    return [
        (row.id, "running", row.spec)
        for row in rows
        if found.get((row.id, "outcome"), 0) < row.final_fetched + row.final_failed + row.final_excluded
        or found.get((row.id, "parsed"), 0) < row.final_fetched
    ]


def states(engine: Engine, others: Collection[str]) -> dict[str, str]:
    """The states of crawls that are not over, and of these others."""
    crawl = tables.crawls.c
    query = select(crawl.id, crawl.state).where(crawl.spec.is_not(None), or_(_GOES_ON, crawl.id.in_(others)))
    with engine.connect() as connection:
        return {row.id: row.state for row in connection.execute(query)}


def seeds(engine: Engine, crawl: str) -> Iterator[str]:
    """The seeds of a crawl."""
    seed = tables.seeds.c
    return (row["url"] for row in stream(engine, select(seed.url).where(seed.crawl == crawl)))


def crawl_delays(engine: Engine, crawl: str) -> list[tuple[str, int]]:
    """The hosts of a crawl whose robots.txt asks for a delay, and that delay in ms."""
    host = tables.hosts.c
    query = select(host.host, host.crawl_delay_ms).where(host.crawl == crawl, host.crawl_delay_ms > 0)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def known_pages(engine: Engine, crawl: str) -> Iterator[dict[str, Any]]:
    """What stands of each page of a crawl that has an outcome, and whether it was `read`."""
    page = tables.pages.c
    query = select(
        *(page.url, page.depth, page.hops, page.via, page.attempts, page.outcome, page.reason, page.retryable),
        *(page.status, page.event, page.parsed_event.is_not(None).label("read")),
    )
    return stream(engine, query.where(page.crawl == crawl, page.outcome.is_not(None)))


def unread(engine: Engine, crawl: str) -> Iterator[Stored]:
    """The page.fetched of pages that nobody has read."""
    page, event, body = tables.pages.c, tables.events.c, tables.bodies.c
    query = select(event.position, event.data, body.segment, body.offset, body.length)
    query = query.join_from(tables.pages, tables.events, page.event == event.key)
    query = query.join(tables.bodies, event.position == body.position, isouter=True)
    query = query.where(page.crawl == crawl, page.outcome == "fetched", page.parsed_event.is_(None))
    return (stored_of(**row) for row in stream(engine, query))


def version(engine: Engine, crawl: str) -> int:
    """The version of the last recorded event of the crawl's own life; 0 where there is none."""
    events = event_store.read(engine, types=[kind.TYPE for kind in LIFE], crawl=crawl)
    return max((stored.recorded().message.payload.version for stored in events), default=0)
