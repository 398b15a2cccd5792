"""A real server of the S3 protocol (moto's), as a process on loopback, and buckets on it."""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from contract.lifetime import die_with_parent

#: What moto takes for credentials; all that tests look for in logs.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "id-of-tests", "AWS_SECRET_ACCESS_KEY": "secret-of-tests"}
START_SECONDS = 30
_numbers = itertools.count()


@contextlib.contextmanager
def start_s3() -> Iterator[str]:
    """The address of a server with a bucket called `pages`; gone after the `with` block."""
    port = _free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, preexec_fn=die_with_parent, **quiet)
    try:
        _make_bucket(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def archive_url(endpoint: str, *, bucket: str = "pages") -> str:
    """The setting for an archive that is empty yet."""
    return f"s3://{bucket}/run-{os.getpid()}-{next(_numbers)}/archive?endpoint={endpoint}&region=us-east-1"


def _make_bucket(endpoint: str) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(f"{endpoint}/pages", method="PUT"), timeout=10).close()
            return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
