"""Each block of docs/patterns.md does what it says, against a crawl at work."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.site import SiteOptions, running_site
from tests.system.commands import Done, environ, running

GUIDE = (Path(__file__).parents[2] / "docs" / "patterns.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^```python\n# ([^\n]*)\n(.*?)^```$", GUIDE, re.M | re.S))
#: Block → what it prints at least, once it has run.
SAYS = {
    "subscribe to progress with plain redis-py": r"(\S+ \S+ \[.*\]\n){5}",
    "a consumer group of one's own on page.fetched": r"(page\.fetched \d+ http://\S+\n)+",
    "two consumers of one group share what comes": r"shared: True [1-9]\d* [1-9]\d*\n",
    "a projection of one's own: bytes of each content type, from the event store": r"True \[\('text/html', [1-9]",
    "answer at once, and export in the background": r"\{'file': 'pages.csv'\}\n",
    "a task and its result, beside the crawl": r"4\n",
    "call a function for each batch of events": r"True page\.parsed\n",
}


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder in whose `.penstock` a crawl is at work."""
    data = tmp_path / ".penstock"
    words = ("--scope", "any", "--delay", "0.2", "--allow-private", "--progress", "none", "--data", str(data))
    async with (
        running_site(SiteOptions(hosts=10, pages=20_000, robots="404")) as site,
        running("crawl", site.root_url, *words),
    ):
        async with asyncio.timeout(40):
            while len(site.log.records) < 30:
                await asyncio.sleep(0.05)
        yield tmp_path


async def run(block: str, folder: Path) -> Done:
    """A block as a file in that folder."""
    address = json.loads((folder / ".penstock" / "cluster.json").read_text())["redis_url"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", block),
        cwd=folder,
        env=environ(PENSTOCK_REDIS_URL=address),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


def test_every_block_is_tried() -> None:
    assert set(BLOCKS) == set(SAYS)


async def test_each_block_does_what_it_says(folder: Path) -> None:
    for title, words in SAYS.items():
        done = await run(BLOCKS[title], folder)
        assert done.status == 0, (title, done)
        assert re.match(words, done.out), (title, done)
    assert (folder / "pages.csv").stat().st_size > 0


def test_each_place_that_the_table_names_is_there() -> None:
    table = GUIDE.partition("| pattern |")[2].partition("\n\n")[0]
    named = re.findall(r"`((?:contract|scheduler|scraper|storage|penstock)/[\w/.]*)`", table)
    assert len(named) >= 6
    assert [path for path in named if not (Path(__file__).parents[2] / path).exists()] == []
