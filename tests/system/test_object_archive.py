"""A crawl whose archive is a bucket: what was fetched lies in it, and nothing is lost when its recorder is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.settings import Settings
from penstock.site import SiteOptions, expected, running_site
from penstock.site.running import RunningSite
from storage.archive.reader import ArchiveReader
from storage.archive.segments.opening import open_store
from storage.sql import tables
from storage.sql.database import make_engine
from tests.s3 import CREDENTIALS, archive_url, start_s3
from tests.storage.helpers import contents, faults
from tests.system.commands import descendants, penstock, running, until

WORDS = ("--scope", "any", "--delay", "0", "--per-host", "4", "--allow-private", "--progress", "none", "--json")


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """The address of a server that this test process started."""
    pytest.importorskip("moto.server", reason="no S3-protocol server is installed")
    with start_s3() as endpoint:
        yield endpoint


@pytest.fixture
def settings(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of commands that share an archive, empty yet."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return {"PENSTOCK_ARCHIVE_URL": archive_url(s3_server), **CREDENTIALS}


def archived(data: Path, settings: dict[str, str]) -> set[str]:
    """The URLs of the pages whose bodies are read back."""
    store = open_store(Settings(data=str(data), archive_url=settings["PENSTOCK_ARCHIVE_URL"]))
    engine = make_engine(Settings(data=str(data)).sql_url)
    with ArchiveReader(store, engine) as reader:
        found = {event.message.payload.url for event in reader.pages() if reader.read(event.place)}
    engine.dispose()
    return found


def there(site: RunningSite) -> set[str]:
    """The URLs that the site answers without an error."""
    return {url for url, page in expected(site.web).items() if page.allowed and page.status < 400}


def segments(data: Path) -> list[int]:
    """The lengths of all recorded segments."""
    engine = make_engine(Settings(data=str(data)).sql_url)
    lengths = [row["length"] for row in contents(engine, [tables.segments])["segments"]]
    engine.dispose()
    return [length for length in lengths if length]


async def test_a_crawl_is_archived_reparsed_and_exported_from_a_bucket(settings, tmp_path):
    data, out = tmp_path / "data", tmp_path / "out.warc.gz"
    async with running_site(SiteOptions(hosts=2, pages=60, latency_ms=2)) as site:
        done = await penstock("crawl", site.root_url, *WORDS, "--data", str(data), **settings)
        assert done.status == 0, done
        assert archived(data, settings) == there(site)

    assert list((data / "archive").iterdir()) == []
    assert len(segments(data)) < 6
    again = await penstock("reparse", done.json["crawl"], "--data", str(data), "--json", **settings)
    assert (again.status, again.json["lost"]) == (0, 0), again
    export = await penstock("export", "warc", "--data", str(data), "-o", str(out), **settings)
    assert export.status == 0, export
    assert faults(out) == []
    for said in (done, again, export, *((data / "logs").glob("*.log"))):
        text = said.read_text() if isinstance(said, Path) else said.out + said.err
        assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in text


@pytest.mark.soak
@pytest.mark.timeout(240)
async def test_a_recorder_is_killed_again_and_again_and_every_body_is_there(settings, tmp_path):
    settings["PENSTOCK_ARCHIVE_GATHER_SECONDS"] = "1"
    async with running_site(SiteOptions(hosts=4, pages=900, latency_ms=60)) as site:
        async with running("crawl", site.root_url, *WORDS, "--data", str(tmp_path), **settings) as process:
            await until(lambda: len(site.log.records) > 30)
            for _ in range(5):
                await until(lambda: process.returncode is not None or bool(recorders(process.pid)))
                assert process.returncode is None, "the crawl was over before all were killed"
                for pid in recorders(process.pid):
                    os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(1.3)  # a kill every so often is the scenario itself
            assert await asyncio.wait_for(process.wait(), 150) == 0
        assert archived(tmp_path, settings) == there(site)


def recorders(pid: int) -> list[int]:
    """The processes that record, below a `penstock crawl`."""
    return [child for child, command in descendants(pid) if "penstock record" in command]
