"""The crawl that was stopped in a data folder: going on with it, and seeing to it that nobody does so by mistake."""

from __future__ import annotations

import msgspec

from contract import codec
from contract.crawls import CrawlSpec, CrawlStarted, SeedsAdded
from contract.errors import Refused
from contract.settings import Settings
from penstock.plan import Plan
from storage.read_models import queries
from storage.sql.database import open_database
from storage.store import event_store

UNFINISHED = ("running", "paused")


def latest_unfinished(settings: Settings) -> Plan | None:
    """The plan of the latest unfinished crawl (of the given name, if there is one), as its first event has it."""
    engine = open_database(settings)
    for row in queries.crawls(engine):
        if row.state in UNFINISHED and settings.name in (None, row.name):
            stored = event_store.read(engine, types=(CrawlStarted.TYPE,), crawl=row.id)
            return next((Plan(_started(one).spec, _started(one).seeds) for one in stored), None)
    return None


def check_same(settings: Settings, plan: Plan) -> str | None:
    """Compare a plan with the unfinished crawl of its name, which it would go on with.

    Raises `Refused` where the plan has seeds that the crawl does not know; returns a sentence on what else of the plan
    does not hold, because a crawl keeps the specification that it was started with.
    """
    engine = open_database(settings)
    row = queries.latest_by_name(engine, plan.spec.name)
    if row is None or row.state not in UNFINISHED:
        return None
    events = [codec.decode(one.raw).payload for one in event_store.read(engine, types=_GIVE_SEEDS, crawl=row.id)]
    seeds = {seed for event in events for seed in event.seeds}
    strangers = [seed for seed in plan.seeds if seed not in seeds]
    if strangers:
        raise Refused(
            f"the crawl {row.name!r} is unfinished and has other seeds than {strangers[0]}; add it to that one "
            f"(penstock add), end that one (penstock cancel), or give this one a --name of its own"
        )
    kept = next((event.spec for event in events if isinstance(event, CrawlStarted)), plan.spec)
    return _not_applied(plan.spec, kept)


_GIVE_SEEDS = (CrawlStarted.TYPE, SeedsAdded.TYPE)


def _not_applied(wanted: CrawlSpec, kept: CrawlSpec) -> str | None:
    fields = [name for name in CrawlSpec.__struct_fields__ if getattr(wanted, name) != getattr(kept, name)]
    if not fields:
        return None
    values = ", ".join(f"{name} stays {msgspec.json.encode(getattr(kept, name)).decode()}" for name in fields)
    return f"it goes on as it was started: {values}"


def _started(stored: event_store.Stored) -> CrawlStarted:
    started: CrawlStarted = codec.decode(stored.raw).payload
    return started
