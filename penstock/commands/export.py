"""`penstock export`: rows of the read models, as files."""

from __future__ import annotations

from typing import Any

from storage.export import export as write

from events.errors import Refused
from events.settings import load
from storage import queries
from storage.database import open_database


def export(what: str, given: dict[str, Any], *, crawl: str | None, format: str, output: str) -> None:
    """Write the rows; raises `Refused` for a crawl that is not there or a file that cannot be written."""
    settings = load(given)
    engine = open_database(settings)
    chosen = None
    if crawl:
        found = queries.find_crawl(engine, crawl)
        if found is None:
            raise Refused(f"no crawl {crawl!r} in {settings.folder}; `penstock crawls` lists them")
        chosen = found.id
    write(engine, what, crawl=chosen, format=format, output=output)
