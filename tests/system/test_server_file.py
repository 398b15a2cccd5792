"""The embedded server's file after a power cut: what cannot be read is set aside, and the crawl goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from contract.errors import Refused
from penstock.cluster.folder import DataFolder
from penstock.cluster.server import EmbeddedServer
from penstock.site import SiteOptions, running_site
from tests.system.commands import descendants, penstock, running, until
from tests.system.test_recovery import WORDS, as_the_site_has_it

#: What file systems leave behind the last bytes that reached the disk.
ZEROS = b"\0" * 4096


def zeros_at_the_end(files: Path) -> None:
    with next(files.glob("*.incr.aof")).open("ab") as file:
        file.write(ZEROS)


def zeros_in_the_first_part(files: Path) -> None:
    base = next(files.glob("*.base.rdb"))
    base.write_bytes(base.read_bytes()[:20] + ZEROS)


def an_empty_first_part(files: Path) -> None:
    next(files.glob("*.base.rdb")).write_bytes(b"")


def an_empty_list_of_parts(files: Path) -> None:
    next(files.glob("*.manifest")).write_bytes(b"")


def a_part_that_is_gone(files: Path) -> None:
    next(files.glob("*.base.rdb")).unlink()


DAMAGES = (zeros_at_the_end, zeros_in_the_first_part, an_empty_first_part, an_empty_list_of_parts, a_part_that_is_gone)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """The server of a data folder, which has run once and holds something."""
    folder = DataFolder(tmp_path)
    folder.prepare()
    one = EmbeddedServer(folder.path, folder.socket)
    await one.start()
    async with Redis.from_url(one.url) as redis:
        await redis.set("what", "was there")
    await one.stop()
    yield one
    await one.stop()


async def what_is_there(server: EmbeddedServer) -> bytes | None:
    async with Redis.from_url(server.url) as redis:
        found: bytes | None = await redis.get("what")
        return found


async def test_a_file_that_is_whole_is_read(server: EmbeddedServer):
    assert await server.start() is None
    assert await what_is_there(server) == b"was there"


async def test_a_file_that_ends_in_the_middle_of_a_command_is_read_up_to_there(server: EmbeddedServer):
    [part] = (server.folder / "redis" / "appendonlydir").glob("*.incr.aof")
    with part.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nwh")

    assert await server.start() is None
    assert await what_is_there(server) == b"was there"


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_file_that_cannot_be_read_is_set_aside_and_the_server_begins_empty(
    server: EmbeddedServer, damage: Callable[[Path], None]
):
    files = server.folder / "redis" / "appendonlydir"
    damage(files)
    damaged = {part.name: part.read_bytes() for part in files.iterdir()}

    aside = await server.start()

    assert aside is not None
    assert {part.name: part.read_bytes() for part in aside.iterdir()} == damaged
    assert await what_is_there(server) is None


async def test_two_files_of_the_same_second_are_both_kept(server: EmbeddedServer):
    aside = []
    for _ in range(3):  # each takes some 20 ms
        zeros_at_the_end(server.folder / "redis" / "appendonlydir")
        aside.append(await server.start())
        await server.stop()

    assert len(set(aside)) == 3
    assert all(file and file.is_dir() for file in aside)


async def test_a_file_that_is_not_at_fault_stays_where_it_is(server: EmbeddedServer):
    right, server.socket = server.socket, server.folder / "nowhere" / "redis.sock"
    with pytest.raises(Refused, match="Unix socket"):
        await server.start()
    server.socket = right

    assert await server.start() is None
    assert await what_is_there(server) == b"was there"


async def test_a_crawl_goes_on_after_a_power_cut_left_zeros_at_the_end_of_the_file(tmp_path: Path):
    async with running_site(SiteOptions(hosts=2, pages=80, latency_ms=10)) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", "0.02", "--data", str(tmp_path))
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 30)
            cluster = dict(descendants(process.pid))
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in cluster))
        zeros_at_the_end(tmp_path / "redis" / "appendonlydir")
        done = await penstock(*words)
    assert done.status == 0, done
    [line] = done.err.splitlines()
    assert line.startswith("penstock: the server could not read its file, which is kept as ")
    as_the_site_has_it(site, tmp_path)


async def test_a_server_that_dies_with_its_file_in_mid_crawl_is_started_anew_without_it(tmp_path: Path):
    async with running_site(SiteOptions(hosts=2, pages=80, latency_ms=10)) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", "0.02", "--data", str(tmp_path))
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 30)
            zeros_at_the_end(tmp_path / "redis" / "appendonlydir")
            os.kill(server_of(process.pid), signal.SIGKILL)
            assert await process.wait() == 0
    as_the_site_has_it(site, tmp_path)
    assert "action=file_set_aside" in (tmp_path / "logs" / "penstock.log").read_text()


async def test_a_server_that_does_not_start_three_times_ends_the_command_with_one_line(tmp_path: Path):
    err = tmp_path / "err"
    data = tmp_path / "data"
    async with running_site(SiteOptions(hosts=2, pages=400, latency_ms=50)) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", "0.05", "--data", str(data))
        async with running(*words, log=err) as process:
            await until(lambda: len(site.log.records) > 5)
            pid = server_of(process.pid)
            (data / "redis").rename(data / "away")
            os.kill(pid, signal.SIGKILL)
            assert await process.wait() == 2
    [line] = err.read_text().splitlines()
    assert line.startswith("penstock: the embedded server ended at once: ")
    said = (data / "logs" / "penstock.log").read_text()
    assert said.count("action=refused") == 3


def server_of(pid: int) -> int:
    """The embedded server below a `penstock crawl`."""
    return next(child for child, command in descendants(pid) if "-server" in command)
