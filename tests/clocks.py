"""A server whose clock can be set, back or ahead, while it runs; nobody else's clock is touched.

The server is started with a few lines of C before its C library, which add so many seconds to what it is told. They are
compiled by the test, so a machine without a compiler skips it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import start_redis

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static long ahead(void) {
  static volatile long *seconds;
  if (!seconds) seconds = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, open(getenv("CLOCK_AHEAD"), O_RDONLY), 0);
  return *seconds;
}

int clock_gettime(clockid_t id, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, now);
  if (id == CLOCK_REALTIME) now->tv_sec += ahead();
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now) *now = precise.tv_sec;
  return precise.tv_sec;
}
"""


class Clock:
    """The clock of one server, so many seconds ahead of the machine's."""

    def __init__(self, url: str, seconds: mmap.mmap) -> None:
        self.url, self._seconds, self.ahead = url, seconds, 0

    def set(self, by_seconds: int) -> None:
        """Set it back (less than 0) or ahead, from where it stands."""
        self.ahead += by_seconds
        self._seconds[:] = struct.pack("l", self.ahead)


@contextlib.contextmanager
def server_with_a_clock(program: str = "") -> Iterator[Clock]:
    """A server of one's own, gone after the block."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = Path(tempfile.mkdtemp(prefix="ps"))  # short: a socket's path has to stay below 104 bytes
    try:
        library, file = folder / "clock.so", folder / "ahead"
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", library, "-ldl"],
            input=_SOURCE.encode(),
            check=True,
        )
        file.write_bytes(struct.pack("l", 0))
        with (
            file.open("r+b") as opened,
            mmap.mmap(opened.fileno(), 0) as seconds,
            _before(library, file),
            start_redis(folder, program=program) as url,
        ):
            yield Clock(url, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _before(library: Path, file: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environ:
        environ.setitem(os.environ, "LD_PRELOAD", str(library))
        environ.setitem(os.environ, "CLOCK_AHEAD", str(file))
        yield
