"""The SQL tables, for SQLite and PostgreSQL alike.

`events`, `bodies` and `segments` are the record: appended to, never made anew. All others are read models, which
`storage.read_models.projections` can fold again from the record. No index holds a URL: the key of anything that a
stranger can make long is a SHA-256 digest (`digest`), 32 bytes.
"""

import hashlib

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

#: SQLite numbers rows by itself only in columns that are declared as INTEGER, which has 64 bits there.
Big = BigInteger().with_variant(Integer, "sqlite")


def digest(*words: str) -> bytes:
    """The key for these words: 32 bytes."""
    return hashlib.sha256("\n".join(words).encode("utf-8", "replace")).digest()


def mark(*words: str) -> int:
    """64 bits of the key for these words: enough to find rows by, not to identify them."""
    return int.from_bytes(digest(*words)[:8], "big", signed=True)


# -- the record

events = Table(
    "events",
    metadata,
    Column("position", Big, primary_key=True, autoincrement=True),
    #: digest(id): ids are the producer's, and may be of any length.
    Column("key", LargeBinary(32), nullable=False, unique=True),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("crawl", Text, nullable=False),
    Column("subject", Text),
    Column("time", Text, nullable=False),
    #: The message as it was published: CloudEvents JSON, in gzip where that is much shorter (`event_store.packed`).
    Column("data", LargeBinary, nullable=False),
    #: mark(crawl, URL) of what a page event is about, mark(crawl, host) of a robots.fetched, else NULL.
    Column("about", Big),
    Index("events_by_crawl", "crawl", "type", "position"),
    Index("events_by_about", "about"),
)

bodies = Table(
    "bodies",
    metadata,
    #: Of the event whose body this is.
    Column("position", Big, primary_key=True, autoincrement=False),
    Column("segment", Integer, nullable=False),
    Column("offset", Big, nullable=False),
    Column("length", Big, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    #: Bytes that belong to recorded pages; what a file holds beyond them was never recorded.
    Column("length", Big, nullable=False),
    #: True once nobody will append to it.
    Column("closed", Boolean, nullable=False),
)

# -- what tells that SQL has lost something

recorders = Table(
    "recorders",
    metadata,
    #: A word that one recorder has chosen for itself; another one after each start, and after each loss.
    Column("word", Text, primary_key=True),
    #: The last batch that it has committed; batches are numbered over all recorders.
    Column("batch", Big, nullable=False),
    Index("recorders_by_batch", "batch"),
)

# -- read models

crawls = Table(
    "crawls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("state", Text, nullable=False),
    Column("spec", Text),
    Column("started_at", Text),
    #: One of these four, or none, has the time of the event that made the state.
    Column("paused_at", Text),
    Column("resumed_at", Text),
    Column("cancelled_at", Text),
    Column("finished_at", Text),
    #: The frontier's final counts, from crawl.finished.
    Column("final_fetched", Big),
    Column("final_failed", Big),
    Column("final_excluded", Big),
    #: Of the event that made the state; 0 if none did, or one from before there were versions.
    Column("version", Big),
)

seeds = Table(
    "seeds",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("crawl", Text, nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
)

pages = Table(
    "pages",
    metadata,
    #: digest(crawl, url)
    Column("key", LargeBinary(32), primary_key=True),
    Column("crawl", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("depth", Integer),
    Column("hops", Integer),
    # what came of it, from the outcome event that stands
    Column("outcome", Text),
    Column("event", LargeBinary(32)),
    Column("via", Text),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text),
    Column("detail", Text),
    Column("retryable", Boolean),
    Column("status", Integer),
    Column("content_type", Text),
    Column("location", Text),
    Column("bytes", Big, nullable=False),
    Column("wire_bytes", Big, nullable=False),
    Column("digest", Text),
    Column("flags", Text),
    Column("started_at", Big),
    Column("elapsed_ms", Big),
    Column("waited_ms", Big),
    Column("settled_at", Text),
    # where its body lies
    Column("segment", Integer),
    Column("offset", Big),
    Column("length", Big),
    # what it said, from the latest page.parsed without an error, or the latest if all have one
    Column("parsed_at", Text),
    Column("parsed_event", LargeBinary(32)),
    Column("title", Text),
    Column("parse_error", Text),
    Column("parse_detail", Text),
    Column("links_found", Integer, nullable=False),
    Column("links_left_out", Integer, nullable=False),
    Column("items_found", Integer, nullable=False),
    Column("spider", Text),
    Column("spider_version", Text),
    Column("parse_ms", Float),
    # what it asks of those who read it (`Wishes`), by the same page.parsed
    Column("robots", Text),
    Column("canonical", Text),
    Column("train_ai", Boolean),
    Column("search", Boolean),
    Column("ai_input", Boolean),
    Column("license", Text),
    Index("pages_by_outcome", "crawl", "outcome"),
    #: Latest first, page by page.
    Index("pages_by_settled", "crawl", "settled_at", "key"),
)

tallies = Table(
    "tallies",
    metadata,
    Column("crawl", Text, primary_key=True),
    #: outcome, status, reason, retried, parsed, items, bytes or nofollow
    Column("kind", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("count", Big, nullable=False),
)

items = Table(
    "items",
    metadata,
    #: Of the page.parsed that brought it; a page's current ones are those of pages.parsed_event.
    Column("event", LargeBinary(32), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    #: digest(crawl, url): the page's key
    Column("page", LargeBinary(32), nullable=False),
    Column("crawl", Text, nullable=False, index=True),
    Column("type", Text, nullable=False),
    #: A JSON object.
    Column("data", Text, nullable=False),
    Column("spider", Text, nullable=False),
    Column("spider_version", Text, nullable=False),
)

failures = Table(
    "failures",
    metadata,
    #: Of the page.failed: one row for each attempt that failed.
    Column("event", LargeBinary(32), primary_key=True),
    Column("page", LargeBinary(32), nullable=False, index=True),
    Column("crawl", Text, nullable=False, index=True),
    Column("host", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("status", Integer),
    Column("retryable", Boolean, nullable=False),
    Column("asked", Boolean, nullable=False),
    Column("started_at", Big),
    Column("elapsed_ms", Big),
    Column("failed_at", Text, nullable=False),
)

timeline = Table(
    "timeline",
    metadata,
    Column("crawl", Text, primary_key=True),
    #: Unix seconds at which TIMELINE_SECONDS of requests begin.
    Column("bucket", Big, primary_key=True, autoincrement=False),
    Column("fetched", Big, nullable=False),
    Column("failed", Big, nullable=False),
    #: Of the requests that brought a page, summed.
    Column("elapsed_ms", Big, nullable=False),
)

hosts = Table(
    "hosts",
    metadata,
    #: digest(crawl, host)
    Column("key", LargeBinary(32), primary_key=True),
    Column("crawl", Text, nullable=False, index=True),
    Column("host", Text, nullable=False),
    Column("requests", Big, nullable=False),
    Column("errors", Big, nullable=False),
    Column("bytes", Big, nullable=False),
    # from the latest robots.fetched
    Column("robots_at", Text),
    Column("robots_event", LargeBinary(32)),
    Column("robots_verdict", Text),
    Column("robots_status", Integer),
    Column("robots_started_at", Big),
    Column("crawl_delay_ms", Big),
)
