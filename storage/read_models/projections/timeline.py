"""page.fetched, page.failed → timeline: requests by the time at which they started, a row for TIMELINE_SECONDS.

Every attempt counts, also one that a later one made up for. A failure that no request was made for is left out.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from contract.pages import PageFailed, PageFetched
from storage.read_models.projections import rows
from storage.sql import tables
from storage.store.event_store import Recorded

TABLES = (tables.timeline,)

#: The finest that a chart can show; a crawl of a day has 17,280 rows.
TIMELINE_SECONDS = 5
_SUMS = ("fetched", "failed", "elapsed_ms")


def fold(connection: Connection, events: Sequence[Recorded]) -> None:
    """Work events into the table."""
    sums: dict[tuple[str, int], list[int]] = {}
    for event in events:
        page = event.message.payload
        if isinstance(page, PageFetched | PageFailed) and page.started_at > 0:
            bucket = page.started_at // 1000 // TIMELINE_SECONDS * TIMELINE_SECONDS
            counts = sums.setdefault((event.message.envelope.crawl, bucket), [0, 0, 0])
            _add(counts, page)
    changed = [{"crawl": crawl, "bucket": bucket, **dict(zip(_SUMS, counts, strict=True))}
               for (crawl, bucket), counts in sorted(sums.items())]  # fmt: skip
    rows.sum_up(connection, tables.timeline, changed, columns=_SUMS)


def _add(counts: list[int], page: PageFetched | PageFailed) -> None:
    if isinstance(page, PageFetched):
        counts[0] += 1
        counts[2] += page.elapsed_ms
    else:
        counts[1] += 1
