"""What must be so when a story is over: in SQL, in the archive, and in Redis.

Takes a world at rest, gives faults as (kind, about, seen).
"""

from __future__ import annotations

import gzip
import inspect
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, select

from contract import topology
from contract.crawls import CrawlFinished
from contract.keys import Keys
from contract.pages import PageExcluded, PageFailed, PageFetched
from storage.archive.reader import ArchiveReader, LostBody
from storage.archive.segments.opening import open_store
from storage.sql import tables
from storage.sql.database import make_engine
from storage.store import event_store
from tests.interleaving.judge import grouped, outcome, reachable
from tests.interleaving.wanted import Crawl
from tests.interleaving.web import body_of
from tests.interleaving.world import World

Found = tuple[str, str, str]


async def of_crawl(world: World, crawl: Crawl) -> list[Found]:
    """Faults of one crawl."""
    engine = make_engine(world.settings.sql_url)
    try:
        found = list(_life(engine, crawl))
        if not crawl.is_cancelled:
            found += [*_outcomes(world, engine, crawl), *_numbers(engine, crawl)]
            found += await _counts(world, crawl)
        return [*found, *_events(engine, crawl), *_bodies(world, engine, crawl)]
    finally:
        engine.dispose()


def _life(engine: Engine, crawl: Crawl) -> Iterator[Found]:
    with engine.connect() as connection:
        state = connection.execute(select(tables.crawls.c.state).where(tables.crawls.c.id == crawl.id)).scalar()
    ends = list(event_store.read(engine, types=[CrawlFinished.TYPE], crawl=crawl.id))
    if state not in (("finished", "cancelled") if crawl.is_cancelled else ("finished",)):
        yield "never ended", crawl.id, f"it is {state}"
    if len(ends) > 1:
        yield "finished twice", crawl.id, f"{len(ends)} times"


def _pages(engine: Engine, crawl: Crawl) -> dict[str, Any]:
    with engine.connect() as connection:
        rows = connection.execute(select(tables.pages).where(tables.pages.c.crawl == crawl.id))
        return {row.url: row for row in rows}


def _outcomes(world: World, engine: Engine, crawl: Crawl) -> Iterator[Found]:
    """Each URL that is linked to has the outcome that it must have; nothing else has one."""
    rows, expected = _pages(engine, crawl), reachable(world, crawl)
    for url, wanted in expected.items():
        row = rows.get(url)
        if row is None or row.outcome is None:
            if not world.may_be_missing(url):
                yield "lost", url, f"{crawl.id} knows nothing of it"
        elif row.outcome != wanted and not world.may_fail(url):
            yield "wrong outcome", url, f"{row.outcome} ({row.reason}: {row.detail}) instead of {wanted}"
        elif row.outcome == "fetched" and row.parsed_event is None:
            yield "never read", url, crawl.id
    for url in rows.keys() - expected.keys() - set(crawl.maybe):
        yield "out of nowhere", url, crawl.id
    for url in set(crawl.maybe) & rows.keys():
        if rows[url].outcome != outcome(world, crawl, url) and not world.may_fail(url):
            yield "wrong outcome", url, f"{rows[url].outcome} ({rows[url].reason})"


def _numbers(engine: Engine, crawl: Crawl) -> Iterator[Found]:
    """The numbers with which the crawl has ended are those of SQL."""
    for stored in event_store.read(engine, types=[CrawlFinished.TYPE], crawl=crawl.id):
        end: CrawlFinished = stored.recorded().message.payload
        outcomes = [row.outcome for row in _pages(engine, crawl).values()]
        for name in ("fetched", "failed", "excluded"):
            if getattr(end, name) != outcomes.count(name):
                yield "wrong count", crawl.id, f"{name}: {getattr(end, name)}, and {outcomes.count(name)} in SQL"


async def _counts(world: World, crawl: Crawl) -> list[Found]:
    """What the frontier has counted comes to nothing that is still to be done."""
    state, found = await world.state(crawl), list[Found]()
    for name in ("queued", "in_flight", "unfinished"):
        if state and int(state.get(name, 0)):
            found.append(("wrong count", crawl.id, f"{name} is {state[name]} at the end"))
    ended = sum(int(state.get(name, 0)) for name in ("fetched", "failed", "excluded"))
    if state and int(state.get("discovered", 0)) != ended:
        found.append(("wrong count", crawl.id, f"discovered {state.get('discovered')}, ended {ended}"))
    return found


def _events(engine: Engine, crawl: Crawl) -> Iterator[Found]:
    """Each URL has one final outcome at most."""
    types = [PageFetched.TYPE, PageFailed.TYPE, PageExcluded.TYPE]
    messages = [stored.recorded().message for stored in event_store.read(engine, types=types, crawl=crawl.id)]
    final = [m for m in messages if not _comes_again(m.payload, crawl) and not getattr(m.payload, "robots", False)]
    for url, ids in grouped((m.payload.url, m.envelope.id) for m in final).items():
        if len(ids) > 1 and not crawl.is_cancelled:
            yield "two outcomes", url, ", ".join(ids)


def _comes_again(payload: Any, crawl: Crawl) -> bool:
    return isinstance(payload, PageFailed) and payload.retryable and payload.attempt < crawl.spec.max_attempts


def _bodies(world: World, engine: Engine, crawl: Crawl) -> Iterator[Found]:
    """Each fetched page is in the archive, under its own URL."""
    with ArchiveReader(open_store(world.settings), engine) as archive:
        for one in archive.pages(crawl.id):
            url = one.message.payload.url
            try:
                record = gzip.decompress(archive.read(one.place))
            except LostBody as error:
                if not world.may_lose_bodies:
                    yield "body lost", url, str(error)
                continue
            if body_of(url) not in record or f"WARC-Target-URI: {url}\r\n".encode() not in record:
                yield "body of another page", url, record[:300].decode(errors="replace")


# -- Redis


async def of_redis(world: World) -> list[Found]:
    """Nothing waits, no slot is taken, no body is kept, and no key is left that `contract.keys` does not name."""
    redis, keys, found = world.bus.redis, world.bus.keys, list[Found]()
    for stream in topology.ALL_STREAMS:
        for group in await redis.xinfo_groups(keys.stream(stream)):
            if group["pending"] or group["lag"]:
                waits = f"{group['pending']} pending, {group['lag']} unread"
                found.append(("left on a stream", f"{stream} for {group['name'].decode()}", waits))
    for host in world.web.hosts:
        if slots := int(await redis.hget(keys.host(host), "in_flight") or 0):
            found.append(("slot leaked", host, str(slots)))
    for key in (keys.in_flight, keys.body_bytes):
        if number := int(await redis.get(key) or 0):
            found.append(("left in Redis", key, str(number)))
    return [*found, *await _left_keys(world)]


async def _left_keys(world: World) -> list[Found]:
    redis, found = world.bus.redis, list[Found]()
    for key in [key.decode() for key in await redis.keys("*")]:
        life = await redis.pttl(key)
        if not _STAYS.fullmatch(key) and life < 0:
            found.append(("left in Redis", key, "it has no life"))
        if not _NAMED.fullmatch(key):
            found.append(("left in Redis", key, "contract.keys does not name it"))
    return found


def _pattern(*keys: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(key).replace("\x00", ".*") for key in keys))


def _all_keys() -> Iterator[str]:
    """Every key that the catalogue can make, NUL standing for anything."""
    keys = Keys()
    for name, made in vars(Keys).items():
        if isinstance(made, property):
            yield getattr(keys, name)
        elif inspect.isfunction(made) and name not in ("__init__", "stream", "again", "seen_bucket"):
            yield made(keys, *["\x00"] * (made.__code__.co_argcount - 1))
    yield keys.root + "seen:\x00"
    yield from map(keys.stream, topology.ALL_STREAMS)


_NAMED = _pattern(*_all_keys())
_k = Keys()
#: What stays when nothing is left to be done.
_STAYS = _pattern(
    *map(_k.stream, topology.ALL_STREAMS), *(_k.dead(stage.name) for stage in topology.STAGES),
    *(_k.epoch, _k.restored, _k.turn, _k.in_flight, _k.body_bytes, _k.alive, _k.fetchers, _k.fetcher_clocks, _k.clock),
    *(_k.recorded, _k.resting, _k.host("\x00"), _k.dead_body("\x00", "\x00", "\x00")),
)  # fmt: skip
