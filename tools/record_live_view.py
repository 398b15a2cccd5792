"""The simulated web, crawled → docs/live-view.json: one state of a real crawl, for the README's picture.

    python -m tools.record_live_view

Takes about half a minute. Run it when the live view shows something that the recording does not have.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from penstock.site import SiteOptions, running_site
from penstock.view.state import CrawlState

RECORDING = Path(__file__).resolve().parent.parent / "docs" / "live-view.json"
OPTIONS = SiteOptions(hosts=12, pages=4_000, latency_ms=30, jitter_ms=20, error_rate=0.02, throttle_rate=0.003)
#: When the state is taken: seconds after the first look, when the sparkline has points and hosts have answered.
AT_SECONDS = 20.0
PENSTOCK = (sys.executable, "-m", "penstock")


async def main() -> None:
    """Crawl, look, keep what was seen."""
    with tempfile.TemporaryDirectory(prefix="ps") as data:
        async with running_site(OPTIONS, remember=False) as site:
            crawl = await asyncio.create_subprocess_exec(
                *(*PENSTOCK, "crawl", site.root_url, "--name", "demo", "--scope", "any", "--allow-private"),
                *("--delay", "0.1", "--per-host", "1", "--data", data, "--progress", "none"),
            )
            try:
                state = await _seen(data)
            finally:
                crawl.terminate()
                await crawl.wait()
    RECORDING.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=1) + b"\n")


async def _seen(data: str) -> CrawlState:
    """The first state of the crawl that is old enough."""
    while True:
        watch = await asyncio.create_subprocess_exec(
            *(*PENSTOCK, "watch", "--json", "--data", data),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=2**20,
        )
        assert watch.stdout is not None
        async for line in watch.stdout:
            state = msgspec.json.decode(line, type=CrawlState)
            if state.seconds >= AT_SECONDS:
                watch.terminate()
                await watch.wait()
                return state
        await watch.wait()
        await asyncio.sleep(0.2)  # the crawl is not there yet


if __name__ == "__main__":
    asyncio.run(main())
