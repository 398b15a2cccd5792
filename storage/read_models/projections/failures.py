"""page.failed → failures: one row for each attempt that failed, also where a later one went well."""

from collections.abc import Sequence

from sqlalchemy import Connection

from contract.pages import PageFailed
from storage.read_models.projections import rows
from storage.read_models.projections.pages import page_key
from storage.sql import tables
from storage.store.event_store import Recorded

TABLES = (tables.failures,)


def fold(connection: Connection, events: Sequence[Recorded]) -> None:
    """Work events into the table."""
    failed = [event for event in events if isinstance(event.message.payload, PageFailed)]
    rows.add(connection, tables.failures, [_row(event) for event in failed])


def _row(event: Recorded) -> rows.Row:
    page: PageFailed = event.message.payload
    return {
        "event": event.key,
        "page": page_key(event),
        "crawl": event.message.envelope.crawl,
        "host": page.host,
        "attempt": page.attempt,
        "reason": page.reason,
        "detail": page.detail,
        "status": page.status,
        "retryable": page.retryable,
        "asked": page.asked,
        "started_at": page.started_at,
        "elapsed_ms": page.elapsed_ms,
        "failed_at": event.message.envelope.time,
    }
