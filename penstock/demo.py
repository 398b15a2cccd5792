"""`make demo`: crawl the simulated web with the live view, in a folder of its own, with no network.

Takes nothing, ends by itself in well under a minute, and says what was found and where it lies.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys

from penstock.site import SiteOptions, running_site

#: Ten hosts at ten pages a second each: busy enough to watch, polite enough to show that politeness holds.
OPTIONS = SiteOptions(hosts=10, pages=600, latency_ms=30, jitter_ms=20, error_rate=0.02, throttle_rate=0.005)
DATA = ".penstock/demo"


async def demo() -> int:
    """Serve the site, crawl it with the ordinary command, and return that command's exit status."""
    async with running_site(OPTIONS, remember=False) as site:
        words = [
            *("crawl", site.root_url, "--name", "demo", "--scope", "any", "--allow-private"),
            *("--delay", "0.1", "--per-host", "1", "--data", DATA),
        ]
        print(f"a simulated web of {OPTIONS.pages} pages on {OPTIONS.hosts} hosts is up; now:")
        print(f"  penstock {' '.join(words)}\n", flush=True)
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "penstock", *words)
        return await process.wait()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(demo()))
    except (KeyboardInterrupt, subprocess.SubprocessError):
        sys.exit(130)
