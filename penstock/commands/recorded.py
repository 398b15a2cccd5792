"""What commands that read share: the database of a data folder, and the crawl that a person means."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import Engine

from contract.errors import Refused
from contract.logs import masked
from contract.settings import Settings
from storage.read_models import queries
from storage.sql.database import NothingRecorded, open_recorded


@contextlib.contextmanager
def recorded(settings: Settings) -> Iterator[Engine]:
    """The database inside the block; raises `NothingRecorded` where there is none, and makes none."""
    engine = open_recorded(settings)
    try:
        yield engine
    finally:
        engine.dispose()


@contextlib.contextmanager
def recorded_crawl(settings: Settings, crawl: str | None) -> Iterator[tuple[Engine, queries.CrawlRow]]:
    """The database, and the crawl of this id or name, the latest if None; raises `Refused` where there is none."""
    try:
        with recorded(settings) as engine:
            yield engine, chosen(engine, crawl, settings)
    except NothingRecorded as error:
        raise Refused(f"no crawl {crawl!r}: {error}" if crawl else str(error)) from None


def crawl_of(settings: Settings, crawl: str | None) -> queries.CrawlRow:
    """The crawl of this id or name, the latest if None; raises `Refused` where there is none."""
    with recorded_crawl(settings, crawl) as (_, row):
        return row


def chosen(engine: Engine, crawl: str | None, settings: Settings) -> queries.CrawlRow:
    """The crawl of this id or name, the latest if None; raises `Refused` where there is none."""
    if crawl == "":  # an unset variable of somebody's script, who would get another crawl than he meant
        raise Refused("the name of the crawl is empty; `penstock crawls` lists them")
    found = queries.find_crawl(engine, crawl) if crawl else next(iter(queries.crawls(engine)), None)
    if found is None:
        what = f"no crawl {crawl!r}" if crawl else "no crawl"
        raise Refused(f"{what} in {place(settings)}; `penstock crawls` lists them")
    return found


def place(settings: Settings) -> str:
    """Where was looked, in the words of a person: the folder, or the database that the settings name instead."""
    return masked(settings.database_url) or str(settings.folder)
