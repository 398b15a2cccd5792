"""A parser process: jobs come in on its input, results go out on its output, in the same order.

It is the place where pages of strangers meet native code and a user's functions, so it holds nothing of value: no
connection, no settings. The kernel bounds it (`limit_memory`, `allow_seconds`), its supervisor ends it when a page
takes too long, and it goes with its supervisor. Between pages it also leaves by itself once it has grown large.
"""

import contextlib
import fcntl
import gc
import logging
import os
import resource
import signal
import sys
import time
from functools import cache
from typing import BinaryIO, NamedTuple

from contract.tied import die_with_parent
from scraper.parsers.frames import READY, Result, frame, jobs, length_of
from scraper.parsers.reading import Reader

#: Address space that a page may take, over what the process has at its start, in bytes. Beyond it memory is refused.
PAGE_MEMORY_BYTES = 1024 * 1024 * 1024
#: CPU time that a page may take. The kernel counts in whole seconds, so it may be one more.
PAGE_CPU_SECONDS = 10
#: A process that has grown by this much (resident) since its start leaves between two pages.
GROWN_BYTES = 256 * 1024 * 1024

#: Bytes of results that wait in the pipe while the supervisor does other things. The system's 64 KiB are two pages of
#: long text, and then this process would wait too.
_PIPE_BYTES = 512 * 1024
_PAGE_BYTES = resource.getpagesize()


def main() -> None:
    """Work until the input ends. The first argument is the folder to work in, the second PAGE_CPU_SECONDS."""
    die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if len(sys.argv) > 1:
        os.chdir(sys.argv[1])
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else PAGE_CPU_SECONDS
    source, sink = _private_pipes()
    # What a spider logs is for the person who wrote it, as what it prints.
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    limit_memory(PAGE_MEMORY_BYTES)
    sink.write(READY)
    sink.flush()
    work(source, sink, cpu_seconds=seconds)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes under other numbers, so that a spider's `print` and `input` cannot reach them."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # this process may be killed any time
    with contextlib.suppress(OSError, AttributeError):  # another system, or another kind of output
        fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb")


def work(source: BinaryIO, sink: BinaryIO, *, cpu_seconds: int) -> None:
    """Read pages until the input ends, or this process had better go."""
    reader = Reader()
    gc.freeze()  # what is here at the start stays; no collection has to walk it
    grown = _memory_bytes().resident + GROWN_BYTES
    while head := source.read(4):
        job = jobs.decode(source.read(length_of(head)))
        allow_seconds(cpu_seconds)
        result = reader.read(job)
        leaves = result.last or _memory_bytes().resident > grown
        sink.write(_answer(result, last=leaves))
        sink.flush()
        if leaves:
            return


def _answer(result: Result, *, last: bool) -> bytes:
    if last and not result.last:
        result.last = True
    return frame(result)


def limit_memory(size: int) -> None:
    """Let this process grow by `size` bytes of address space and no more; no core files of strangers' pages either."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if taken := _memory_bytes().address_space:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = taken + size
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


class _Memory(NamedTuple):
    address_space: int
    resident: int


def _memory_bytes() -> _Memory:
    # Not ru_maxrss: that begins with the size of the process that started this one.
    try:
        address_space, resident = os.pread(_statm(), 256, 0).split(maxsplit=2)[:2]
    except OSError:
        return _Memory(0, 0)  # no such limits on this system; time is bounded all the same
    return _Memory(int(address_space) * _PAGE_BYTES, int(resident) * _PAGE_BYTES)


@cache
def _statm() -> int:
    """The kernel's count of this process's memory, open for good: it is looked at between any two pages."""
    return os.open("/proc/self/statm", os.O_RDONLY)


def allow_seconds(seconds: int) -> None:
    """Let this process use so much more CPU time; the kernel ends it (SIGXCPU) when that is gone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    allowed = int(time.process_time()) + 1 + seconds
    if allowed != soft:
        resource.setrlimit(resource.RLIMIT_CPU, (allowed if hard < 0 else min(allowed, hard), hard))


if __name__ == "__main__":
    main()
