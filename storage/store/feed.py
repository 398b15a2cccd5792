"""What has just become of pages, as it is recorded: outcomes behind a position, and the requests that they tell of.

Takes an engine, gives portions of bounded size whatever was recorded in the meantime; owns nothing. Positions become
visible in their order (`storage.sql.database.writing`), so who reads on from the last one misses nothing.
"""

import heapq
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, select

from contract.envelope import Message
from contract.pages import PageExcluded, PageFailed, PageFetched, RobotsFetched
from storage.read_models.recent import MOST_DETAIL
from storage.sql import tables
from storage.sql.tables import digest
from storage.store.event_store import chunks, stored_of

OUTCOMES = (PageFetched.TYPE, PageFailed.TYPE, PageExcluded.TYPE)
#: Events of each type in one portion. Links that are left out come by the thousand, and say little each.
LIMITS: Mapping[str, int] = {
    PageFetched.TYPE: 500,
    PageFailed.TYPE: 500,
    PageExcluded.TYPE: 100,
    RobotsFetched.TYPE: 500,
}
#: The same for who has just come, and wants to know how fast hosts have been of late.
LATE_LIMITS: Mapping[str, int] = {**LIMITS, PageFetched.TYPE: 2_000}
#: Rows of one portion; beyond them the older ones are only counted.
MOST_ROWS = 500
#: Rows of one portion for who reads on from long ago: a message of some 60 kB.
MISSED_ROWS = 200

#: Position and data of an event.
Row = tuple[int, bytes]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt at a URL came to; `at` is when that was said (RFC 3339), `title` None where it is not known.

    `detail` is the sentence that goes with a reason, at most `MOST_DETAIL` characters of it.
    """

    position: int
    url: str
    host: str
    outcome: str
    status: int | None
    reason: str | None
    detail: str | None
    title: str | None
    elapsed_ms: int | None
    at: str


class Asked(msgspec.Struct, frozen=True):
    """A request to a host: when it started (Unix ms), and how long it took (ms; None for a robots.txt)."""

    host: str
    started_at: int
    elapsed_ms: int | None


class Portion(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes and requests up to `position`, oldest first; `left_out` outcomes are only counted."""

    position: int
    outcomes: Sequence[Outcome]
    asked: Sequence[Asked]
    left_out: int


def last_position(engine: Engine) -> int:
    """Of all that is recorded; 0 if nothing is."""
    with engine.connect() as connection:
        return _last_position(connection)


def read(engine: Engine, crawl: str, *, after: int, upto: int) -> Portion:
    """What was recorded of a crawl behind one position and up to another."""
    with engine.connect() as connection:
        found = {kind: _of_kind(connection, crawl, kind, after, upto, limit) for kind, limit in LIMITS.items()}
        beyond = sum(
            _count(connection, crawl, kind=kind, after=after, upto=found[kind][0][0] - 1)
            for kind in OUTCOMES
            if len(found[kind]) == LIMITS[kind]
        )
        return _portion(connection, _in_order(found.values()), upto=upto, left_out=beyond)


def read_latest(engine: Engine, crawl: str) -> Portion:
    """What was recorded of a crawl last; what was before it is not even counted."""
    with engine.connect() as connection:
        upto = _last_position(connection)
        found = {kind: _of_kind(connection, crawl, kind, 0, upto, limit) for kind, limit in LATE_LIMITS.items()}
        return _portion(connection, _in_order(found.values()), upto=upto, left_out=0)


def read_on(engine: Engine, crawl: str, *, after: int, upto: int, limit: int = MISSED_ROWS) -> Portion:
    """The first outcomes of a crawl behind one position and up to another, so many at most, none left out.

    The portion's `position` is that of its last row where there may be more, else `upto`.
    """
    with engine.connect() as connection:
        found = [_of_kind(connection, crawl, kind, after, upto, limit, is_latest=False) for kind in OUTCOMES]
        rows = list(itertools.islice(_in_order(found), limit))
        return _portion(connection, rows, upto=rows[-1][0] if len(rows) == limit else upto, left_out=0)


def _count(connection: Connection, crawl: str, *, kind: str, after: int, upto: int) -> int:
    event = tables.events.c
    query = select(func.count()).where(event.crawl == crawl, event.type == kind)
    return int(connection.execute(query.where(event.position > after, event.position <= upto)).scalar_one())


def _last_position(connection: Connection) -> int:
    return connection.execute(select(func.max(tables.events.c.position))).scalar_one() or 0


def _of_kind(
    connection: Connection, crawl: str, kind: str, after: int, upto: int, limit: int, *, is_latest: bool = True
) -> list[Row]:
    """The latest or the first events of a type, oldest first."""
    event = tables.events.c
    query = select(event.position, event.data).where(event.crawl == crawl, event.type == kind)
    query = query.where(event.position > after, event.position <= upto)
    order = event.position.desc() if is_latest else event.position
    rows = connection.execute(query.order_by(order).limit(limit)).all()
    return [(row.position, row.data) for row in (reversed(rows) if is_latest else rows)]


def _in_order(found: Iterable[Sequence[Row]]) -> Iterable[Row]:
    return heapq.merge(*found, key=lambda row: row[0])


def _portion(connection: Connection, rows: Iterable[Row], *, upto: int, left_out: int) -> Portion:
    messages = [(position, stored_of(position, data).recorded().message) for position, data in rows]
    told = [(position, message) for position, message in messages if _is_outcome(message)]
    shown = told[-MOST_ROWS:]
    titles = _titles(connection, [message for _, message in shown])
    return Portion(
        position=upto,
        outcomes=[_outcome(position, message, titles) for position, message in shown],
        asked=[asked for _, message in messages if (asked := _asked(message))],
        left_out=left_out + len(told) - len(shown),
    )


def _is_outcome(message: Message) -> bool:
    """An excluded robots.txt is no page."""
    return message.envelope.type in OUTCOMES and not getattr(message.payload, "robots", False)


def _titles(connection: Connection, messages: Sequence[Message]) -> dict[bytes, str]:
    page, found = tables.pages.c, dict[bytes, str]()
    keys = [_page_key(message) for message in messages if isinstance(message.payload, PageFetched)]
    for some in chunks(keys):
        rows = connection.execute(select(page.key, page.title).where(page.key.in_(some), page.title.is_not(None)))
        found |= {bytes(row.key): row.title for row in rows}
    return found


def _page_key(message: Message) -> bytes:
    return digest(message.envelope.crawl, message.payload.url)


def _outcome(position: int, message: Message, titles: Mapping[bytes, str]) -> Outcome:
    page: Any = message.payload
    return Outcome(
        position=position,
        url=page.url,
        host=page.host,
        outcome=page.TYPE.partition(".")[2],
        status=getattr(page, "status", None),
        reason=getattr(page, "reason", None),
        detail=getattr(page, "detail", "")[:MOST_DETAIL] or None,
        title=titles.get(_page_key(message)) if isinstance(page, PageFetched) else None,
        elapsed_ms=getattr(page, "elapsed_ms", None),
        at=message.envelope.time,
    )


def _asked(message: Message) -> Asked | None:
    page = message.payload
    if isinstance(page, PageExcluded) or not page.asked or page.started_at <= 0:
        return None
    return Asked(page.host, page.started_at, None if isinstance(page, RobotsFetched) else page.elapsed_ms)
