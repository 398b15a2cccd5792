"""What a crawl came to: the counts as SQL has them, for people or as one JSON object for programs."""

from __future__ import annotations

import sys

import msgspec

from events.errors import Refused
from events.logs import visible
from events.settings import Settings


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of URLs, decoded bytes, and the seconds from the command to the end."""

    crawl: str
    name: str
    state: str
    discovered: int
    fetched: int
    failed: int
    excluded: int
    parsed: int
    items: int
    bytes: int
    seconds: float
    data: str
    why: str | None = None


def summary_of(settings: Settings, crawl: str, *, seconds: float, state: str) -> Summary:
    """The summary of a crawl that is over; `why` is the first failure of one that fetched nothing."""
    from storage import queries
    from storage.database import open_database

    engine = open_database(settings)
    row = queries.find_crawl(engine, crawl)
    if row is None:
        raise Refused(f"crawl {crawl} is not in the database; was it recorded? see logs/record.log in the data folder")
    counts = {name: getattr(row, name) for name in ("discovered", "fetched", "failed", "excluded", "parsed", "items")}
    why = None
    if not counts["fetched"]:
        first = next(iter(queries.failures(engine, crawl)), None)
        why = f"{first['url']}: {first['reason']} {first['detail'] or ''}".strip() if first else None
    return Summary(
        crawl=crawl,
        name=row.name,
        state=row.state or state,
        bytes=row.bytes,
        seconds=round(seconds, 3),
        data=str(settings.folder),
        why=why,
        **counts,
    )


def print_summary(summary: Summary, *, json: bool) -> None:
    """Print to standard output: JSON, or lines that say what was found and where it lies."""
    if not summary.fetched:
        why = f" ({visible(summary.why)})" if summary.why else ""
        print(f"penstock: no page could be fetched{why}", file=sys.stderr)
    if json:
        print(msgspec.json.encode(summary).decode())
        return
    urls = f"{summary.fetched:,} fetched, {summary.failed:,} failed, {summary.excluded:,} excluded"
    found = f"{summary.parsed:,} parsed, {summary.items:,} items, {summary.bytes / 1e6:,.1f} MB"
    print(f"{visible(summary.name)}: {urls}; {found} in {summary.seconds:,.1f} s")
    print(f"pages and items: {summary.data}/penstock.db   archive: {summary.data}/archive")
    print(f"see them: penstock export pages --crawl {summary.crawl} --data {summary.data}")
