"""What a data folder tells to whoever reads it: nothing that is secret, and nothing at all to anybody but its owner."""

from __future__ import annotations

import contextlib
import http.server
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from contract.errors import Refused
from contract.settings import Settings
from penstock.cluster import running_in
from penstock.site import SiteOptions, running_site
from tests.conftest import start_redis
from tests.storage.conftest import postgres, postgres_server
from tests.system.commands import penstock, running, until
from tests.system.databases import on_postgresql

__all__ = ["postgres", "postgres_server"]
FAST = ("--delay", "0", "--per-host", "16", "--allow-private", "--progress", "plain")
#: Long enough that nothing else holds them by chance.
PASSWORD, TOKEN, SIGNING, OF_SEED, OF_PAGE = (f"hidden{word}7391" for word in ("Sql", "Api", "Hook", "Seed", "Page"))
SECRETS = (PASSWORD, TOKEN, SIGNING, OF_SEED)


@pytest.fixture(autouse=True)
def as_most_people_have_it() -> Iterator[None]:
    """Files can be read by everybody unless somebody sees to it that they cannot."""
    before = os.umask(0o022)
    yield
    os.umask(before)


async def test_no_secret_of_any_setting_is_written_to_the_folder(postgres_server: str, tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    with on_postgresql(postgres_server) as database:
        secret = {
            "PENSTOCK_DATABASE_URL": with_password(database.settings["PENSTOCK_DATABASE_URL"]),
            "PENSTOCK_API_TOKEN": TOKEN,
            "PENSTOCK_WEBHOOK_SECRET": SIGNING,
            "PENSTOCK_LOG_LEVEL": "DEBUG",
        }
        async with running_site(SiteOptions(pages=30, latency_ms=20)) as site:
            seed = site.root_url.replace("://", f"://somebody:{OF_SEED}@")
            more = ("--serve", "--port", "0", "--webhook", "http://[::1]:9/")
            async with running("crawl", seed, *FAST, "--data", str(data), *more, log=log, **secret) as process:
                await until(lambda: (data / "cluster.json").exists())
                assert PASSWORD.encode() not in (data / "cluster.json").read_bytes()
                joined = running_in(Settings(data=str(data), database_url=secret["PENSTOCK_DATABASE_URL"]))
                assert joined
                assert joined.database_url == secret["PENSTOCK_DATABASE_URL"]
                with pytest.raises(Refused, match="set PENSTOCK_DATABASE_URL to that, with the password"):
                    running_in(Settings(data=str(data)))
                await until(lambda: " finished " in log.read_text())
                await until(lambda: "action=not_posted" in (data / "logs" / "record.log").read_text())
                process.terminate()  # it would give the webhook some more time
                await process.wait()
    assert found_in(data, *SECRETS) == []
    assert not [word for word in SECRETS if word in log.read_text()]


async def test_the_password_of_a_redis_is_in_no_log_of_a_stage(tmp_path: Path, short_folder: Path) -> None:
    with start_redis(short_folder) as url:
        with Redis(unix_socket_path=url.removeprefix("unix://")) as client:
            client.config_set("requirepass", PASSWORD)
        settings = {"PENSTOCK_REDIS_URL": url.replace("unix://", f"unix://:{PASSWORD}@"), "PENSTOCK_LOG_LEVEL": "DEBUG"}
        settings["PENSTOCK_DATA"] = str(tmp_path / "data")
        async with contextlib.AsyncExitStack() as stages, running_site(SiteOptions(pages=10)) as site:
            for stage in ("scheduler", "worker", "parse", "record"):
                log, more = tmp_path / f"{stage}.log", {**settings, "PENSTOCK_ALLOW_PRIVATE": "1"}
                await stages.enter_async_context(running(stage, log=log, **more))
            done = await penstock("crawl", site.root_url, *FAST[:4], *FAST[5:], **settings)
    assert done.status == 0, done
    assert found_in(tmp_path, PASSWORD) == []
    assert PASSWORD not in done.err + done.out


async def test_only_its_owner_can_read_a_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(running_site(SiteOptions(pages=300, latency_ms=20)))
        process = await stack.enter_async_context(running("crawl", site.root_url, *FAST, "--data", str(data)))
        await until(lambda: len(site.log.records) > 30)
        meanwhile = open_to_others(data)
        process.terminate()
        await process.wait()
    assert meanwhile == open_to_others(data) == []
    assert len(list(data.rglob("*"))) > 10
    file = tmp_path / "pages.csv"
    assert (await penstock("export", "pages", "--data", str(data), "-o", str(file))).status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o644  # what is asked for by name is as its owner has all his files


async def test_an_empty_folder_that_stood_there_is_closed_and_one_with_files_is_left_as_it_is(tmp_path: Path) -> None:
    empty, used = tmp_path / "empty", tmp_path / "used"
    empty.mkdir()
    used.mkdir()
    (used / "mine.txt").write_text("mine")
    async with running_site(SiteOptions(pages=2)) as site:
        for data in (empty, used):
            assert (await penstock("crawl", site.root_url, *FAST, "--data", str(data))).status == 0
    assert open_to_others(empty) == []
    assert open_to_others(used) == [used, used / "mine.txt"]


async def test_names_and_passwords_in_links_are_in_no_event(tmp_path: Path) -> None:
    with telling_site() as url:
        done = await penstock("crawl", url, *FAST, "--data", str(tmp_path / "data"))
    assert done.status == 0, done
    events = (await penstock("export", "events", "--data", str(tmp_path / "data"))).out
    assert "/linked" in events
    assert "/moved" in events
    assert "/refreshed" in events
    assert "map.xml" in events
    assert OF_PAGE not in events


def with_password(url: str) -> str:
    """The same address with a password, which this server does not ask for."""
    before, _, after = url.partition("@")
    return f"{before.rstrip(':')}:{PASSWORD}@{after}"


def found_in(folder: Path, *secrets: str) -> list[tuple[str, str]]:
    """The files that hold one of these words."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert files
    return [(str(path), word) for path in files for word in secrets if word.encode() in path.read_bytes()]


def open_to_others(folder: Path) -> list[Path]:
    """What in a folder, or itself, somebody else than its owner may read, write or enter."""
    return sorted(path for path in (folder, *folder.rglob("*")) if path.exists() and path.stat().st_mode & 0o077)


@contextlib.contextmanager
def telling_site() -> Iterator[str]:
    """A site that writes passwords into each kind of URL that a page or its host can give."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Telling) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class _Telling(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with URLs that have a password."""
        here = f"http://somebody:{OF_PAGE}@{self.headers['host']}"
        moved = self.path == "/linked"
        page = f'<a href="{here}/linked">a</a><meta http-equiv=refresh content="0; url={here}/refreshed">'
        robots = f"User-agent: *\nAllow: /\nSitemap: {here}/map.xml\n"
        body = (robots if self.path == "/robots.txt" else page).encode()
        self.send_response(302 if moved else 200)
        if moved:
            self.send_header("Location", f"{here}/moved")
        self.send_header("Content-Type", "text/plain" if self.path == "/robots.txt" else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="ps") as folder:
        yield Path(folder)
