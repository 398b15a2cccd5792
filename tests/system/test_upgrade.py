"""An upgrade with messages in flight: what an older version has left is read, and what a newer one says waits for it.

The newer version is this one, with another version of one message: `sitecustomize` changes it as Python starts, in all
processes that are given this folder.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import codec
from contract.pages import PageFetched
from penstock.cluster.supervisor import STAGE_COMMANDS
from penstock.site import SiteOptions, running_site
from storage.sql.schema import REVISIONS
from tests.conftest import start_redis
from tests.storage.test_upgrade import put_back, revision_of
from tests.system.backups import OPTIONS, Place, as_the_site_has_it, asked, exported_whole, killed_behind, nothing_again
from tests.system.commands import Done, penstock, running

#: Says `page.fetched` in version 2, which is what version 1 was under another number.
NEWER = """
from contract import codec
from contract.pages import PageFetched

PageFetched.VERSION = 2
codec.UPCASTS["page.fetched", 1] = dict
"""
#: So many of the earliest pages wait for their hosts while they are dead letters: the site must have more hosts.
ROLLING = SiteOptions(hosts=8, pages=130, latency_ms=25)


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of processes of a newer version, whose record this test can read as well."""
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "sitecustomize.py").write_text(NEWER)
    monkeypatch.setattr(PageFetched, "VERSION", 2)
    monkeypatch.setitem(codec.UPCASTS, ("page.fetched", 1), dict)
    return {"PYTHONPATH": f"{tmp_path / 'newer'}:{Path(__file__).parents[2]}"}


@pytest.mark.soak  # its shorter siblings are in tests/storage/test_upgrade.py
@pytest.mark.timeout(180)
@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_crawl_goes_on_after_an_upgrade_from_each_revision_and_an_older_message(
    revision: str, newer: dict[str, str], tmp_path: Path
) -> None:
    place = Place(tmp_path / "data")
    async with running_site(OPTIONS) as site:
        async with killed_behind(place, site):
            await asked(site, 60)
        known, before = place.fetched(), len(site.log.records)
        assert known
        with place.engine() as engine:
            put_back(engine, revision)
        done = await penstock(*place.words(site), **place.environ, **newer)
    assert done.status == 0, done
    with place.engine() as engine:
        assert revision_of(engine) == REVISIONS[-1]
    as_the_site_has_it(place, site)
    nothing_again(site, known, before)
    place.settings |= newer
    assert await dead(place) == []
    await exported_whole(place, tmp_path / "out.warc.gz")


@contextlib.contextmanager
def at_a_server(place: Place, folder: Path) -> Iterator[None]:
    """A server of its own for the stages, as containers have it."""
    with start_redis(folder, "--appendonly", "yes") as url:
        place.settings |= {"PENSTOCK_REDIS_URL": url, "PENSTOCK_DATA": str(place.data), "PENSTOCK_ALLOW_PRIVATE": "1"}
        yield


async def dead(place: Place) -> list[dict[str, str]]:
    """The dead letters."""
    done = await penstock("dead", "list", "--json", "--data", str(place.data), **place.settings)
    assert done.status == 0, done
    found: list[dict[str, str]] = done.json
    return found


async def given_again(place: Place, newer: dict[str, str]) -> Done:
    """Dead letters, given to their stages once more by the newer version."""
    return await penstock("dead", "retry", "--all", "--data", str(place.data), **{**place.settings, **newer})


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_what_a_newer_worker_says_too_early_is_a_dead_letter_and_is_read_after_the_upgrade(
    newer: dict[str, str], tmp_path: Path
) -> None:
    place = Place(tmp_path / "data")
    (tmp_path / "redis").mkdir()
    async with running_site(ROLLING) as site, contextlib.AsyncExitStack() as stack:
        stack.enter_context(at_a_server(place, tmp_path / "redis"))
        older = {name: await stack.enter_async_context(running(name, **place.environ)) for name in STAGE_COMMANDS}
        crawl = await stack.enter_async_context(running(*place.words(site), **place.environ))
        await asked(site, 40)
        older["worker"].send_signal(signal.SIGTERM)
        await older["worker"].wait()
        await stack.enter_async_context(running("worker", **place.environ, **newer))
        while {"scheduler.settle", "scraper.parse", "storage.record"} - {each["stage"] for each in await dead(place)}:
            pass
        assert crawl.returncode is None
        for name in ("scheduler", "parse", "record"):
            older[name].send_signal(signal.SIGTERM)
            await older[name].wait()
            await stack.enter_async_context(running(name, **place.environ, **newer))
        again = await given_again(place, newer)
        assert again.status == 0, again
        assert await crawl.wait() == 0
        assert await dead(place) == []
    as_the_site_has_it(place, site)
