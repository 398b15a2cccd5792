"""page.fetched → page.parsed: read a stored body and say what is in it.

Owns the parser processes (`children`) and the memory of links handed over (`link_memory`); it never touches a page
itself. Deliveries are taken a few at a time, their bodies read in one round trip and given to the children, and the
results handed over in batches as they come, in any order.

On a stop: nothing more is taken, what is held is finished, and what takes too long is given back.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from contract.bus import Bus, Consumer, Delivery, HandOver
from contract.bus.entry import enter
from contract.bus.witness import Witness
from contract.concerning import concerning
from contract.envelope import Message
from contract.errors import PenstockError
from contract.pages import PageParsed
from contract.settings import Settings
from contract.topology import PARSE
from scraper.parsers import parsed
from scraper.parsers.bodies import Bodies
from scraper.parsers.children import PAGE_SECONDS, Children, NoParser
from scraper.parsers.frames import Job, Result, job_of
from scraper.parsers.link_memory import LinkMemory

__all__ = ["Children", "NoParser", "Parser", "run"]

log = logging.getLogger(PARSE.name)

#: Pages held for each child: what it reads within a fraction of a second, so that other parsers find work too.
PAGES_A_CHILD = 48
#: Bodies held at once, in bytes as stored (about a fifth of what they are decoded); a single one may be more.
BODIES_BYTES = 24 * 1024 * 1024
#: Pages in one hand-over; their scripts hold the server for about 20 µs each.
PAGES_A_HAND_OVER = 64
#: Results wait this long for company, which saves most of the round trips.
GATHER_SECONDS = 0.004
#: How long a stop waits for the pages at work: as long as the page that ends two children.
STOP_SECONDS = 2 * PAGE_SECONDS + 2


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Read pages until asked to stop. Raises `NoParser` where no parser process can be started."""
    async with (
        Bus.open(settings.redis_url, prefix=settings.prefix) as bus,
        Children(settings.parsers) as children,
    ):
        if await enter(bus, stop, PARSE):
            async with Consumer(bus, PARSE, when_buried=when_buried) as consumer:
                await Parser(consumer, children).work(stop)


def when_buried(delivery: Delivery, reason: str) -> Sequence[Message]:
    """A page that ended whole parsers, children and all, counts as read, or its crawl would never end."""
    return [parsed.message(delivery, parsed.failed("parser_crashed", reason))]


class _Read:
    """A page that has been read: what is said of it, and which links of it may be new."""

    __slots__ = ("delivery", "epoch", "links", "result", "said")

    def __init__(self, delivery: Delivery, epoch: str, said: PageParsed | None, result: Result | None) -> None:
        self.delivery, self.epoch, self.said, self.result = delivery, epoch, said, result
        self.links: tuple[str, ...] = ()


class Parser:
    """The stage: deliveries in, hand-overs out."""

    def __init__(self, consumer: Consumer, children: Children, *, memory: LinkMemory | None = None) -> None:
        self.consumer, self.children = consumer, children
        self.memory = LinkMemory() if memory is None else memory
        self._witness = Witness(consumer.bus.keys.witness(consumer.name))
        self._bodies = Bodies(consumer.bus)
        self._read: list[_Read] = []
        self._failure: BaseException | None = None
        self._wake, self._room = asyncio.Event(), asyncio.Event()
        self._pages = self._bytes = 0

    def __repr__(self) -> str:
        return f"<Parser: {self._pages} pages held, {len(self._read)} to hand over, {self.children!r}>"

    async def work(self, stop: asyncio.Event) -> None:
        """Take, read and hand over until asked to stop."""
        try:
            async with asyncio.TaskGroup() as tasks:
                handing_over = tasks.create_task(self._hand_over_for_ever())
                while not stop.is_set():
                    await self._take()
                await self._finish()
                handing_over.cancel()
        except* PenstockError as group:
            raise group.exceptions[0] from None

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._until(lambda: not self._pages)
        except TimeoutError:
            log.warning("gave %d pages back unread", self._pages, extra={"action": "given_back"})

    async def _until(self, fits: Callable[[], bool]) -> None:
        while not fits():
            self._room.clear()
            await self._room.wait()

    # -- taking

    async def _take(self) -> None:
        most = PAGES_A_CHILD * self.children.size
        await self._until(lambda: self._pages <= most * 3 // 4)
        for part in _parts(await self.consumer.take(most - self._pages)):
            if part[0].count > 1:
                # It ended its reader before, so it is read with nothing beside it that could be blamed.
                await self._until(lambda: not self._pages)
                await self._give(part)
                await self._until(lambda: not self._pages)
            else:
                await self._give(part)

    async def _give(self, part: Sequence[Delivery]) -> None:
        size = sum(map(_stored, part))
        await self._until(lambda: not self._bytes or self._bytes + size <= BODIES_BYTES)
        self._pages += len(part)
        self._bytes += size
        looked = await self._bodies.look(part)
        self.memory.enter_epoch(looked.epoch)
        for delivery, body in zip(part, looked.bodies, strict=True):
            self._give_one(delivery, body, looked.epoch)

    def _give_one(self, delivery: Delivery, body: bytes | None, epoch: str) -> None:
        page = delivery.payload
        if page.location:
            self._done(_Read(delivery, epoch, parsed.redirected(page.location), None))
        elif body is None:
            said = parsed.failed("body_lost", "the stored body is gone from Redis")
            self._done(_Read(delivery, epoch, said, None))
        else:
            spec = self._bodies.spec(delivery.envelope.crawl)
            job = Job(page.url, body, page.depth)
            if spec:
                job = job_of(page.url, body, page.depth, spec)
            with concerning(PARSE.name, delivery.message):
                reading = self.children.submit(job)
            reading.add_done_callback(partial(self._result, delivery, epoch))

    def _result(self, delivery: Delivery, epoch: str, future: asyncio.Future[Result]) -> None:
        if future.cancelled():
            return
        if error := future.exception():
            self._failure = error
            self._wake.set()
        else:
            self._done(_Read(delivery, epoch, None, future.result()))

    # -- handing over

    def _done(self, read: _Read) -> None:
        self._read.append(read)
        self._wake.set()

    async def _hand_over_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            if self._failure:
                raise self._failure
            batch, self._read = self._read[:PAGES_A_HAND_OVER], self._read[PAGES_A_HAND_OVER:]
            if not self._read:
                self._wake.clear()
            await self._hand_over(batch)

    async def _hand_over(self, batch: Sequence[_Read]) -> None:
        done = [self._handed_over(read) for read in batch]
        effects = await self.consumer.hand_over_all(done)
        # What is held though it was handed over was refused.
        refused = [read for read in batch if self.consumer.holds(read.delivery)]
        for read, took_effect in zip(batch, effects, strict=True):
            if took_effect and read.links and not refused:
                envelope, depth = read.delivery.envelope, read.delivery.payload.depth
                self.memory.remember(envelope.crawl, read.links, depth=depth + 1, epoch=read.epoch)
        ended = [read for read in batch if read not in refused]
        self._pages -= len(ended)
        self._bytes -= sum(_stored(read.delivery) for read in ended)
        self._room.set()
        if refused:
            log.warning("Redis has lost what we said last; saying all links again", extra={"action": "links_forgotten"})
            self.memory.forget()
            self._witness.forget()
            await self._hand_over(refused)

    def _handed_over(self, read: _Read) -> HandOver:
        message = parsed.message(read.delivery, self._said(read))
        return HandOver(read.delivery, [message], testimony=self._witness.next())

    def _said(self, read: _Read) -> PageParsed:
        if read.said:
            return read.said
        assert read.result
        crawl = read.delivery.envelope.crawl
        if self._bodies.spec(crawl):
            depth = read.delivery.payload.depth + 1
            read.links = self.memory.unknown(crawl, read.result.links, depth=depth)
        else:
            # Redis knows no such crawl, so there is no frontier that could take its links.
            read.result.refresh = None
        return parsed.read(read.result, read.links)


def _stored(delivery: Delivery) -> int:
    return int(delivery.payload.body.stored)


def _parts(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """The deliveries in parts whose bodies are not too much to read at once."""
    part: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        if part and size + _stored(delivery) > BODIES_BYTES // 2:
            yield part
            part, size = [], 0
        part.append(delivery)
        size += _stored(delivery)
    if part:
        yield part
