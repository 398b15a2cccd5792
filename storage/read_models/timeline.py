"""A crawl's requests over time, in as many points as a chart can show, whatever the age of the crawl."""

from typing import Any

import msgspec
from sqlalchemy import Engine, func, select

from storage.read_models.projections.timeline import TIMELINE_SECONDS
from storage.sql import tables

#: No chart has more pixels for them than two or three each.
MOST_POINTS = 600


class Timeline(msgspec.Struct, frozen=True):
    """Points of `bucket_seconds` each, oldest first, without holes; the last one may still grow.

    A point is the Unix time at which it begins, pages fetched, attempts failed, and the mean time (ms) that a fetched
    page took, None where there was none.
    """

    bucket_seconds: int
    points: list[tuple[int, int, int, int | None]]


def timeline(engine: Engine, crawl: str) -> Timeline:
    """The timeline of a crawl; without points where nothing was asked for yet."""
    row = tables.timeline.c
    with engine.connect() as connection:
        first, last = connection.execute(
            select(func.min(row.bucket), func.max(row.bucket)).where(row.crawl == crawl)
        ).one()
        if first is None:
            return Timeline(TIMELINE_SECONDS, [])
        width = _width(first, last)
        begin = row.bucket - row.bucket % width
        query = select(begin, func.sum(row.fetched), func.sum(row.failed), func.sum(row.elapsed_ms))
        found = connection.execute(query.where(row.crawl == crawl).group_by(begin)).all()
    sums: dict[int, tuple[Any, ...]] = {at: tuple(map(int, numbers)) for at, *numbers in found}
    return Timeline(
        width, [_point(at, *sums.get(at, (0, 0, 0))) for at in range(first - first % width, last + 1, width)]
    )


def _width(first: int, last: int) -> int:
    """The shortest that has few enough points; doubled, so that a growing crawl's chart seldom changes."""
    width = TIMELINE_SECONDS
    while last // width - first // width + 1 > MOST_POINTS:
        width *= 2
    return width


def _point(at: int, fetched: int, failed: int, elapsed_ms: int) -> tuple[int, int, int, int | None]:
    return at, fetched, failed, round(elapsed_ms / fetched) if fetched else None
