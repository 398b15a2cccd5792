"""A cluster of real processes at a server that others own, and a crawl with it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from penstock.cluster.supervisor import STAGE_COMMANDS
from penstock.site import expected
from penstock.site.running import RunningSite
from tests.system.commands import Done, penstock, running

WORDS = ("--scope", "any", "--per-host", "1", "--progress", "none", "--json")


@contextlib.asynccontextmanager
async def cluster(url: str, data: Path, *, prefix: str = "penstock") -> AsyncIterator[dict[str, str]]:
    """The settings of all who take part, for as long as the stages run."""
    settings = {
        "PENSTOCK_REDIS_URL": url,
        "PENSTOCK_DATA": str(data),
        "PENSTOCK_PREFIX": prefix,
        "PENSTOCK_ALLOW_PRIVATE": "1",
        "PENSTOCK_WORKERS": "1",
        "PENSTOCK_PARSERS": "1",
    }
    async with contextlib.AsyncExitStack() as stack:
        for stage in STAGE_COMMANDS:
            await stack.enter_async_context(running(stage, **settings))
        yield settings


async def crawl(site: RunningSite, settings: dict[str, str], *words: str) -> Done:
    """Crawl a site to its end."""
    return await penstock("crawl", site.root_url, *WORDS, *words, **settings)


def is_whole(site: RunningSite, done: Done) -> None:
    """The crawl has fetched and parsed all that there is, each page once."""
    count = sum(page.allowed and page.status < 400 for page in expected(site.web).values())
    assert done.status == 0, done
    assert (done.json["state"], done.json["fetched"], done.json["parsed"]) == ("finished", count, count), done
