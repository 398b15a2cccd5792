"""A world that is given up: what Redis knows of crawls is dropped, so that it is told again what is recorded.

Takes a bus and the crawls that SQL will tell of, leaves a Redis as after a flush, but for what is nowhere else:
commands that nobody has carried out yet, answers, and when each host was asked. Nobody may rebuild the frontier
meanwhile (`keys.replaying`). Keys are found by what names them, not by a look at all keys: a server may have others.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from itertools import islice

from redis.exceptions import ResponseError

from contract import codec, topology
from contract.bus.connection import Bus
from contract.bus.scripts import Call, Script, run_all
from contract.errors import Undecodable
from contract.keys import Keys
from contract.topology import SEED, STAGES, Stage, streams_of

FREE_HOST = Script("contract.bus", "clock.lua", "free_host.lua")

#: Keys dropped, or entries looked at, in one go.
_PORTION = 500
#: How long a host is remembered that nobody wants any more: longer than any wait noted on it.
HOST_LIFE_MS = 2 * 86_400_000
#: Buckets of each generation of known URLs, as `scheduler/frontier/seen.lua` has them.
SEEN_BUCKETS = (64, 1_024, 16_384, 262_144, 4_194_304)


async def stop_world(bus: Bus) -> None:
    """From here on nothing is issued, and no command carried out, until the frontier is rebuilt."""
    await bus.redis.delete(bus.keys.restored)


async def is_drained(bus: Bus, stage: Stage) -> bool:
    """Whether a stage has finished all that there is for it."""
    streams = [bus.keys.stream(name) for name in streams_of(stage)]
    pipeline = bus.redis.pipeline(transaction=False)
    for stream in streams:
        pipeline.xinfo_groups(stream)
    for stream, groups in zip(streams, await pipeline.execute(raise_on_error=False), strict=True):
        if isinstance(groups, ResponseError):  # the stream is gone, and with it what was there
            continue
        for group in groups:
            if group["name"].decode() == stage.name:
                if group["pending"]:
                    return False
                pipeline.xrange(stream, f"({group['last-delivered-id'].decode()}", "+", count=1)
    return not any(await pipeline.execute())


async def empty(bus: Bus, crawls: Collection[str]) -> None:
    """Drop the world: in one step all that a stage could go on with, then the rest."""
    keys = bus.keys
    named = {*await bus.redis.hvals(keys.names), *await bus.redis.smembers(keys.forgetting)}
    crawls = {*crawls, *(one.decode() for one in named)}
    hosts, rest = set[str](), list[str]()
    for crawl in crawls:
        rest += await _of_crawl(bus, crawl, hosts)
    streams = {keys.stream(name) for name in topology.ALL_STREAMS} - {keys.stream(name) for name in streams_of(SEED)}
    dead = {keys.dead(stage.name) for stage in STAGES}
    async for fields in _entries(bus, (*streams, *dead)):
        rest += [fields[b"b"].decode()] if b"b" in fields else []
        hosts |= _hosts(fields)
    world = (keys.epoch, keys.restored, keys.recorded, keys.names, keys.turns, keys.forgetting, keys.in_flight)
    await bus.redis.unlink(*world, keys.body_bytes, *streams, *dead, *map(keys.crawl, crawls))
    await _free_hosts(bus, hosts)
    for portion in _portions(rest):
        await bus.redis.unlink(*portion)


async def _of_crawl(bus: Bus, crawl: str, hosts: set[str]) -> list[str]:
    """The keys of a crawl but for its own hash; adds its hosts."""
    keys, mine = bus.keys, [host.decode() for host in await bus.redis.hkeys(bus.keys.hosts(crawl))]
    hosts.update(mine)
    plain = (keys.due, keys.hosts, keys.retries, keys.waits, keys.places, keys.unread, keys.progress)
    found = [key(crawl) for key in plain] + [keys.queue(crawl, host) for host in mine]
    for name in (crawl, f"{crawl}.left"):
        found.append(keys.seen(name))
        for generation in map(int, await bus.redis.hkeys(keys.seen(name))):
            found += (keys.seen_bucket(name, generation, n) for n in range(SEEN_BUCKETS[generation - 1]))
    return found


async def _entries(bus: Bus, streams: Iterable[str]) -> AsyncIterator[dict[bytes, bytes]]:
    for stream in streams:
        after = "-"
        while found := await bus.redis.xrange(stream, after, "+", count=_PORTION):
            for id, fields in found:
                yield fields
                after = f"({id.decode()}"


def _hosts(fields: dict[bytes, bytes]) -> set[str]:
    """The host that a job or its outcome holds a slot of."""
    try:
        host = getattr(codec.decode(fields.get(b"e", b"")).payload, "host", None)
    except Undecodable:
        return set()
    return {host} if host else set()


async def _free_hosts(bus: Bus, hosts: Collection[str]) -> None:
    for portion in _portions(hosts):
        await run_all(bus.redis, [_free_host(bus.keys, host) for host in portion])


def _free_host(keys: Keys, host: str) -> Call:
    return Call(FREE_HOST, [keys.host(host), keys.host_crawls(host), keys.resting, keys.clock], [host, HOST_LIFE_MS])


def _portions(words: Iterable[str]) -> Iterator[list[str]]:
    left = iter(words)
    while portion := list(islice(left, _PORTION)):
        yield portion
