"""`penstock export`: rows of the read models, as files."""

from __future__ import annotations

from typing import Any, Literal

from events.errors import Refused
from events.settings import load
from storage import queries
from storage.database import open_database
from storage.export import export as write


def export(
    what: Literal["pages", "items", "failures"],
    given: dict[str, Any],
    *,
    crawl: str | None,
    format: Literal["jsonl", "csv"],
    output: str,
) -> None:
    """Write the rows; raises `Refused` for a crawl that is not there or a file that cannot be written."""
    settings = load(given)
    engine = open_database(settings)
    chosen = None
    if crawl:
        found = queries.find_crawl(engine, crawl)
        if found is None:
            raise Refused(f"no crawl {crawl!r} in {settings.folder}; `penstock crawls` lists them")
        chosen = found.id
    write(engine, what, crawl=chosen, format=format, to=output)
