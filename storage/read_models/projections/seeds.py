"""crawl.started, seeds.added → seeds: the URLs that a crawl starts from, each once, in the order in which they came."""

from collections.abc import Sequence

from sqlalchemy import Connection

from contract.crawls import CrawlStarted, SeedsAdded
from storage.read_models.projections import rows
from storage.read_models.projections.rows import Row
from storage.sql import tables
from storage.sql.tables import digest
from storage.store.event_store import Recorded

TABLES = (tables.seeds,)


def fold(connection: Connection, events: Sequence[Recorded]) -> None:
    """Work events into the table."""
    given = [row for event in events for row in _rows(event)]
    found = rows.load(connection, tables.seeds, list({row["key"] for row in given}))
    for row in given:
        first = found.setdefault(row["key"], row)
        if (row["at"], row["ordinal"]) < (first["at"], first["ordinal"]):
            found[row["key"]] = row
    rows.save(connection, tables.seeds, found)


def _rows(event: Recorded) -> list[Row]:
    payload, crawl = event.message.payload, event.message.envelope.crawl
    if not isinstance(payload, CrawlStarted | SeedsAdded):
        return []
    return [
        {"key": digest(crawl, url), "crawl": crawl, "url": url, "at": event.message.envelope.time, "ordinal": i}
        for i, url in enumerate(payload.seeds)
    ]
