"""All projections in one call: events → read models."""

from collections.abc import Sequence

from sqlalchemy import Connection

from storage.event_store import Recorded
from storage.projections import crawls, failures, hosts, items, pages, seeds
from storage.projections.rows import Row

#: Every projection; each owns its `TABLES`.
PROJECTIONS = (crawls, seeds, pages, items, hosts, failures)


def fold(connection: Connection, events: Sequence[Recorded]) -> list[Row]:
    """Work events, each of which comes once, into every read model; returns the rows of pages that they touched."""
    for projection in PROJECTIONS:
        if projection is not pages:
            projection.fold(connection, events)
    return pages.fold(connection, events)
