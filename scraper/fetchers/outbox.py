"""The outbox of a fetcher: hands finished jobs over in batches, one round trip for all that ended at about one time.

Takes what is done, owns it until Redis has it. An error of the hand-over (a server away for too long) ends the fetcher;
what was not handed over comes back by reclaim.
"""

import asyncio

from contract.bus import Consumer, HandOver
from scraper.http.budget import Share

#: Outcomes wait this long for company. Costs a host's slot that much, saves most of the round trips.
GATHER_SECONDS = 0.002
#: Bytes of bodies in one round trip, so that large pages do not hold the server up.
BATCH_BYTES = 8 * 1024 * 1024


class Outbox:
    """Collects hand-overs; `run` carries them out until it is cancelled."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._waiting: list[tuple[HandOver, Share]] = []
        self._filled, self._empty = asyncio.Event(), asyncio.Event()
        self._empty.set()
        self.handed_over = 0

    def __repr__(self) -> str:
        return f"<Outbox {len(self._waiting)} waiting, {self.handed_over} handed over>"

    def add(self, done: HandOver, share: Share) -> None:
        """Hand this over soon, and give its share back then."""
        self._waiting.append((done, share))
        self._empty.clear()
        self._filled.set()

    async def emptied(self) -> None:
        """Wait until all that was added has been handed over."""
        await self._empty.wait()

    async def run(self) -> None:
        """Hand over what is added, for ever; raises what the bus raises."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(GATHER_SECONDS)
            batch = self._next_batch()
            self.handed_over += sum(await self._consumer.hand_over_all([done for done, _ in batch]))
            for _, share in batch:
                share.keep(0)
            if not self._waiting:
                self._filled.clear()
                self._empty.set()

    def _next_batch(self) -> list[tuple[HandOver, Share]]:
        count = size = 0
        for done, _ in self._waiting:
            size += len(done.keep.value) if done.keep else 0
            if count and size > BATCH_BYTES:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch
