"""CPU time that the parse stage takes for a page: server, supervisor and children, with the generic extractor.

    python -m benchmarks.parse_cpu [PAGES=1000]

Each page is made up: 37 KB of HTML with 80 links, of which 50 are the same on all pages, and about 9 KB of text. The
time is that of the whole of `scraper.parse`, its children too, without the server. Budget: 0.8 ms.
"""

import asyncio
import random
import resource
import sys
import time

import msgspec

from contract.bus import Bus, Consumer, HandOver
from contract.bus.groups import ensure_groups
from contract.settings import Settings
from contract.topology import DISCOVER
from scraper import parse
from tests.conftest import start_redis
from tests.scraper.pages import fetched, make_crawl

PAGE_BYTES, MENU_LINKS, OWN_LINKS = 37_000, 50, 30
WORDS = (
    "river",
    "gate",
    "stream",
    "turbine",
    "water",
    "flow",
    "pipe",
    "valve",
    "dam",
    "lake",
    "mill",
    "wheel",
    "power",
)


def html(number: int) -> str:
    """A page like those of a documentation site."""
    dice = random.Random(number)
    menu = "".join(
        f'<li class="nav-item depth-{i % 3}"><a class="nav-link" href="/docs/section-{i}/index.html">'
        f"{WORDS[i % len(WORDS)]} {i}</a></li>\n"
        for i in range(MENU_LINKS)
    )
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page {number}</title>\n'
        f'<meta name="description" content="All about page {number}"><link rel="canonical" href="/docs/{number}.html">'
        f'<link rel="stylesheet" href="/style.css"><script>window.page = {number};</script></head>\n'
        f'<body><nav id="menu"><ul>{menu}</ul></nav><main><h1>Page {number}</h1>\n'
    ]
    for i in range(OWN_LINKS):
        text = " ".join(dice.choices(WORDS, k=48))
        href = f'href="page-{number * 7 + i}.html#top"'
        link = f'<a class="reference internal" title="Page {number + i}" {href}>{text[:20]}</a>'
        parts.append(
            f'<h2 id="section-{i}" class="section-title">{text[:24]}</h2>\n'
            f'<div class="section paragraph-{i}"><p class="text">{text} {link}, see there.</p>\n'
            f'<pre class="highlight"><span class="k">def</span> <span class="n">f{i}</span>():</pre></div>\n'
        )
    body = "".join(parts) + "</main></body></html>"
    return body + f"<!-- {'-' * max(0, PAGE_BYTES - len(body))} -->"


async def measure(url: str, pages: int) -> None:
    """Put the pages on the stream, run the stage until it has read them, and print what it took."""
    async with Bus.open(url) as bus:
        await ensure_groups(bus)
        await make_crawl(bus)
        await fetched(bus, *(html(i) for i in range(pages)))
        before, started = cpu(), time.perf_counter()
        stop = asyncio.Event()
        stage = asyncio.create_task(parse.run(Settings(redis_url=url, parsers=2), stop))
        while not stage.done() and await left(bus, pages):
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - started
        stop.set()
        await stage
        print(f"{(cpu() - before) / pages * 1000:.3f} ms of CPU time a page, start of two children included")
        print(f"{pages / seconds:.0f} pages a second")
        await show(bus)


def cpu() -> float:
    """Seconds of CPU time of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


async def left(bus: Bus, pages: int) -> int:
    """Pages that have no `page.parsed` yet."""
    return pages - int(await bus.redis.xlen(bus.keys.stream("page.parsed")))


async def show(bus: Bus) -> None:
    """The outcome of the first page and the size of its event."""
    async with Consumer(bus, DISCOVER) as consumer:
        [delivery, *others] = await consumer.take(10)
        await consumer.hand_over_all([HandOver(one) for one in (delivery, *others)])
    page = delivery.payload
    links, items = page.links_found, msgspec.json.encode(page.items)
    print(f"{page.title}: {links} links, {len(items)} bytes of items, an event of {len(delivery.raw)} bytes")


if __name__ == "__main__":
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="ps") as folder, start_redis(Path(folder)) as address:
        asyncio.run(measure(address, int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
