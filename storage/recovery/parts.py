"""What is recorded of a crawl, in the words of a replay, and cut into parts. Takes an engine and rows, gives values."""

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Engine

from contract.commands import KnownLinks, KnownPage
from contract.pages import PageFailed, PageParsed
from storage.sql.threads import in_thread
from storage.store import event_store

T = TypeVar("T")


def known(engine: Engine, rows: Iterable[dict[str, Any]]) -> tuple[KnownPage, ...]:
    """Rows of pages that have an outcome, as the frontier takes them."""
    rows = list(rows)
    asking = [row["event"] for row in rows if row["outcome"] == "failed" and row["retryable"]]
    failures = {each.key: each.message.payload for each in event_store.by_key(engine, asking)}
    return tuple(_known_page(row, failures.get(row["event"])) for row in rows)


def _known_page(row: dict[str, Any], failed: PageFailed | None) -> KnownPage:
    outcome = row["outcome"]
    if outcome == "fetched":
        outcome = "page" if row["status"] < 300 else "moved"
    asked = failed is not None and failed.retry_after_ms
    return KnownPage(
        url=row["url"],
        depth=row["depth"],
        hops=row["hops"],
        via=row["via"],
        attempt=row["attempts"],
        outcome=outcome,
        reason=row["reason"] or "",
        retryable=bool(row["retryable"]),
        wait_until=failed.started_at + failed.elapsed_ms + (failed.retry_after_ms or 0) if failed and asked else 0,
        read=bool(row["read"]),
    )


def links(engine: Engine, crawl: str) -> Iterator[KnownLinks]:
    """The links of each page of a crawl, in the order in which they were recorded."""
    for stored in event_store.read(engine, types=(PageParsed.TYPE,), crawl=crawl):
        page: PageParsed = stored.recorded().message.payload
        if page.links:
            yield KnownLinks(page.url, page.depth, page.hops, page.links)


async def cut(things: Iterable[T], size: int, *, weight: Callable[[T], int] = lambda _: 1) -> AsyncIterator[list[T]]:
    """The things in lists of about this weight, read in a thread."""
    source = iter(things)
    try:
        while part := await in_thread(_next_part, source, size, weight):
            yield part
    finally:
        if isinstance(source, Generator):  # which reads from a connection
            source.close()


def _next_part(source: Iterator[T], size: int, weight: Callable[[T], int]) -> list[T]:
    part: list[T] = []
    total = 0
    for thing in source:
        part.append(thing)
        total += weight(thing)
        if total >= size:
            break
    return part
