"""How crawlers fare at hosts that limit them: nginx `limit_req`, HAProxy's stick tables, and a token bucket.

    python -m benchmarks.limiters [--seconds 240] [--scrapy VENV/bin/python] [--crawlee VENV/bin/python]

Takes a minute or so more than `--seconds`; all limiters are crawled at the same time, each by a crawler of its own, and
each crawler in turn. A site has as many pages as its limiter allows in three quarters of that time. Told is what the
limiters themselves say: pages answered, requests refused, and the rate from the first minute on until the last page as
a share of what is allowed. Wants nginx and haproxy on the path. The peers are run as their manuals say: Scrapy with
AutoThrottle and its default retries, Crawlee with its defaults.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks.limited_sites import LIMITERS, Limiter, Seen, serving
from benchmarks.peers import CRAWLEE, SCRAPY


def penstock(url: str, limiter: Limiter) -> tuple[str, ...]:
    """The command line, with what is default where the limiter is asked politely."""
    words = (sys.executable, "-m", "penstock", "crawl", url, "--allow-private", "--progress", "none")
    return (*words, "--delay", str(limiter.delay), "--per-host", str(limiter.at_once), "--data", "data")


async def crawled(words: tuple[str, ...], folder: Path, seconds: float) -> float:
    """Run a crawler until it ends, or its time is over; how long it took."""
    began = time.monotonic()
    with (folder / "out").open("wb") as out:
        process = await asyncio.create_subprocess_exec(*words, cwd=folder, stdout=out, stderr=out)
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 20)
            if process.returncode is None:
                process.kill()
    return time.monotonic() - began


async def measured(name: str, options: argparse.Namespace) -> AsyncIterator[str]:
    """A line for each limiter, as a crawler fares there."""
    with tempfile.TemporaryDirectory() as top:
        async with serving(Path(top), seconds=options.seconds) as sites:
            folders = [Path(top) / f"crawl{number}" for number in range(len(sites))]
            runs = []
            for folder, site in zip(folders, sites, strict=True):
                folder.mkdir()
                runs.append(crawled(words_for(name, site.url, site.limiter, options), folder, options.seconds * 1.5))
            took = await asyncio.gather(*runs)
            for site, seconds in zip(sites, took, strict=True):
                yield line(name, site.limiter, site.seen(), pages=site.pages, seconds=seconds)


def words_for(name: str, url: str, limiter: Limiter, options: argparse.Namespace) -> tuple[str, ...]:
    """The command of a crawler."""
    if name == "penstock":
        return penstock(url, limiter)
    program, source = (options.scrapy, SCRAPY) if name == "scrapy" else (options.crawlee, CRAWLEE)
    return (str(program), "-c", source, url, str(limiter.delay), str(limiter.at_once))


def line(name: str, limiter: Limiter, seen: Seen, *, pages: int, seconds: float) -> str:
    """What came of it."""
    share = seen.rate_after(60) / limiter.allowed
    refused = seen.refused / max(1, seen.refused + len(seen.answered))
    lost = pages - len(set(seen.paths))
    return (
        f"{name:9} {limiter.name:22} {lost:4} of {pages} lost, {share:5.0%} of the rate, {refused:5.1%} refused, "
        f"{seconds:.0f} s"
    )


async def main() -> None:
    """Measure each crawler that there is."""
    parser = argparse.ArgumentParser(description="Crawlers at hosts that limit them.")
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--scrapy", type=Path, help="the Python of an environment with Scrapy")
    parser.add_argument("--crawlee", type=Path, help="the Python of an environment with crawlee[beautifulsoup]")
    parser.add_argument("--only", help="penstock, scrapy or crawlee")
    options = parser.parse_args()
    print(f"{len(LIMITERS)} limiters, {options.seconds:.0f} s")
    names = ["penstock", *(["scrapy"] if options.scrapy else []), *(["crawlee"] if options.crawlee else [])]
    for name in [name for name in names if options.only in (None, name)]:
        async for text in measured(name, options):
            print(text, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
