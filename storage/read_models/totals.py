"""Sums over all crawls, for who watches the whole: they cost the same however many pages there are."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import Engine, exists, func, select

from storage.sql import tables


def crawls_by_state(engine: Engine) -> dict[str, int]:
    """State → number of crawls."""
    state = tables.crawls.c.state
    with engine.connect() as connection:
        return dict(connection.execute(select(state, func.count()).group_by(state)).all())


def tallies(engine: Engine) -> dict[tuple[str, str], int]:
    """Kind and word of a tally → its count over all crawls."""
    tally = tables.tallies.c
    query = select(tally.kind, tally.word, func.sum(tally.count)).group_by(tally.kind, tally.word)
    with engine.connect() as connection:
        return {(kind, word): int(count) for kind, word, count in connection.execute(query)}


def stalled_crawls(engine: Engine, *, seconds: float) -> int:
    """The number of running crawls that began longer ago than this, and have asked for nothing since."""
    since = time.time() - seconds
    began = datetime.fromtimestamp(since, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    crawl, bucket = tables.crawls.c, tables.timeline.c
    asked = exists().where(bucket.crawl == crawl.id, bucket.bucket >= since)
    query = select(func.count()).where(crawl.state == "running", crawl.started_at < began, ~asked)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())
