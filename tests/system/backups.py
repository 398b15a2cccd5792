"""What tests of backups share: where a crawl's record lies, a crawl over it, and what must be true of it at the end."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from contract.settings import Settings
from penstock.site import SiteOptions, expected
from penstock.site.running import RunningSite
from storage.archive.reader import ArchiveReader, LostBody
from storage.archive.segments.opening import open_store
from storage.read_models import queries
from storage.sql.database import make_engine
from tests.storage.helpers import faults
from tests.system.commands import descendants, penstock, running, until

WORDS = ("--scope", "any", "--delay", "0", "--per-host", "1", "--allow-private", "--progress", "none", "--json")
OPTIONS = SiteOptions(hosts=4, pages=110, latency_ms=25)
#: A segment has room for some ten pages: a backup finds closed ones, and one that is being written.
SEGMENT_BYTES = "20000"


@dataclass
class Place:
    """Where a crawl's record lies: the data folder, and settings that name another database or archive."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def read(self) -> Settings:
        """The settings as a reader has them."""
        named = {name.removeprefix("PENSTOCK_").lower(): value for name, value in self.settings.items()}
        wanted = {name: named[name] for name in ("database_url", "archive_url") if name in named}
        return Settings(data=str(self.data), **wanted)

    @contextlib.contextmanager
    def engine(self) -> Iterator[Engine]:
        """The database."""
        engine = make_engine(self.read.sql_url)
        try:
            yield engine
        finally:
            engine.dispose()

    def fetched(self) -> set[str]:
        """URLs that are recorded as fetched."""
        with self.engine() as engine:
            return {row["url"] for row in queries.pages(engine) if row["outcome"] == "fetched"}

    def bodies(self) -> tuple[set[str], set[str]]:
        """URLs whose bodies the archive has, and those whose bodies it has not."""
        there, lost = set(), set()
        with self.engine() as engine, ArchiveReader(open_store(self.read), engine) as reader:
            for page in reader.pages():
                url = page.message.payload.url
                try:
                    reader.read(page.place)
                    there.add(url)
                except LostBody:
                    lost.add(url)
        return there, lost

    def words(self, site: RunningSite) -> tuple[str, ...]:
        """The command that begins the crawl of the site, and goes on with it."""
        return ("crawl", site.root_url, *WORDS, "--data", str(self.data))

    @property
    def environ(self) -> dict[str, str]:
        """The environment of that command."""
        return {"PENSTOCK_ARCHIVE_SEGMENT_BYTES": SEGMENT_BYTES, **self.settings}


@contextlib.asynccontextmanager
async def killed_behind(place: Place, site: RunningSite) -> AsyncIterator[None]:
    """A crawl that runs inside the block, and is killed with all its processes behind it, far from its end."""
    async with running(*place.words(site), **place.environ) as process:
        yield
        assert process.returncode is None, "the crawl was over"
        cluster = dict(descendants(process.pid))
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in cluster))


async def asked(site: RunningSite, requests: int) -> None:
    """Wait until the site was asked for so many more."""
    wanted = len(site.log.records) + requests
    await until(lambda: len(site.log.records) >= wanted)


def truth(site: RunningSite) -> set[str]:
    """The URLs that the site answers without an error."""
    return {url for url, page in expected(site.web).items() if page.allowed and page.status < 400}


def as_the_site_has_it(place: Place, site: RunningSite) -> None:
    """Every page is stored once and read once, with its body, and there is one crawl, which is over."""
    with place.engine() as engine:
        found, [crawl] = list(queries.pages(engine)), queries.crawls(engine)
    assert Counter(row["url"] for row in found).most_common(1)[0][1] == 1
    assert place.fetched() == truth(site)
    assert (crawl.state, crawl.fetched, crawl.parsed) == ("finished", len(truth(site)), len(truth(site)))
    assert place.bodies() == (truth(site), set())


async def exported_whole(place: Place, to: Path) -> None:
    """The archive gives a file that other tools find no fault with, and nothing is left out of it."""
    done = await penstock("export", "warc", "-o", str(to), "--data", str(place.data), **place.settings)
    assert (done.status, done.err) == (0, ""), done
    assert faults(to) == []


def nothing_again(site: RunningSite, urls: set[str], before: int) -> None:
    """None of these was asked for behind that request."""
    assert not urls & {f"http://{record.host}{record.path}" for record in site.log.records[before:]}
