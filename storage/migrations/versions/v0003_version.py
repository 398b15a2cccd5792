"""0003: `crawls.version`, by which the events of a crawl's life are ordered, whatever their clocks say."""

from typing import Any

import msgspec
from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Row, text

revision, down_revision = "0003", "0002"

#: Later ones beat earlier ones where neither version nor time decides.
_KINDS = ("crawl.paused", "crawl.resumed", "crawl.finished", "crawl.cancelled")
_LIFE = text(f"SELECT crawl, type, time, data FROM events WHERE type IN {_KINDS}")
_BLANK = text("UPDATE crawls SET version = 0")
_STATE = text(
    "UPDATE crawls SET state = :state, version = :version, paused_at = :paused_at, resumed_at = :resumed_at, "
    "finished_at = :finished_at, cancelled_at = :cancelled_at, final_fetched = :fetched, final_failed = :failed, "
    "final_excluded = :excluded WHERE id = :crawl"
)


class _Data(msgspec.Struct):
    version: int = 0
    fetched: int | None = None
    failed: int | None = None
    excluded: int | None = None


class _Event(msgspec.Struct):
    data: _Data


def upgrade() -> None:
    """Add the column, and let each crawl have the state that the event of its highest version says."""
    op.add_column("crawls", Column("version", BigInteger().with_variant(Integer, "sqlite")))
    latest: dict[str, tuple[Any, ...]] = {}
    for row in op.get_bind().execute(_LIFE):
        latest[row.crawl] = max(latest.get(row.crawl, ()), _order(row))
    op.get_bind().execute(_BLANK)
    for crawl, order in latest.items():
        op.get_bind().execute(_STATE, {"crawl": crawl, **_columns(*order)})


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("crawls", "version")


def _order(row: Row[Any]) -> tuple[Any, ...]:
    data = msgspec.json.decode(bytes(row.data), type=_Event).data
    rank = _KINDS.index(row.type)
    counts = (data.fetched, data.failed, data.excluded)
    return data.version, rank if rank > 1 else 0, row.time, rank, tuple(count or 0 for count in counts)


def _columns(version: int, _: int, time: str, rank: int, counts: tuple[int, ...]) -> dict[str, Any]:
    kind = _KINDS[rank].removeprefix("crawl.")
    numbers = counts if kind == "finished" else (None, None, None)
    times = {f"{each.removeprefix('crawl.')}_at": None for each in _KINDS} | {f"{kind}_at": time}
    state = "running" if kind == "resumed" else kind
    return {
        "state": state,
        "version": version,
        **times,
        **dict(zip(("fetched", "failed", "excluded"), numbers, strict=True)),
    }
