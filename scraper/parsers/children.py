"""The parser processes: pages go in, results come out, whatever a page does to its reader.

Takes `Job`s, gives a future `Result` each, owns the processes. `size` children work side by side; each holds the page
at work and a few behind it, so that it never waits for the next.

    waiting ──▶ behind ──▶ at work ──▶ result
       ▲           │          │
       └───────────┴──────────┘ the child is gone

- A page over its wall clock time: the child is killed, the page ends as `parse_timeout`; so it does when the kernel
  ended the child for its CPU time.
- A child that dies otherwise: its page is read once more, alone in a child, because somebody may just have killed the
  process. If that dies too, the page ends as `parser_crashed`.
- Pages behind the one at work are never blamed: they go to another child. A dead child is replaced at once.
- A child that cannot even start is said in the log; after START_LIMIT of them in a row every page fails with
  `NoParser`, which ends the stage: that is a broken installation, and no page's fault.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Self

from contract import metrics
from contract.errors import PenstockError
from scraper.parsers.child import Child, Task, launch
from scraper.parsers.frames import Job, Result
from scraper.parsers.process import PAGE_CPU_SECONDS

log = logging.getLogger("scraper.parse")

#: Wall clock time that a page may be at work. As long as PAGE_CPU_SECONDS: what takes longer is not computing.
PAGE_SECONDS = 10.0
#: Pages that a child holds at most, the one at work included. It is given more when it has half of them left.
DEPTH = 8
#: Children that died in a row before they could take a page; then something is wrong with the installation.
START_LIMIT = 5
_START_PAUSE_SECONDS = 0.05
#: Time that a child may take to start.
START_SECONDS = 30.0
#: How often the clocks are looked at, as a part of the time that a page has.
_LOOKS = 40


class NoParser(PenstockError):
    """Raised when no parser process can be started."""


class Children:
    """A pool of parser processes; use it as an async context manager."""

    def __init__(self, size: int, *, page_seconds: float = PAGE_SECONDS, cpu_seconds: int = PAGE_CPU_SECONDS) -> None:
        self.size, self.page_seconds, self.cpu_seconds = size, page_seconds, cpu_seconds
        self.alive: list[Child] = []
        self._waiting: deque[Task] = deque()
        self._failed_starts = 0
        self._closing = False
        self._background: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        at_work = sum(1 for child in self.alive if child.tasks)
        return f"<Children: {len(self.alive)} of {self.size} alive, {at_work} at work, {len(self._waiting)} pages wait>"

    async def __aenter__(self) -> Self:
        for _ in range(self.size):
            self._do(self._start())
        self._do(self._watch())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._closing = True
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for child in self.alive:
            child.kill()
        await asyncio.gather(*(child.gone.wait() for child in self.alive))

    def submit(self, job: Job) -> asyncio.Future[Result]:
        """Have a page read; the future fails only with `NoParser`."""
        task = Task(job, asyncio.get_running_loop().create_future())
        self._waiting.append(task)
        self._feed()
        return task.future

    # -- giving out pages

    def _feed(self) -> None:
        while self._waiting:
            hungry = [child for child in self.alive if child.takes(self._waiting[0])]
            if not hungry:
                return
            child = min(hungry, key=lambda child: len(child.tasks))
            share = -(-len(self._waiting) // len(hungry))
            child.give(self._portion(child, min(share, DEPTH - len(child.tasks))))

    def _portion(self, child: Child, most: int) -> list[Task]:
        tasks: list[Task] = []
        while self._waiting and len(tasks) < most and (not tasks or not self._waiting[0].by_itself):
            tasks.append(self._waiting.popleft())
            if tasks[-1].by_itself:
                break
        return tasks

    # -- children come and go

    async def _start(self) -> None:
        if self._failed_starts:
            await asyncio.sleep(_START_PAUSE_SECONDS * 2**self._failed_starts)
        child = await launch(
            on_ready=self._ready, on_result=self._feed, on_gone=self._gone, cpu_seconds=self.cpu_seconds
        )
        # It may have said that it is ready, or died, before this line is reached.
        if not child.gone.is_set():
            self.alive.append(child)
            self._feed()

    def _ready(self) -> None:
        self._failed_starts = 0
        self._feed()

    def _gone(self, child: Child) -> None:
        with contextlib.suppress(ValueError):
            self.alive.remove(child)
        if self._closing:
            return
        tasks = list(child.tasks)
        if tasks and not child.said_goodbye:
            blamed = tasks.pop(0)
            blamed.context.run(self._end, blamed, child)
        self._waiting.extendleft(reversed(tasks))
        if not child.ready:
            self._note_failed_start(child)
        metrics.add("penstock_parser_restarts")
        self._do(self._start())
        self._feed()

    def _end(self, task: Task, child: Child) -> None:
        """What becomes of the page that a child died at."""
        if child.overdue is task:
            seconds = f"{self.page_seconds:g} s, or {self.cpu_seconds} s of CPU time"
            self._fail(task, "parse_timeout", f"reading this page took longer than {seconds}")
        elif task.alone:
            self._fail(task, "parser_crashed", f"reading this page ended the parser process twice ({child.ending})")
        else:
            log.warning(
                "a parser process died (%s) reading %s: once more",
                child.ending,
                task.job.url,
                extra={"action": "again"},
            )
            task.alone = True
            self._waiting.appendleft(task)

    def _fail(self, task: Task, error: str, detail: str) -> None:
        log.warning("%s: %s", task.job.url, detail, extra={"action": error})
        if not task.future.done():
            task.future.set_result(Result(error=error, detail=detail))

    def _note_failed_start(self, child: Child) -> None:
        self._failed_starts += 1
        log.error("a parser process did not start (%s)", child.ending, extra={"action": "not_started"})
        if self._failed_starts >= START_LIMIT:
            while self._waiting:
                future = self._waiting.popleft().future
                if not future.done():
                    future.set_exception(NoParser(f"no parser process can be started ({child.ending}); see its output"))

    # -- the clock

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.page_seconds / _LOOKS)
            for child in self.alive:
                time = loop.time() - child.since
                if child.tasks and time > self.page_seconds:
                    child.overdue = child.tasks[0]
                    child.kill()
                elif not child.ready and time > START_SECONDS:
                    child.kill()

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
