"""The crawl that was stopped in a data folder, so that it can go on without naming its seeds again."""

from __future__ import annotations

from events import codec
from events.crawls import CrawlStarted
from events.settings import Settings
from penstock.plan import Plan
from storage import event_store, queries
from storage.database import open_database


def latest_unfinished(settings: Settings) -> Plan | None:
    """The plan of the latest unfinished crawl (of the given name, if there is one), as its first event has it."""
    engine = open_database(settings)
    for row in queries.crawls(engine):
        if row.state in ("running", "paused") and settings.name in (None, row.name):
            stored = event_store.read(engine, types=(CrawlStarted.TYPE,), crawl=row.id)
            return next((_plan_of(one) for one in stored), None)
    return None


def _plan_of(stored: event_store.Stored) -> Plan:
    started: CrawlStarted = codec.decode(stored.raw).payload
    return Plan(started.spec, started.seeds)
