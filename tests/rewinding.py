"""A server that can be set back in time, as a failover does it: its replica had not got the last seconds yet."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from redis import Redis

from tests.conftest import start_redis


class Rewinding:
    """A server; what it holds is remembered by `remember`, and all that came after is gone by `rewind`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def remember(self) -> None:
        """This is what the replica has."""
        with Redis.from_url(self.url) as client:
            client.save()

    def rewind(self) -> None:
        """The replica is the master: nothing that came after `remember` has happened."""
        with Redis.from_url(self.url) as client:
            client.execute_command("DEBUG", "RELOAD", "NOSAVE")


@contextlib.contextmanager
def rewinding() -> Iterator[Rewinding]:
    """A server of one's own, gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="ps"))  # short: a socket's path has to stay below 104 bytes
    try:
        with start_redis(folder, "--enable-debug-command", "local") as url:
            yield Rewinding(url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
