"""An older copy of the database beside a living Redis, as a power cut or a hand leaves it: no page is missing then."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from pathlib import Path

from penstock.site import SiteOptions, running_site
from tests.system.commands import descendants, penstock, running, until
from tests.system.test_recovery import WORDS, as_the_site_has_it, politely


def copied(database: Path, copy: Path) -> None:
    """The state of a database at one instant, while others write."""
    with contextlib.closing(sqlite3.connect(database)) as one, contextlib.closing(sqlite3.connect(copy)) as other:
        one.backup(other)


def put_back(copy: Path, database: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{database}{end}").unlink(missing_ok=True)
    copy.rename(database)


async def test_the_same_command_fetches_what_the_database_has_lost(tmp_path: Path) -> None:
    database = tmp_path / "penstock.db"
    async with running_site(SiteOptions(hosts=4, pages=80, latency_ms=10)) as site:
        words = ("crawl", site.root_url, *WORDS, "--delay", "0.05", "--data", str(tmp_path))
        async with running(*words) as process:
            await until(lambda: len(site.log.records) > 20)
            copied(database, tmp_path / "copy.db")
            await until(lambda: len(site.log.records) > 55)
            cluster = dict(descendants(process.pid))
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in cluster))
        put_back(tmp_path / "copy.db", database)
        done = await penstock(*words)
    assert done.status == 0, done
    as_the_site_has_it(site, tmp_path)
    politely(site)
    assert "action=sql_behind" in (tmp_path / "logs" / "record.log").read_text()
    assert any((tmp_path / "archive" / "unrecorded").iterdir())
