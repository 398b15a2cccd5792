"""crawl.* → webhooks: post the events of a crawl's life to the URL that the crawl names.

Takes deliveries, and holds each until its receiver has taken it or it is given up, its lease renewed. A crawl's events
go one after the other, in the order of their versions, as far as one process has them; crawls do not wait for one
another. Owns nothing but what it holds.

    taken ──▶ no webhook: done │ held ──▶ posted ──▶ 2xx: done
                                 ▲           ├─────▶ 410, or attempts used up: dead letter
                                 └── waits ──┘

- `crawl.finished` waits until all of the crawl is in SQL, because its receiver will ask for the items at once.
- What is too much to hold for one receiver is set aside, and comes again a lease later.
- SIGTERM: posts that are on their way may end; everything else is given back. kill -9: leases run out, and another
  notifier posts, perhaps once more: delivery is at least once, under the same id.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import time
from bisect import insort
from collections import Counter

import msgspec

from contract.bus import Bus, Consumer, Delivery
from contract.bus.consumer import LEASE_SECONDS
from contract.bus.entry import enter
from contract.concerning import concerning
from contract.crawls import CrawlFinished
from contract.errors import Unreachable
from contract.lifetime import happened
from contract.settings import Settings
from contract.topology import NOTIFY
from penstock.webhooks.answers import Outcome, Schedule, next_in_seconds
from penstock.webhooks.crawls import Crawls
from penstock.webhooks.sender import DEADLINE_SECONDS, Sender
from penstock.webhooks.targets import receiver_of

log = logging.getLogger(NOTIFY.name)

#: Deliveries taken of each stream at once.
BATCH_ENTRIES = 16
#: Deliveries held, and their bytes. With more, nothing is taken: receivers that do not answer hold up the others then.
MOST_HELD, MOST_HELD_BYTES = 1_000, 64 * 1024 * 1024
#: How long posts on their way may go on after SIGTERM. What is cut off then is posted once more.
GRACE_SECONDS = 2.0
_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.05, 1.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how often one receiver is tried, and how much may wait for it."""

    schedule: Schedule = Schedule()
    #: A receiver answers within this time, or the post has failed.
    deadline_seconds: float = DEADLINE_SECONDS
    #: How long crawl.finished waits for SQL. After that the receiver may see less than there is.
    complete_seconds: float = 60.0
    #: Deliveries held for one receiver. Must stay well below MOST_HELD, so that it takes several to fill that.
    most_held_a_receiver: int = 100


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Notify until asked to stop; raises `Refused` for a secret that is none, or a Redis of no use."""
    async with Bus.open(settings.redis_url, prefix=settings.prefix) as bus:
        if await enter(bus, stop, NOTIFY):
            await notify(bus, settings, stop)


async def notify(
    bus: Bus,
    settings: Settings,
    stop: asyncio.Event,
    *,
    limits: Limits | None = None,
    lease_seconds: float = LEASE_SECONDS,
) -> None:
    """The same on a bus that stands, its groups in place."""
    limits = limits or Limits()
    sender, crawls = Sender(settings, deadline_seconds=limits.deadline_seconds), Crawls(bus, settings)
    try:
        async with Consumer(bus, NOTIFY, lease_seconds=lease_seconds) as consumer:
            await Notifier(consumer, sender, crawls, limits, stop).work()
    finally:
        await sender.close()
        crawls.close()


class Notifier:
    """A consumer's deliveries, each crawl's in a row of its own that one task works off."""

    def __init__(self, consumer: Consumer, sender: Sender, crawls: Crawls, limits: Limits, stop: asyncio.Event) -> None:
        self.consumer, self.sender, self.crawls, self.limits, self.stop = consumer, sender, crawls, limits, stop
        self._rows: dict[str, list[Delivery]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held_for = Counter[str]()
        self._chance = random.Random()

    def __repr__(self) -> str:
        return f"<Notifier {len(self.consumer.held)} held, {len(self._rows)} crawls>"

    async def work(self) -> None:
        """Notify until asked to stop."""
        async with asyncio.TaskGroup() as tasks:
            while not self.stop.is_set():
                if self._is_full():
                    await happened(self.stop, within=_LONGEST_LOOK_SECONDS)
                    continue
                for delivery in await self.consumer.take(BATCH_ENTRIES):
                    self._put(delivery, tasks)
            if self._tasks:
                _, late = await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
                for task in late:
                    task.cancel()

    def _is_full(self) -> bool:
        held = self.consumer.held.values()
        return len(held) >= MOST_HELD or sum(len(delivery.raw) for delivery in held) >= MOST_HELD_BYTES

    def _put(self, delivery: Delivery, tasks: asyncio.TaskGroup) -> None:
        crawl = delivery.envelope.crawl
        if crawl not in self._rows:
            self._rows[crawl] = []
            task = tasks.create_task(self._work_off(crawl), name=f"{NOTIFY.name} {crawl}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        insort(self._rows[crawl], delivery, key=_version)

    async def _work_off(self, crawl: str) -> None:
        row = self._rows[crawl]
        while row and not self.stop.is_set():
            delivery = row.pop(0)
            try:
                with concerning(NOTIFY.name, delivery.message):
                    await self._notify(delivery)
            except Unreachable as error:
                log.warning("an event of %s waits: %s", crawl, error, extra={"action": "set_aside"})
                await self.consumer.set_aside([delivery])
            if self.stop.is_set() and self.consumer.holds(delivery):
                row.append(delivery)
        del self._rows[crawl]
        await self.consumer.give_back(row)

    async def _notify(self, delivery: Delivery) -> None:
        url = await self.crawls.webhook_for(delivery)
        if not url:
            await self.consumer.hand_over(delivery)
            return
        receiver = receiver_of(url)
        if self._held_for[receiver] >= self.limits.most_held_a_receiver:
            await self.consumer.set_aside([delivery])
            return
        self._held_for[receiver] += 1
        try:
            if isinstance(delivery.payload, CrawlFinished):
                await self._until_complete(delivery.envelope.crawl)
            await self._deliver(delivery, url, receiver)
        finally:
            self._held_for[receiver] -= 1
            if not self._held_for[receiver]:
                del self._held_for[receiver]

    async def _until_complete(self, crawl: str) -> None:
        began, pause = time.monotonic(), _FIRST_LOOK_SECONDS
        deadline = began + self.limits.complete_seconds
        while not await self.crawls.is_complete(crawl):
            if began > deadline:  # the look that found this may have taken any time
                log.warning("%s is told as finished before all of it is in SQL", crawl, extra={"action": "early"})
                return
            if await happened(self.stop, within=pause):
                return
            began, pause = time.monotonic(), min(pause * 2, _LONGEST_LOOK_SECONDS)

    async def _deliver(self, delivery: Delivery, url: str, receiver: str) -> None:
        """Post until it is taken or given up, or we are to stop, or another notifier has it."""
        for attempt in itertools.count(1):
            async with self.sender.turn(receiver):
                if self.stop.is_set() or not self.consumer.holds(delivery):
                    return
                outcome = await self.sender.post(url, delivery.envelope.id, delivery.raw)
            wait = next_in_seconds(outcome, attempt, self.limits.schedule, self._chance)
            self._say(delivery, receiver, outcome, attempt, wait)
            if outcome.verdict == "taken":
                await self.consumer.hand_over(delivery)
                return
            if wait is None:
                reason = f"{receiver} has not taken it: {outcome.words}, after {_attempts(attempt)}"
                await self.consumer.bury(delivery, reason)
                return
            if await happened(self.stop, within=wait):
                return

    def _say(
        self, delivery: Delivery, receiver: str, outcome: Outcome, attempt: int, wait_seconds: float | None
    ) -> None:
        event = f"{delivery.envelope.type} of {delivery.envelope.crawl}"
        if outcome.verdict == "taken":
            log.info("%s has taken %s (%s)", receiver, event, outcome.words, extra={"action": "posted"})
            return
        then = "given up" if wait_seconds is None else f"again in {wait_seconds:.1f} s"
        words = (receiver, event, outcome.words, _attempts(attempt), then)
        log.warning("%s has not taken %s: %s, after %s; %s", *words, extra={"action": "not_posted"})


def _version(delivery: Delivery) -> int:
    version: int = delivery.payload.version
    return version


def _attempts(number: int) -> str:
    return f"{number} attempt{'' if number == 1 else 's'}"
