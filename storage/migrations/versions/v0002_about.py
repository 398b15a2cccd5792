"""0002: `events.about`, by which the life of one URL is found among all events."""

import gzip
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from alembic import op
from sqlalchemy import BigInteger, Column, Connection, Integer, Row, text

revision, down_revision = "0002", "0001"

#: Events worked on at a time; their data lies in memory.
_CHUNK = 1_000
_SOME = text(
    "SELECT position, type, crawl, data FROM events WHERE position > :after AND type NOT LIKE 'crawl.%' "
    f"ORDER BY position LIMIT {_CHUNK}"
)
_MARK = text("UPDATE events SET about = :about WHERE position = :position")


class _Data(msgspec.Struct):
    url: str | None = None
    host: str | None = None


class _Event(msgspec.Struct):
    data: _Data


def upgrade() -> None:
    """Add the column, fill it, index it."""
    op.add_column("events", Column("about", BigInteger().with_variant(Integer, "sqlite")))
    for rows in _chunks(op.get_bind()):
        marks = [{"position": row.position, "about": _about(row)} for row in rows]
        op.get_bind().execute(_MARK, marks)
    op.create_index("events_by_about", "events", ["about"])


def downgrade() -> None:
    """Drop the column."""
    op.drop_index("events_by_about", "events")
    op.drop_column("events", "about")


def _chunks(connection: Connection) -> Iterator[Sequence[Row[Any]]]:
    after = 0
    while rows := connection.execute(_SOME, {"after": after}).all():
        yield rows
        after = rows[-1].position


def _about(row: Row[Any]) -> int | None:
    data = bytes(row.data)
    event = msgspec.json.decode(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, type=_Event)
    word = event.data.host if row.type == "robots.fetched" else event.data.url
    if word is None:
        return None
    words = f"{row.crawl}\n{word}".replace("\0", "\ufffd").encode("utf-8", "replace")
    return int.from_bytes(hashlib.sha256(words).digest()[:8], "big", signed=True)
