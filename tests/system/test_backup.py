"""A backup that was taken while a crawl ran, by the very commands of docs/operations.md: the crawl goes on from it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from penstock.site import running_site
from tests.s3 import CREDENTIALS, archive_url, start_s3
from tests.storage.conftest import postgres, postgres_server
from tests.system.backups import OPTIONS, Place, as_the_site_has_it, asked, exported_whole, killed_behind, nothing_again
from tests.system.commands import penstock
from tests.system.databases import SQLITE, Database, on_postgresql, run
from tests.system.guide import carried_out

__all__ = ["postgres", "postgres_server"]
ARCHIVE = "Back up the archive", "Restore the archive"
#: What the guide's `docker` would do, as far as it matters: commands in a container, and where a volume lies.
DOCKER = """#!/bin/sh
case "$*" in
  "compose exec -T postgres "*) shift 4; exec "$@" ;;
  "volume inspect --format {{.Mountpoint}} penstock_archive") echo "$VOLUME" ;;
  "compose down --volumes" | "compose up --detach"* | "compose create") ;;
  *) echo "not understood: $*" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def sqlite() -> Database:
    """The one in the data folder."""
    return SQLITE


@pytest.fixture
def postgresql(postgres_server: str) -> Iterator[Database]:
    """One of this test's own on a real server."""
    with on_postgresql(postgres_server) as database:
        yield database


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)])
@pytest.mark.timeout(180)
async def test_a_crawl_goes_on_from_a_backup_that_was_taken_while_it_ran(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    place = Place(tmp_path / "data", database.settings)
    shell = commands_of(place, tmp_path)
    titles = (f"Back up {database.name}", ARCHIVE[0]), (f"Restore {database.name}", ARCHIVE[1])

    def destroy() -> None:
        shutil.rmtree(place.data)
        database.destroy()

    await goes_on(place, shell, *titles, destroy=destroy)
    await exported_whole(place, tmp_path / "out.warc.gz")


@pytest.mark.soak
@pytest.mark.timeout(180)
async def test_the_same_with_docker_compose(postgres_server: str, tmp_path: Path) -> None:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    [host] = parse_qs(urlsplit(postgres_server).query)["host"]
    run(postgres_server, "CREATE ROLE penstock SUPERUSER LOGIN")
    with on_postgresql(postgres_server, name="penstock") as database:
        place = Place(tmp_path / "data", database.settings)
        shell = {**commands_of(place, tmp_path), "PGHOST": host, "VOLUME": str(place.data), "PROGRAMS": str(tmp_path)}
        titles = ("Back up: Docker Compose",), ("Restore: Docker Compose. The first line throws away what is there",)

        def destroy() -> None:
            shutil.rmtree(place.data)
            place.data.mkdir()  # an empty volume
            database.destroy()

        await goes_on(place, shell, *titles, destroy=destroy)
    run(postgres_server, "DROP ROLE penstock")


@pytest.mark.soak
@pytest.mark.timeout(180)
async def test_a_crawl_whose_archive_is_a_bucket_goes_on_at_the_same_prefix_from_sql_alone(tmp_path: Path) -> None:
    pytest.importorskip("moto.server", reason="no S3-protocol server is installed")
    with start_s3() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        settings = {"PENSTOCK_ARCHIVE_URL": archive_url(endpoint), "PENSTOCK_ARCHIVE_GATHER_SECONDS": "0.1"}
        place = Place(tmp_path / "data", {**settings, **CREDENTIALS})
        titles = ("Back up SQLite",), ("Restore SQLite",)
        await goes_on(place, commands_of(place, tmp_path), *titles, destroy=lambda: shutil.rmtree(place.data))


@pytest.mark.soak
@pytest.mark.timeout(180)
async def test_sql_alone_is_restored_beside_an_archive_and_a_redis_that_know_more(tmp_path: Path) -> None:
    place = Place(tmp_path / "data")
    titles = ("Back up SQLite",), ("Restore SQLite",)
    await goes_on(place, commands_of(place, tmp_path), *titles, destroy=(place.data / "penstock.db").unlink)
    await exported_whole(place, tmp_path / "out.warc.gz")


def commands_of(place: Place, folder: Path) -> dict[str, str]:
    """The environment of the guide's commands."""
    (folder / "backup").mkdir()
    return {"DATA": str(place.data), "BACKUP": str(folder / "backup"), **place.settings}


async def goes_on(
    place: Place,
    shell: dict[str, str],
    backing_up: tuple[str, ...],
    restoring: tuple[str, ...],
    *,
    destroy: Callable[[], None],
) -> None:
    """Back up in the middle of a crawl, destroy what there is somewhat later, restore, and go on to the end."""
    async with running_site(OPTIONS) as site:
        async with killed_behind(place, site):
            await asked(site, 50)
            for title in backing_up:
                await carried_out(title, **shell)
            await asked(site, 30)
        at_the_end = place.fetched()
        destroy()
        for title in restoring:
            await carried_out(title, **shell)
        restored, before = place.fetched(), len(site.log.records)
        assert set() < restored < at_the_end
        done = await penstock(*place.words(site), **place.environ)
    assert done.status == 0, done
    as_the_site_has_it(place, site)
    nothing_again(site, restored, before)


@pytest.mark.soak
@pytest.mark.timeout(180)
async def test_an_archive_older_than_sql_costs_bodies_that_are_said_to_be_lost_and_nothing_else(tmp_path: Path) -> None:
    place = Place(tmp_path / "data")
    shell = commands_of(place, tmp_path)
    async with running_site(OPTIONS) as site:
        async with killed_behind(place, site):
            await asked(site, 40)
            await carried_out(ARCHIVE[0], **shell)
            await asked(site, 50)
            await carried_out("Back up SQLite", **shell)
        shutil.rmtree(place.data)
        await carried_out("Restore SQLite", **shell)
        await carried_out(ARCHIVE[1], **shell)
        restored, before = place.fetched(), len(site.log.records)
        done = await penstock(*place.words(site), **place.environ)
    assert (done.status, done.json["state"]) == (0, "finished"), done
    nothing_again(site, restored, before)
    there, lost = place.bodies()
    assert there | lost == place.fetched() > restored
    assert set() < lost < restored
    exported = await penstock("export", "warc", "-o", str(tmp_path / "out.warc.gz"), "--data", str(place.data))
    assert f"left out {len(lost)} pages, whose bodies the archive has lost" in exported.err
