"""The way of pages through a run: chosen, at work in a child, read, recorded.

Takes a task; owns the pages in between, which are few whatever the size of the crawl. Reading the archive, the children
and SQL go on side by side; each waits for room behind it.

A stop gives up the pages at work and records those that are read; so does `kill -9`, but for the latter. The next run
does the rest, because it knows its own events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from sqlalchemy import Engine

from contract.errors import Refused, Unreachable
from penstock.reparsing.choosing import Chosen, Task, portions
from penstock.reparsing.missing import Missing
from penstock.reparsing.recording import Read, is_said, record
from penstock.reparsing.tally import Tally
from scraper.parsers.children import Children
from scraper.parsers.frames import Result
from storage.archive.reader import ArchiveReader

#: Pages given to each child: enough to keep it at work while this process does other things.
PAGES_A_CHILD = 24
#: Pages recorded in one transaction, or fewer that have so many bytes of items. Must stay well below what a writer
#: takes LOCK_SECONDS for, because a recorder that shares the database waits that long.
PAGES_A_TRANSACTION, BYTES_A_TRANSACTION = 200, 32 * 1024 * 1024


class Stream:
    """One run over a crawl's archive."""

    def __init__(
        self,
        engine: Engine,
        reader: ArchiveReader,
        children: Children,
        *,
        missing: Missing | None = None,
        on_progress: Callable[[Tally], None] = lambda tally: None,
    ) -> None:
        self.engine, self.reader, self.children = engine, reader, children
        self.tally, self._missing = Tally(), missing
        self._on_progress = on_progress
        self._at_work = 0
        self._read: list[Read] = []
        self._read_bytes = 0
        self._recording: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._failure: BaseException | None = None

    def __repr__(self) -> str:
        return f"<Stream: {self._at_work} pages at work, {len(self._read)} to record, {self.children!r}>"

    async def work(self, task: Task, stop: asyncio.Event) -> None:
        """Parse all pages, or those until asked to stop; raises `Refused`, `Unreachable` and `NoParser`."""
        waking = asyncio.create_task(self._wake_at(stop))
        try:
            await self._give_all(task, stop)
            await self._until(lambda: not self._at_work, stop)
        finally:
            waking.cancel()
            await self._record_rest()
        self._check()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._changed.set()

    async def _until(self, holds: Callable[[], bool], stop: asyncio.Event) -> None:
        while not (holds() or stop.is_set()):
            self._changed.clear()
            await self._changed.wait()
            self._check()

    def _check(self) -> None:
        if self._failure:
            raise self._failure

    # -- giving

    async def _give_all(self, task: Task, stop: asyncio.Event) -> None:
        chosen = portions(self.engine, self.reader, task, self.tally)
        while (portion := await asyncio.to_thread(next, chosen, None)) is not None:
            self._on_progress(self.tally)
            for page in portion:
                await self._until(self._has_room, stop)
                if stop.is_set():
                    return
                self._at_work += 1
                self.children.submit(page.job).add_done_callback(partial(self._hear, page))

    def _has_room(self) -> bool:
        return self._at_work < PAGES_A_CHILD * self.children.size and not (self._recording and self._is_batch())

    def _is_batch(self) -> bool:
        return len(self._read) >= PAGES_A_TRANSACTION or self._read_bytes >= BYTES_A_TRANSACTION

    def _hear(self, page: Chosen, future: asyncio.Future[Result]) -> None:
        self._at_work -= 1
        self._changed.set()
        if future.cancelled():
            return
        if error := future.exception():
            self._failure = error
        elif (result := future.result()).error == "spider_unusable":
            self._failure = Refused(result.detail)
        elif is_said(result):
            self._read.append(Read(page, result))
            self._read_bytes += len(result.items)
            self._record_some()
        else:
            self.tally.unread += 1
            self.tally.note(page.job.url, result.error or "unread", result.detail)

    # -- recording

    def _record_some(self) -> None:
        if self._is_batch() and self._recording is None:
            self._recording = asyncio.get_running_loop().create_task(self._record(self._taken()))
            self._recording.add_done_callback(self._recorded)

    def _taken(self) -> list[Read]:
        batch, self._read, self._read_bytes = self._read, [], 0
        return batch

    async def _record(self, batch: list[Read]) -> None:
        if self._missing is not None:  # before the pages are recorded: these are not parsed again
            links = [(read.page.job.depth, read.result.links) for read in batch if read.result.links]
            await asyncio.to_thread(self._missing.note, links)
            self.tally.missing = len(self._missing)
        await record(self.engine, batch, self.tally)
        self._on_progress(self.tally)

    def _recorded(self, task: asyncio.Task[None]) -> None:
        self._recording = None
        if not task.cancelled() and (error := task.exception()):
            self._failure = self._failure or error
        self._changed.set()
        self._record_some()

    async def _record_rest(self) -> None:
        """What children have read stays, however the run ended; unless it is the database that ended it."""
        while self._recording:
            await asyncio.wait({self._recording})
        if self._read and not isinstance(self._failure, Unreachable):
            await self._record(self._taken())
