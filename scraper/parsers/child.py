"""One parser process as its supervisor sees it: what it was given, since when, and how it ended.

Takes `Task`s, sets their futures in the order in which they were given. Owns the process and its pipes.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import cast

import msgspec

from scraper.parsers.frames import BrokenFrame, Inbox, Job, Result, frame, results

#: The folder that holds our packages.
PACKAGES = Path(__file__).parents[2]
#: A page of which more than this is stored waits for a child that has nothing else to do, in bytes.
LARGE_BYTES = 256 * 1024
#: A child with more pages than this is given no others yet; in between, it takes several in one write.
LOW_WATER = 4


class Task:
    """A page on its way through the children."""

    __slots__ = ("alone", "context", "future", "job")

    def __init__(self, job: Job, future: asyncio.Future[Result]) -> None:
        self.job, self.future = job, future
        #: It has ended a child before, so it is read with nothing behind it.
        self.alone = False
        #: Of who gave the page: what is logged of it belongs there.
        self.context = copy_context()

    @property
    def by_itself(self) -> bool:
        """Whether a child reads it with no page before or behind it."""
        return self.alone or len(self.job.raw) > LARGE_BYTES


class Child(asyncio.SubprocessProtocol):
    """A parser process; `tasks[0]` is the page at work, since `since` by the loop's clock."""

    def __init__(
        self, *, on_ready: Callable[[], None], on_result: Callable[[], None], on_gone: Callable[["Child"], None]
    ) -> None:
        self.tasks: deque[Task] = deque()
        self._loop = asyncio.get_running_loop()
        self.since = self._loop.time()
        #: `leaves`: takes no further page; `said_goodbye`: because it said so, so that no page is to blame.
        self.ready = self.leaves = self.said_goodbye = False
        #: The page that this process was killed for, because its time was over.
        self.overdue: Task | None = None
        self.gone = asyncio.Event()
        self.ending = "still alive"
        self._on_ready, self._on_result, self._on_gone = on_ready, on_result, on_gone
        self._inbox = Inbox()
        self._process: asyncio.SubprocessTransport
        self._pipe: asyncio.WriteTransport

    def __repr__(self) -> str:
        return f"<Child {self._process.get_pid()}: {len(self.tasks)} pages, {self.ending}>"

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.get_pid()

    def takes(self, task: Task) -> bool:
        """Whether this page can be given now."""
        if not self.ready or self.leaves or self.overdue:
            return False
        return not self.tasks or (len(self.tasks) <= LOW_WATER and not (task.by_itself or self.tasks[-1].by_itself))

    def give(self, tasks: Sequence[Task]) -> None:
        """Have pages read after those given before."""
        if not self.tasks:
            self.since = self._loop.time()
        self.tasks.extend(tasks)
        self._pipe.write(b"".join(frame(task.job) for task in tasks))

    def kill(self) -> None:
        """End the process."""
        if self._process.get_returncode() is None:
            # Not by the transport, whose kill() waits for the process and so takes the exit status from the loop.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._process = cast(asyncio.SubprocessTransport, transport)
        self._pipe = cast(asyncio.WriteTransport, self._process.get_pipe_transport(0))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        try:
            for body in self._inbox.feed(data):
                self._hear(body)
        except (BrokenFrame, msgspec.MsgspecError, UnicodeDecodeError):
            self.kill()

    def pipe_connection_lost(self, fd: int, error: Exception | None) -> None:
        self.leaves = True
        self.kill()

    def process_exited(self) -> None:
        code = self._process.get_returncode()
        self.ending = _words(code)
        if code == -signal.SIGXCPU and self.tasks:
            self.overdue = self.tasks[0]

    def connection_lost(self, error: Exception | None) -> None:
        self._process.close()
        self.gone.set()
        self._on_gone(self)

    def _hear(self, body: bytes) -> None:
        if not body:
            self.ready = True
            self._on_ready()
            return
        result = results.decode(body)
        if not self.tasks:
            raise BrokenFrame("an answer to nothing")
        self.leaves = self.said_goodbye = result.last
        task = self.tasks.popleft()
        self.since = self._loop.time()
        if not task.future.done():
            task.future.set_result(result)
        self._on_result()


async def launch(
    *,
    on_ready: Callable[[], None],
    on_result: Callable[[], None],
    on_gone: Callable[[Child], None],
    cpu_seconds: int,
) -> Child:
    """Start a parser process.

    It starts in the folder that holds our packages, so that no file of the user's folder is taken for one of ours, and
    goes to the user's folder itself.
    """
    _, child = await asyncio.get_running_loop().subprocess_exec(
        lambda: Child(on_ready=on_ready, on_result=on_result, on_gone=on_gone),
        *(sys.executable, "-m", "scraper.parsers.process", str(Path.cwd()), str(cpu_seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=None,
        cwd=PACKAGES,
    )
    return child


def _words(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
