"""page.parsed → items: one row for each thing that was extracted.

Rows are only ever added: what an older version of a spider made of a page stays. The current ones of a page are those
of the page.parsed that stands in its row.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from contract.pages import PageParsed
from storage.read_models.projections import rows
from storage.read_models.projections.pages import page_key
from storage.sql import tables
from storage.store.event_store import Recorded

TABLES = (tables.items,)


def fold(connection: Connection, events: Sequence[Recorded]) -> None:
    """Work events into the table."""
    parsed = [event for event in events if isinstance(event.message.payload, PageParsed)]
    rows.add(connection, tables.items, [row for event in parsed for row in _rows(event)])


def _rows(event: Recorded) -> list[rows.Row]:
    page: PageParsed = event.message.payload
    if not page.items:
        return []
    common = {
        "event": event.key,
        "page": page_key(event),
        "crawl": event.message.envelope.crawl,
        "spider": page.spider,
        "spider_version": page.spider_version,
    }
    return [
        {**common, "ordinal": ordinal, "type": item.type, "data": msgspec.json.encode(item.data).decode()}
        for ordinal, item in enumerate(page.items)
    ]
