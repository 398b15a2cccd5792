"""page.fetched, page.failed, page.excluded, page.parsed → pages, tallies: one row for each URL of a crawl.

A row has two halves. One is the outcome that stands: a page that was fetched has its body in the archive, whatever a
later attempt came to (a frontier that lost its last seconds asks again); else that of the latest attempt. The other is
what the latest page.parsed without an error said, or while there is none, the latest one: an extractor that breaks on a
page takes nothing away that another made of it. Either half may come first, or alone.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from contract.envelope import Payload
from contract.pages import BodyRef, PageExcluded, PageFailed, PageFetched, PageParsed, Wishes
from storage.read_models.projections import rows, tallies
from storage.read_models.projections.rows import Row
from storage.sql import tables
from storage.sql.tables import digest
from storage.store.event_store import Recorded

TABLES = (tables.pages, tables.tallies)

#: Between outcomes of one attempt, which only a fault can make, the one that keeps most wins; fetched, between all.
_STRENGTH = {"excluded": 0, "failed": 1, "fetched": 2}
_BLANK = {
    **rows.columns(tables.pages),
    **dict.fromkeys(("attempts", "bytes", "wire_bytes", "links_found", "links_left_out", "items_found"), 0),
}


def fold(connection: Connection, events: Sequence[Recorded]) -> list[Row]:
    """Work events into the tables; returns the rows that they touched, in the order of the events."""
    mine = [(page_key(event), event) for event in events if is_about_a_page(event.message.payload)]
    by_key = dict(mine)
    before = rows.load(connection, tables.pages, list(by_key))
    after = {key: dict(before[key]) if key in before else blank(key, by_key[key]) for key in by_key}
    for key, event in mine:
        _APPLY[type(event.message.payload)](after[key], event)
    rows.save(connection, tables.pages, after)
    tallies.count(connection, ((before.get(key), row) for key, row in after.items()))
    return list(after.values())


def is_about_a_page(payload: Payload) -> bool:
    """Whether this event belongs to a page; an excluded robots.txt is no page."""
    return type(payload) in _APPLY and not getattr(payload, "robots", False)


def page_key(event: Recorded) -> bytes:
    """The key of the row that an event belongs to."""
    return digest(event.message.envelope.crawl, event.message.payload.url)


def blank(key: bytes, event: Recorded) -> Row:
    """The row of a page that nothing is known of but its URL."""
    payload = event.message.payload
    row = {**_BLANK, "key": key, "crawl": event.message.envelope.crawl, "url": payload.url}
    return row | {"host": payload.host, "depth": payload.depth, "hops": payload.hops}


def _fetched(row: Row, event: Recorded) -> None:
    page: PageFetched = event.message.payload
    if _settle(row, event, "fetched", page.attempt):
        flags = page.flags if event.place else (*page.flags, "body_missing")
        row |= (
            _timing(page)
            | _kept(page.body, event)
            | {
                "via": page.via,
                "status": page.status,
                "content_type": page.content_type,
                "location": page.location,
                "flags": " ".join(flags) or None,
            }
        )


def _failed(row: Row, event: Recorded) -> None:
    page: PageFailed = event.message.payload
    if _settle(row, event, "failed", page.attempt):
        row |= _timing(page) | {
            "via": page.via,
            "status": page.status,
            "reason": page.reason,
            "detail": page.detail,
            "retryable": page.retryable,
        }
        if page.body:
            row |= _kept(page.body, event) | {"content_type": page.content_type}


def _excluded(row: Row, event: Recorded) -> None:
    page: PageExcluded = event.message.payload
    if _settle(row, event, "excluded", page.attempt):
        row |= {"via": page.via, "reason": page.reason, "detail": page.detail}


def _parsed(row: Row, event: Recorded) -> None:
    page: PageParsed = event.message.payload
    time = event.message.envelope.time
    standing = (row["parse_error"] is None, row["parsed_at"], row["parsed_event"])
    if row["parsed_event"] and standing > (page.error is None, time, event.key):
        return
    if row["outcome"] is None:
        row |= {"host": page.host, "depth": page.depth, "hops": page.hops}
    row |= {
        "parsed_at": time,
        "parsed_event": event.key,
        "title": page.title,
        "parse_error": page.error,
        "parse_detail": page.detail or None,
        "links_found": page.links_found,
        "links_left_out": page.links_left_out,
        "items_found": len(page.items),
        "spider": page.spider,
        "spider_version": page.spider_version,
        "parse_ms": page.elapsed_ms,
        **_wishes(page.wishes),
    }


def _wishes(wishes: Wishes | None) -> Row:
    said = msgspec.structs.asdict(wishes or _NO_WISHES)
    return said | {"robots": said["robots"] or None}


def _settle(row: Row, event: Recorded, outcome: str, attempt: int) -> bool:
    """Clear the row for this outcome, unless a stronger one stands in it."""
    if row["outcome"]:
        standing = _rank(row["outcome"], row["attempts"], row["event"])
        if standing > _rank(outcome, attempt, event.key):
            return False
    page = event.message.payload
    row |= _NO_OUTCOME | {"outcome": outcome, "event": event.key, "attempts": attempt}
    row |= {"host": page.host, "depth": page.depth, "hops": page.hops}
    row["settled_at"] = event.message.envelope.time
    return True


def _rank(outcome: str, attempt: int, key: bytes) -> tuple[bool, int, int, bytes]:
    return outcome == "fetched", attempt, _STRENGTH[outcome], key


def _kept(body: BodyRef, event: Recorded) -> Row:
    kept: Row = {"bytes": body.size, "wire_bytes": body.wire, "digest": body.digest}
    if event.place:
        kept |= {"segment": event.place.segment, "offset": event.place.offset, "length": event.place.length}
    return kept


def _timing(page: PageFetched | PageFailed) -> Row:
    return {"started_at": page.started_at, "elapsed_ms": page.elapsed_ms, "waited_ms": page.waited_ms}


_NO_WISHES = Wishes()
_OUTCOME_COLUMNS = (
    *("via", "reason", "detail", "retryable", "status", "content_type", "location", "bytes", "wire_bytes"),
    *("digest", "flags", "started_at", "elapsed_ms", "waited_ms", "segment", "offset", "length"),
)
_NO_OUTCOME: Row = {name: _BLANK[name] for name in _OUTCOME_COLUMNS}

_APPLY: dict[Any, Callable[[Row, Recorded], None]] = {
    PageFetched: _fetched,
    PageFailed: _failed,
    PageExcluded: _excluded,
    PageParsed: _parsed,
}
