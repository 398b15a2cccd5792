"""page.fetched, page.failed, robots.fetched → hosts: requests to each host of a crawl, and its robots.txt.

The gaps between requests are not here: they follow from the times of requests, whatever order those came in (see
`queries.hosts`).
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from contract.pages import PageFailed, PageFetched, RobotsFetched
from storage.read_models.projections import rows
from storage.read_models.projections.rows import Row
from storage.sql import tables
from storage.sql.tables import digest
from storage.store.event_store import Recorded

TABLES = (tables.hosts,)

_BLANK = {**rows.columns(tables.hosts), "requests": 0, "errors": 0, "bytes": 0}


def fold(connection: Connection, events: Sequence[Recorded]) -> None:
    """Work events into the table."""
    mine = [event for event in events if isinstance(event.message.payload, PageFetched | PageFailed | RobotsFetched)]
    keys = [digest(event.message.envelope.crawl, event.message.payload.host) for event in mine]
    found = rows.load(connection, tables.hosts, list(set(keys)))
    for key, event in zip(keys, mine, strict=True):
        _apply(found.setdefault(key, {**_BLANK, "key": key}), event)
    rows.save(connection, tables.hosts, found)


def _apply(row: Row, event: Recorded) -> None:
    payload = event.message.payload
    row |= {"crawl": event.message.envelope.crawl, "host": payload.host}
    row["requests"] += payload.asked
    match payload:
        case PageFetched():
            row["bytes"] += payload.body.wire
        case PageFailed():
            row["errors"] += payload.asked
        case RobotsFetched():
            row["errors"] += payload.asked and payload.verdict in ("deny", "retry")
            _robots(row, event)


def _robots(row: Row, event: Recorded) -> None:
    robots: RobotsFetched = event.message.payload
    time = event.message.envelope.time
    if row["robots_event"] and (row["robots_at"], row["robots_event"]) > (time, event.key):
        return
    row |= {
        "robots_at": time,
        "robots_event": event.key,
        "robots_verdict": robots.verdict,
        "robots_status": robots.status,
        "robots_started_at": robots.started_at if robots.asked else None,
        "crawl_delay_ms": robots.crawl_delay_ms,
    }
