"""every event → event store, read models, archive: write each once, a batch in one transaction, then acknowledge.

Takes deliveries in batches; owns nothing but what it holds. The order is archive, SQL, acknowledgement: kill -9
anywhere leaves deliveries that come again, and what comes again changes nothing.

- Busy: batches begin at least BATCH_SECONDS apart, so that a transaction is shared by many events. Idle: at once.
- Where a batch becomes an object of its own, one with pages waits for company (`archive_gather_seconds`).
- Database or archive locked, full, away: the same batch is tried until it goes through, its leases kept; one log line.
- An event that the database cannot hold is found by recording its batch one by one, and buried.
- SIGTERM: the batch in hand is finished, or given back if it cannot be recorded.
- Tables upgraded by another version: everything is given back to a recorder of that version, and the stage ends.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from contract import metrics
from contract.bus import Bus, Consumer, Delivery
from contract.bus.entry import enter
from contract.bus.recorded import latest_mark
from contract.bus.scripts import patiently
from contract.crawls import CrawlCancelled, CrawlFinished
from contract.errors import PenstockError, Refused
from contract.pages import body_of
from contract.settings import Settings
from contract.topology import RECORD
from storage import batch, intake
from storage.archive.archive import Archive, SegmentStore
from storage.archive.segments.opening import open_store
from storage.gathering import is_worth_an_object
from storage.read_models import item_views
from storage.replay import replay
from storage.report import Reporter
from storage.sql.database import READER_CACHE_KIB, make_engine, open_database
from storage.sql.threads import in_thread
from storage.store.event_store import Arrival
from storage.store.ledger import Line, has_lost

log = logging.getLogger(RECORD.name)

#: Most deliveries of each stream in one batch.
BATCH_ENTRIES = 250
#: Most bytes of bodies in one transaction; this and the largest body bound the memory of a recorder.
BATCH_BYTES = 32 * 1024 * 1024
#: Batches that are not full begin at least this far apart; a page waits no longer than this for company.
BATCH_SECONDS = 0.05
#: The longest that a page waits for company where a batch becomes an object.
GATHER_SECONDS = 5.0
#: Pauses between attempts at a database or an archive that does not answer.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0
#: Longest read with something left to say about progress; it is the delay of the last update.
_BLOCK_MS, _BLOCK_IDLE_MS = 100, 500


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Record until asked to stop. Raises `Refused` for settings of no use, `Unreachable` for silent servers."""
    store = open_store(settings)
    engine = await in_thread(open_database, settings, name=RECORD.name)
    # SQLite's memory for pages belongs to a connection, and is of no use any more when another one has written.
    readers = make_engine(settings.sql_url, cache_kib=READER_CACHE_KIB, name=RECORD.name)
    try:
        await in_thread(store.check)
        async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
            if not await enter(bus, stop, RECORD):
                return
            with _archive(store, settings, engine) as archive:
                async with Consumer(bus, RECORD) as consumer:
                    recorder = Recorder(
                        consumer, engine, archive, readers=readers, gather_seconds=settings.archive_gather_seconds
                    )
                    await _work(recorder, store, settings, stop)
    except* PenstockError as group:
        raise group.exceptions[0] from None
    finally:
        engine.dispose()
        readers.dispose()


async def _work(recorder: "Recorder", store: SegmentStore, settings: Settings, stop: asyncio.Event) -> None:
    bus, reporter = recorder.consumer.bus, recorder.reporter
    # Before anything is rebuilt from it, by which the mark goes.
    keep = await in_thread(has_lost, recorder.engine, await patiently(lambda: latest_mark(bus)))
    async with asyncio.TaskGroup() as tasks:
        work = replay(bus, reporter.engine, settings, stop, is_idle=recorder.is_idle, when_done=reporter.begin_anew)
        replaying = tasks.create_task(work, name="replay")
        await in_thread(store.repair, recorder.engine, keep=keep)
        await recorder.work(stop)
        replaying.cancel()


def _archive(store: SegmentStore, settings: Settings, engine: Engine) -> Archive:
    return store.archive(
        engine,
        segment_bytes=settings.archive_segment_bytes,
        segment_seconds=settings.archive_segment_seconds,
    )


class Recorder:
    """A consumer's deliveries, recorded batch by batch; `engine` is for what it writes, `readers` for all else."""

    def __init__(
        self,
        consumer: Consumer,
        engine: Engine,
        archive: Archive,
        *,
        readers: Engine,
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        self.consumer, self.engine, self.archive = consumer, engine, archive
        self._line = Line()
        self._gather_seconds = 0.0 if archive.is_appendable else gather_seconds
        self.reporter = Reporter(consumer.bus, readers, word=consumer.name)

    def is_idle(self) -> bool:
        """Whether nothing is held that is not recorded yet."""
        return not self.consumer.held

    async def work(self, stop: asyncio.Event) -> None:
        """Record until asked to stop, and say how far each crawl is."""
        await self.reporter.begin()
        while not stop.is_set():
            began = time.monotonic()
            await self.reporter.begin_if_asked()
            block_ms = _BLOCK_MS if self.reporter.has_news else _BLOCK_IDLE_MS
            deliveries = await self.consumer.take(BATCH_ENTRIES, block_ms=block_ms)
            if self._gather_seconds:
                await self._gather(deliveries, stop)
            for portion in portions(deliveries):
                await self._record(portion, stop)
            await self.reporter.publish()
            if deliveries and not _has_more_behind(deliveries):
                await asyncio.sleep(max(0.0, began + BATCH_SECONDS - time.monotonic()))
        await self.reporter.publish(at_once=True)

    async def _gather(self, deliveries: list[Delivery], stop: asyncio.Event) -> None:
        """Add what comes until the batch is worth an object of its own, or its first page has waited long enough."""
        until = time.monotonic() + self._gather_seconds
        while not (is_worth_an_object(deliveries) or stop.is_set()) and (left := until - time.monotonic()) > 0:
            block_ms = min(_BLOCK_MS if self.reporter.has_news else _BLOCK_IDLE_MS, int(left * 1000) + 1)
            deliveries += await self.consumer.take(BATCH_ENTRIES, block_ms=block_ms, reclaim=False)
            await self.reporter.publish()

    async def _record(self, deliveries: Sequence[Delivery], stop: asyncio.Event) -> None:
        arrivals = await intake.arrivals(self.consumer.bus, deliveries)
        pause, failed = _FIRST_PAUSE_SECONDS, 0
        while True:
            try:
                written = await self._write(arrivals)
                break
            except Refused:  # for another version, which will record it
                await self.consumer.give_back(list(self.consumer.held.values()))
                raise
            except Exception as error:
                if not batch.is_passing(error):
                    return await self._record_apart(deliveries, error, stop)
                _say_waiting(error, failed)
            if stop.is_set():
                return await self.consumer.give_back(deliveries)
            await asyncio.sleep(pause)
            failed, pause = failed + 1, min(pause * 2, _LONGEST_PAUSE_SECONDS)
        if failed:
            log.info("what was waited for is back", extra={"action": "database_back"})
        await intake.acknowledge(self.consumer, deliveries, written)
        self.reporter.note(written.pages, [each.message for each in deliveries])
        if any(isinstance(each.payload, CrawlFinished | CrawlCancelled) for each in deliveries):
            await self._refresh_views()

    async def _refresh_views(self) -> None:
        try:
            await in_thread(item_views.refresh, self.engine)
        except (SQLAlchemyError, PenstockError) as error:
            # They are made again by the next crawl, by `rebuild` and by `reparse`.
            log.warning("the views of items could not be made: %s", _line(error), extra={"action": "views_failed"})

    async def _write(self, arrivals: Sequence[Arrival]) -> batch.Written:
        began = time.perf_counter()
        writer = batch.Writer(self._line, await patiently(lambda: latest_mark(self.consumer.bus)))
        written = await in_thread(batch.write, self.engine, self.archive, arrivals, writer=writer)
        metrics.observe("penstock_record_batch_seconds", value=time.perf_counter() - began)
        metrics.add("penstock_recorded_events", amount=written.events)
        return written

    async def _record_apart(self, deliveries: Sequence[Delivery], error: Exception, stop: asyncio.Event) -> None:
        if len(deliveries) == 1:
            [delivery] = deliveries
            return await self.consumer.bury(delivery, f"cannot be recorded: {_line(error)}")
        log.warning("one by one: %s", _line(error), extra={"action": "one_by_one"})
        for delivery in deliveries:
            await self._record([delivery], stop)


def portions(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """The deliveries in the order in which they were published, cut so that no portion's bodies pass BATCH_BYTES."""
    portion: list[Delivery] = []
    size = 0
    for delivery in sorted(deliveries, key=_published):
        body = body_of(delivery.payload)
        stored = body.stored if body else 0
        if portion and size + stored > BATCH_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(delivery)
        size += stored
    if portion:
        yield portion


def _published(delivery: Delivery) -> tuple[int, int]:
    milliseconds, _, number = delivery.id.partition("-")
    return int(milliseconds), int(number)


def _has_more_behind(deliveries: Sequence[Delivery]) -> bool:
    """Whether a batch was cut off by its limit, or is one of a row of reclaimed ones: the next should begin at once."""
    counts = Counter(delivery.stream for delivery in deliveries)
    return deliveries[0].count > 1 or max(counts.values()) >= BATCH_ENTRIES


def _say_waiting(error: Exception, failed: int) -> None:
    metrics.add("penstock_record_retries")
    if failed == 0:
        what = "database" if isinstance(error, SQLAlchemyError) else "archive"
        log.error("waiting for the %s: %s", what, _line(error), extra={"action": f"{what}_away"})


def _line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
