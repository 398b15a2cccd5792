"""What can be said of a URL that a crawl has no event about: who linked to it, and what was not looked at.

Takes an engine, a crawl and URLs; gives plain values. Links that wait in the frontier are nowhere in SQL but in the
page.parsed that brought them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, func, select

from contract.pages import PageParsed
from storage.sql import tables
from storage.sql.tables import digest
from storage.store import event_store
from storage.store.event_store import chunks
from storage.store.history import ROBOTS

#: Parsed pages looked through for a link, the oldest first: about two seconds' worth.
MOST_PAGES = 100_000


class Link(msgspec.Struct, frozen=True):
    """A page that links to a URL, how many links from a seed that URL is, and when the page was read.

    `is_unfollowed`: the page asks not to follow its links.
    """

    via: str
    depth: int
    at: str
    is_unfollowed: bool = False


class Unread(msgspec.Struct, frozen=True):
    """Pages of a crawl whose links are not all known: not parsed (yet), not parsable, or with more than were kept."""

    waiting: int
    unreadable: int
    cut: int


def known(engine: Engine, crawl: str, urls: Iterable[str]) -> list[str]:
    """Those of these URLs that have an outcome in the crawl."""
    keys = {digest(crawl, url): url for url in urls}
    page = tables.pages.c
    with engine.connect() as connection:
        found = [
            bytes(key)
            for some in chunks(list(keys))
            for key in connection.execute(
                select(page.key).where(page.key.in_(some), page.outcome.is_not(None))
            ).scalars()
        ]
    return [url for key, url in keys.items() if key in found]


def urls_at(engine: Engine, crawl: str, host: str) -> list[str]:
    """The URLs of a host that have an outcome in the crawl, MOST_PAGES of them at most."""
    page = tables.pages.c
    mine = select(page.url).where(page.crawl == crawl, page.host == host, page.outcome.is_not(None))
    with engine.connect() as connection:
        return list(connection.execute(mine.limit(MOST_PAGES)).scalars())


def crawls_with(engine: Engine, url: str) -> list[str]:
    """The ids of the crawls that have an event about this URL, also one of a robots.txt, the newest first."""
    crawl, page, host = tables.crawls.c, tables.pages.c, tables.hosts.c
    with engine.connect() as connection:
        ids = connection.execute(select(crawl.id).order_by(crawl.started_at.desc(), crawl.id.desc())).scalars().all()
        found = _among(connection, page.key, select(page.key), {digest(id, url): id for id in ids})
        if url.endswith(ROBOTS):
            asked = select(host.key).where(host.robots_event.is_not(None))
            found |= _among(connection, host.key, asked, {digest(id, url.removesuffix(ROBOTS)): id for id in ids})
    return [id for id in ids if id in found]


def _among(connection: Connection, key: Any, query: Select[Any], ids: Mapping[bytes, str]) -> set[str]:
    """The crawls whose keys are among a query's."""
    rows = (connection.execute(query.where(key.in_(some))).scalars() for some in chunks(list(ids)))
    return {ids[bytes(each)] for found in rows for each in found}


def linked_from(engine: Engine, crawl: str, url: str) -> Link | None:
    """The first page that links to this URL, as it is spelled, among the first MOST_PAGES."""
    # Reading every message would take ten times as long; a URL that is a part of a longer one is sorted out below.
    spelled, unfollowed = msgspec.json.encode(url), None
    for number, stored in enumerate(event_store.read(engine, types=(PageParsed.TYPE,), crawl=crawl)):
        if number == MOST_PAGES:
            break
        if spelled in stored.raw:
            message = stored.recorded().message
            page: PageParsed = message.payload
            for link in page.links:
                if link.url == url:
                    return Link(page.url, page.depth + (not link.redirect), message.envelope.time)
            if unfollowed is None and url in page.unfollowed:
                unfollowed = Link(page.url, page.depth + 1, message.envelope.time, is_unfollowed=True)
    return unfollowed


def unread(engine: Engine, crawl: str) -> Unread:
    """Where a link to a URL may have been overlooked."""
    page = tables.pages.c
    mine = select(func.count()).select_from(tables.pages).where(page.crawl == crawl, page.outcome == "fetched")
    with engine.connect() as connection:
        return Unread(
            waiting=connection.execute(mine.where(page.parsed_event.is_(None))).scalar_one(),
            unreadable=connection.execute(mine.where(page.parse_error.is_not(None))).scalar_one(),
            cut=connection.execute(mine.where(page.links_left_out > 0)).scalar_one(),
        )
