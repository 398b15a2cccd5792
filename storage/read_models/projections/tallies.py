"""Counts of a crawl's pages, kept in step with the rows: what a changed row counted for goes, what it counts for comes.

Takes pairs of a page's row before and after, owns `tallies`. So a total costs a few rows to read at any size of crawl,
and is what COUNT and SUM over the pages would give.
"""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, delete

from contract.pages import may_be_followed
from storage.read_models.projections import rows
from storage.read_models.projections.rows import Row
from storage.sql.tables import tallies


def count(connection: Connection, changes: Iterable[tuple[Row | None, Row]]) -> None:
    """Bring the tallies from the rows before (None: there was none) to the rows after."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for before, after in changes:
        sums.update(contribution(after))
        if before:
            sums.subtract(contribution(before))
    changed: list[Row] = [
        {"crawl": crawl, "kind": kind, "word": word, "count": number}
        for (crawl, kind, word), number in sorted(sums.items())
        if number
    ]
    rows.sum_up(connection, tallies, changed, columns=("count",))
    if any(each["count"] < 0 for each in changed):
        connection.execute(delete(tallies).where(tallies.c.count == 0))


def contribution(row: Row) -> dict[tuple[str, str, str], int]:
    """What one page counts for: (crawl, kind, word) → number."""
    crawl = row["crawl"]
    counts = {}
    for kind in ("outcome", "reason"):
        if row[kind]:
            counts[crawl, kind, row[kind][:200]] = 1
    if row["status"] is not None:
        counts[crawl, "status", str(row["status"])] = 1
    if row["parsed_event"]:
        # The answer of a page that failed is read by `reparse` alone: what was fetched and what is parsed are as many.
        counts[crawl, "parsed", ""] = int(row["outcome"] != "failed")
        counts[crawl, "items", ""] = row["items_found"]
    if not may_be_followed(row["robots"]):
        counts[crawl, "nofollow", ""] = 1
    if row["attempts"] > 1:
        counts[crawl, "retried", ""] = row["attempts"] - 1
    counts[crawl, "bytes", ""] = row["bytes"]
    return counts
