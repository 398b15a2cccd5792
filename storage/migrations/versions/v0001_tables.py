"""0001: the record, and the read models that stand on it.

The tables as they were then; `storage.sql.tables` has them as they are. Databases of this state may have no stamp.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

revision, down_revision = "0001", None

Big = BigInteger().with_variant(Integer, "sqlite")
metadata = MetaData()
Table(
    "events",
    metadata,
    Column("position", Big, primary_key=True, autoincrement=True),
    Column("key", LargeBinary(32), nullable=False, unique=True),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("crawl", Text, nullable=False),
    Column("subject", Text),
    Column("time", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("events_by_crawl", "crawl", "type", "position"),
)
Table(
    "bodies",
    metadata,
    Column("position", Big, primary_key=True, autoincrement=False),
    Column("segment", Integer, nullable=False),
    Column("offset", Big, nullable=False),
    Column("length", Big, nullable=False),
)
Table(
    "segments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("length", Big, nullable=False),
    Column("closed", Boolean, nullable=False),
)
Table(
    "crawls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("state", Text, nullable=False),
    Column("spec", Text),
    Column("started_at", Text),
    Column("paused_at", Text),
    Column("resumed_at", Text),
    Column("cancelled_at", Text),
    Column("finished_at", Text),
    Column("final_fetched", Big),
    Column("final_failed", Big),
    Column("final_excluded", Big),
)
Table(
    "seeds",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("crawl", Text, nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
)
Table(
    "pages",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("crawl", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("depth", Integer),
    Column("hops", Integer),
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
    Column("segment", Integer),
    Column("offset", Big),
    Column("length", Big),
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
    Index("pages_by_outcome", "crawl", "outcome"),
)
Table(
    "tallies",
    metadata,
    Column("crawl", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("count", Big, nullable=False),
)
Table(
    "items",
    metadata,
    Column("event", LargeBinary(32), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("page", LargeBinary(32), nullable=False),
    Column("crawl", Text, nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("spider", Text, nullable=False),
    Column("spider_version", Text, nullable=False),
)
Table(
    "failures",
    metadata,
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
Table(
    "hosts",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("crawl", Text, nullable=False, index=True),
    Column("host", Text, nullable=False),
    Column("requests", Big, nullable=False),
    Column("errors", Big, nullable=False),
    Column("bytes", Big, nullable=False),
    Column("robots_at", Text),
    Column("robots_event", LargeBinary(32)),
    Column("robots_verdict", Text),
    Column("robots_status", Integer),
    Column("robots_started_at", Big),
    Column("crawl_delay_ms", Big),
)


def upgrade() -> None:
    """Make all tables."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop all tables."""
    metadata.drop_all(op.get_bind())
