"""What Redis holds, and writes to its append-only file, for each URL, host and page: measured on a server of its own.

    python -m benchmarks.redis_memory [--urls 100000 1000000] [--hosts 20000] [--in-flight 1000] [--pages FOLDER]
        [--server redis-server]

The frontier's and the bus's own scripts do all of it; fetcher, parser and recorder are played by this process. Bytes
are differences of `used_memory` without the buffers of connections, so they hold all that a key costs beside its text.
URLs have 72 characters, and so has the page that each was found on. A page has 80 links, all handed on by the parser.
What is not in proportion to anything (scripts, consumers) comes to about 100 KB.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import pages
from benchmarks.played_crawl import (
    CRAWL,
    acking,
    admit,
    answered,
    begin,
    discovering,
    drained,
    nothing_new,
    parts,
    play,
    read,
    settling,
    work_off,
    working,
)
from contract.bus import Bus, Consumer
from contract.bus.clock import now_ms
from contract.bus.janitor import tidy
from contract.topology import DISPATCH, FETCH, NOTIFY, PARSE, RECORD
from scheduler.frontier import Frontier
from tests.conftest import start_redis

FEW_HOSTS = 20
#: A run of dispatch that nothing holds back.
UNBOUND = {"least_capacity": 10**9, "jobs_per_request": 1, "most_waiting": 10**9, "most_bytes": 10**15}


class Size(NamedTuple):
    """Bytes in memory, and of the append-only file."""

    memory: int
    file: int


class Line(NamedTuple):
    """One line of the table."""

    what: str
    number: float
    more: str = ""

    def __str__(self) -> str:
        digits = 0 if self.number >= 100 else 1
        return f"| {self.what} | {self.number:,.{digits}f} | {self.more} |"


async def size(bus: Bus) -> Size:
    """Both, once what is freed in the background is free, and tables that grew have moved to their places."""
    before = -1
    while True:
        info = await bus.redis.info("everything")
        memory = info["used_memory"] - info["mem_clients_normal"] - info["mem_aof_buffer"]
        if abs(memory - before) < 4_096 and not info["lazyfree_pending_objects"]:
            return Size(memory, info["aof_current_size"])
        before = memory
        await asyncio.sleep(0.3)


# -- URLs


async def of_urls(bus: Bus, count: int) -> list[Line]:
    """URLs that are known and queued, on few hosts."""
    await begin(bus)
    start = await size(bus)
    await admit(bus, [pages.url_of(number, FEW_HOSTS) for number in range(count)])
    full = await size(bus)
    rewriting = await of_rewriting(bus, count)
    both = await size(bus)
    hosts = [pages.place_of(pages.url_of(number, FEW_HOSTS)).host for number in range(FEW_HOSTS)]
    await bus.redis.unlink(*(bus.keys.queue(CRAWL, host) for host in hosts))
    known, all_of_them = await size(bus), count + more_than(count)
    return [
        Line(f"a known URL, of {all_of_them:,}", (known.memory - start.memory) / all_of_them),
        Line(f"a queued URL beside that, of {all_of_them:,}", (both.memory - known.memory) / all_of_them),
        Line("append-only file: a URL that came in", (full.file - start.file) / count),
        *rewriting,
    ]


def more_than(count: int) -> int:
    """The URLs that come in while the file is rewritten."""
    return count // 20


async def of_rewriting(bus: Bus, count: int) -> list[Line]:
    """The append-only file is written anew, while a twentieth more URLs come in."""
    await bus.redis.bgrewriteaof()
    await admit(bus, [pages.url_of(number, FEW_HOSTS) for number in range(count, count + more_than(count))])
    while (info := await bus.redis.info("everything"))["aof_rewrite_in_progress"]:
        await asyncio.sleep(0.1)
    copied, resident = info["aof_last_cow_size"], info["used_memory_rss"]
    seconds = f"{info['aof_last_rewrite_time_sec']} s"
    return [
        Line("append-only file, rewritten: a URL known and queued", info["aof_base_size"] / count),
        Line("memory copied while it is rewritten, in %", 100 * copied / info["used_memory"], seconds),
        Line("resident memory, in % of what is used", 100 * resident / info["used_memory"]),
    ]


# -- hosts


async def of_hosts(bus: Bus, count: int) -> list[Line]:
    """Hosts with one URL each: queued, visited, and what is left of those that were visited."""
    await begin(bus, obey_robots=True)
    start = await size(bus)
    urls = [pages.url_of(number, count) for number in range(count)]
    await admit(bus, urls)
    queued = await size(bus)
    await visit(bus, count - 1)  # the last stays in the queue, so that the crawl goes on
    hosts = [pages.place_of(url).host for url in urls]
    done = await size(bus)
    lines = [
        Line("a host with one URL, known and queued", (queued.memory - start.memory) / count),
        Line("a host that was visited", (done.memory - start.memory) / count),
    ]
    robots_ms = await bus.redis.pttl(bus.keys.robots(hosts[0]))
    host_ms = await bus.redis.zscore(bus.keys.resting, hosts[0]) - await now_ms(bus)
    for what, key, life_ms in (
        ("its robots.txt of 1 KB", bus.keys.robots, robots_ms),
        ("its politeness", bus.keys.host, host_ms),
    ):
        life = f"for {life_ms / 3_600_000:.1f} h"
        await drop(bus, [key(host) for host in hosts])
        rest = await size(bus)
        lines.append(Line(f"of this, {what}", (done.memory - rest.memory) / count, life))
        done = rest
    left = (done.memory - start.memory) / count
    return [*lines, Line("of this, its one URL and that it was there", left, "while the crawl runs")]


async def visit(bus: Bus, count: int) -> None:
    """Fetch, parse and record so many pages, each on a host of its own."""
    stages = working(bus, settling, discovering, acking(RECORD))
    async with stages, Consumer(bus, FETCH) as fetcher, Consumer(bus, PARSE) as parser:
        while int(await bus.redis.hget(bus.keys.crawl(CRAWL), "fetched") or 0) < count:
            await Frontier(bus, DISPATCH.name).dispatch(**UNBOUND)
            await work_off(fetcher, answered(bus, [b"<p>A page"]))
            await work_off(parser, nothing_new)
            await tidy(bus)


async def drop(bus: Bus, names: Sequence[str]) -> None:
    """Free these keys, as time does."""
    for some in parts(names, 1_000):
        await bus.redis.unlink(*some)


# -- pages


async def of_pages(bus: Bus, count: int, bodies: Sequence[bytes]) -> list[Line]:
    """Pages from the queue to the record, step by step, and what stays of the crawl when it is over."""
    await begin(bus)
    frontier = Frontier(bus, DISPATCH.name)
    urls = [pages.url_of(number, FEW_HOSTS) for number in range(count)]
    await admit(bus, urls)
    queue = [await bus.redis.memory_usage(key, samples=0) for key in await bus.redis.keys(bus.keys.queue(CRAWL, "*"))]
    queued = await size(bus)
    base = queued.memory - sum(queue)
    while (await frontier.dispatch(**UNBOUND)).count:
        pass
    issued = await size(bus)
    await play(bus, FETCH, answered(bus, bodies))
    await tidy(bus)
    fetched, stored = await size(bus), int(await bus.redis.get(bus.keys.body_bytes))
    await play(bus, PARSE, await read(bus, urls))
    parsed = await size(bus)
    async with working(bus, settling, discovering, acking(RECORD), acking(NOTIFY)):
        await drained(bus)
    await tidy(bus)
    done = await size(bus)
    while await frontier.forget():
        pass
    return [
        Line("a job, issued to fetchers", (issued.memory - base) / count),
        Line("a fetched page: its event", (fetched.memory - base - stored) / count),
        Line("a fetched page: its body, until parsed and recorded", stored / count),
        Line("a parsed page: its event, until recorded", (parsed.memory - fetched.memory) / count),
        Line("a page that is done, beside being known", (done.memory - base) / count),
        await of_what_stays(bus),
        Line("append-only file: a page, from the queue to the record", (done.file - queued.file) / count),
    ]


async def of_what_stays(bus: Bus) -> Line:
    """What is left of a crawl that is over; all of it must have an end, and so must its hosts."""
    names = [name for name in await bus.redis.keys("*") if CRAWL.encode() in name]
    hosts = {bus.keys.host(name.decode()).encode() for name in await bus.redis.zrange(bus.keys.resting, 0, -1)}
    assert set(await bus.redis.keys(f"{bus.keys.root}host*:*")) == hosts
    for name in names:
        assert await bus.redis.pttl(name) > 0, name
    left = [await bus.redis.memory_usage(name, samples=0) for name in names]
    return Line("a crawl that is over", sum(left), f"for {await bus.redis.pttl(names[0]) / 3_600_000:.1f} h")


async def main(given: argparse.Namespace) -> None:
    """Measure, and print the table."""
    bodies = pages.load(given.pages)
    print(f"pages of {sum(map(len, bodies)) / len(bodies):,.0f} bytes\n\n| what | bytes | |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="ps") as folder:
        options = ("--appendonly", "yes", "--auto-aof-rewrite-percentage", "0")
        with start_redis(Path(folder), *options, program=given.server) as url:
            async with Bus.open(url) as bus:
                await of_pages(bus, 20, bodies)  # so that scripts are loaded
                for count in given.urls:
                    print(*await of_urls(bus, count), sep="\n", flush=True)
                print(*await of_hosts(bus, given.hosts), sep="\n", flush=True)
                print(*await of_pages(bus, given.in_flight, bodies), sep="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--hosts", type=int, default=20_000)
    parser.add_argument("--in-flight", type=int, default=1_000)
    parser.add_argument("--server", default="", help="a Redis or Valkey server; else the one of the wheel")
    pages.add_option(parser)
    asyncio.run(main(parser.parse_args()))
