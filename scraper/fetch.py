"""page.fetch → page.fetched, page.failed, page.excluded, robots.fetched: gets pages, under Celery.

Takes URL jobs as long as there are any, many at a time on one event loop, and hands over exactly one outcome for each.
Owns the requests in flight. A job that comes back by reclaim waits for a lane (scraper/fetchers/lanes.py).

    stop asked      take nothing more, finish what is in flight within DRAIN_SECONDS, give the rest back
    stream is dry   return; the next ticket begins again
    Redis away      wait for it; after the bus' patience, end, and what was held comes back by reclaim
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from contract.bus import Bus, Consumer, Delivery, HandOver, Keep
from contract.bus.groups import ensure_groups
from contract.bus.scripts import PASSING
from contract.concerning import concerning
from contract.envelope import Message
from contract.settings import Settings
from contract.topology import FETCH
from scraper.fetchers.jobs import Jobs
from scraper.fetchers.lanes import LANE_SECONDS, Lanes
from scraper.fetchers.old_requests import OldRequests
from scraper.fetchers.outbox import Outbox
from scraper.fetchers.outcomes import Outcome, lost, message_of
from scraper.fetchers.presence import present
from scraper.http.budget import Budget, Share
from scraper.http.client import Client

log = logging.getLogger(FETCH.name)

#: What is in flight when we are asked to stop has this long to end; less than supervisors wait before they kill (30 s).
DRAIN_SECONDS = 20.0
#: How long a read waits for jobs; also how long a stop may go unnoticed.
BLOCK_MS = 250
#: With fewer free slots than this share, wait a moment for more: jobs are cheaper by the dozen.
_SHARE, _MOMENT_SECONDS = 8, 0.01


async def work_stream(
    settings: Settings,
    stop: Callable[[], bool],
    *,
    dry_seconds: float = 3.0,
    longest_seconds: float = 600.0,
    client: Client | None = None,
) -> int:
    """Do URL jobs until none came for `dry_seconds`, or `stop` says so; returns how many were finished.

    Raises `Unreachable` where Redis stays away. A `client` that is given stays open.
    """
    async with contextlib.AsyncExitStack() as stack:
        bus = await stack.enter_async_context(Bus.open(settings.redis_url, prefix=settings.prefix))
        with contextlib.suppress(*PASSING):
            await ensure_groups(bus)
        consumer = await stack.enter_async_context(Consumer(bus, FETCH, when_buried=when_buried, counts_late=True))
        await stack.enter_async_context(present(bus, consumer.name, concurrency=settings.concurrency))
        if client is None:
            client = await stack.enter_async_context(Client(settings))
        return await Fetcher(consumer, client, settings).run(
            stop, dry_seconds=dry_seconds, longest_seconds=longest_seconds
        )


def when_buried(delivery: Delivery, reason: str) -> Sequence[Message]:
    """A job that ended its workers is a failed page, or a robots.txt that is to be asked for again."""
    job = delivery.payload
    return [message_of(delivery.envelope, lost(job, reason).payload, subject=job.url)]


class Fetcher:
    """Works the stream of URL jobs for one consumer."""

    def __init__(
        self, consumer: Consumer, client: Client, settings: Settings, *, lane_seconds: float = LANE_SECONDS
    ) -> None:
        self._consumer, self._concurrency = consumer, settings.concurrency
        self._jobs = Jobs(consumer, client, allow_private=settings.allow_private)
        self._outbox, self.budget = Outbox(consumer), Budget()
        self._running: dict[asyncio.Task[None], str] = {}
        self._old = OldRequests(
            consumer.bus, consumer.name, lambda: self._running, longest_seconds=settings.deadline_seconds
        )
        self._freed, self._lanes = asyncio.Event(), Lanes(self._outbox.emptied, seconds=lane_seconds)
        self._dry_since: float | None = None

    def __repr__(self) -> str:
        return f"<Fetcher {len(self._running)} of {self._concurrency} in flight, {self._outbox!r}>"

    async def run(self, stop: Callable[[], bool], *, dry_seconds: float, longest_seconds: float) -> int:
        """Take and do jobs; returns how many were finished. Raises what the bus raises."""
        until = time.monotonic() + longest_seconds
        handing_over = asyncio.create_task(self._outbox.run(), name="outbox")
        telling = asyncio.create_task(self._old.run(), name="old requests")
        try:
            while not (stop() or time.monotonic() > until or self._dry_for(dry_seconds)):
                await self._step()
                if handing_over.done():
                    handing_over.result()
            await self._drain(handing_over)
        finally:
            await _cancel({handing_over, *self._running})
            await _cancel({telling})
        return self._outbox.handed_over

    def _dry_for(self, seconds: float) -> bool:
        return self._dry_since is not None and time.monotonic() - self._dry_since >= seconds

    async def _step(self) -> None:
        if self._free < max(1, self._concurrency // _SHARE):
            await self._wait_for_a_slot(_MOMENT_SECONDS if self._free else BLOCK_MS / 1000)
        if self._free < 1:
            return
        if not self._lanes.take:
            return await self._wait_for_a_slot(BLOCK_MS / 1000)
        for delivery in await self._consumer.take(self._free, block_ms=BLOCK_MS, reclaim=self._lanes.take_back):
            self._start(delivery)
        await asyncio.sleep(0)  # each begins, or waits for its lane, before more are taken
        if self._running:
            self._dry_since = None
        elif self._dry_since is None:  # only a look that found nothing says that it is dry
            self._dry_since = time.monotonic()

    @property
    def _free(self) -> int:
        """Slots for further jobs. Outcomes that wait for Redis count too, or a slow server would let them pile up."""
        return min(self._concurrency - len(self._running), 2 * self._concurrency - len(self._consumer.held))

    async def _wait_for_a_slot(self, seconds: float) -> None:
        self._freed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._freed.wait(), seconds)

    def _start(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._finish(delivery), name=delivery.payload.url)
        self._running[task] = delivery.payload.host
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._freed.set()

    async def _finish(self, delivery: Delivery) -> None:
        share = self.budget.share()
        async with self._lanes.lane(delivery.count):
            try:
                with concerning(FETCH.name, delivery.message):
                    done = await self._do(delivery, share)
            except asyncio.CancelledError:
                share.keep(0)
                raise
            if done is None:
                share.keep(0)
                self._consumer.forget([delivery], result="returned")
            else:
                share.keep(len(done.body))
                self._outbox.add(self._hand_over(delivery, done), share)

    async def _do(self, delivery: Delivery, share: Share) -> Outcome | None:
        try:
            if delivery.count > 1 and not await self._consumer.begin(delivery):
                return None
            return await self._jobs.do(delivery, share)
        except Exception:
            # Not one of the ways in which a fetch ends: it comes back by reclaim, and is buried in the end.
            log.exception("a job broke: %s", delivery.payload.url, extra={"action": "job_broke"})
            return None

    def _hand_over(self, delivery: Delivery, outcome: Outcome) -> HandOver:
        keys, job = self._consumer.bus.keys, delivery.payload
        message = message_of(delivery.envelope, outcome.payload, subject=job.url)
        log.debug("%s: %s", message.envelope.type, job.url, extra={"action": message.envelope.type})
        keep = Keep(keys.body(message.envelope.id), outcome.body) if outcome.body else None
        return HandOver(delivery, [message], keep)

    async def _drain(self, handing_over: asyncio.Task[None]) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=DRAIN_SECONDS)
        await _cancel(set(self._running))
        emptied = asyncio.create_task(self._outbox.emptied(), name="emptied")
        await asyncio.wait({emptied, handing_over}, return_when=asyncio.FIRST_COMPLETED)
        await _cancel({emptied})
        if handing_over.done():
            handing_over.result()


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
