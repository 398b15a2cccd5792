"""A scheduler on a made-up web: the real stages on the real server; fetcher and parser answer from a table.

    async with running(bus, web) as run:
        crawl = await run.start("http://a.test/")
        end = await run.finished(crawl)

The web's fetcher and parser are real consumers of their stages; all that a recorder would see is collected in `events`.
"""

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from contract.bus import Bus, Consumer, Delivery, HandOver, publish
from contract.bus.janitor import tidy
from contract.commands import Answer, CrawlCancel, CrawlPause, CrawlResume, CrawlStart, PageFetch, SeedsAdd
from contract.crawls import CrawlFinished, CrawlSpec, new_crawl_id
from contract.envelope import Envelope, Message, Payload, new_message
from contract.pages import BodyRef, Link, PageExcluded, PageFailed, PageFetched, PageParsed, ReturnedJob, RobotsFetched
from contract.settings import Settings
from contract.topology import FETCH, NOTIFY, PARSE, RECORD
from scheduler.discover import discover
from scheduler.dispatch import dispatch, dispatch_once
from scheduler.frontier import Frontier
from scheduler.frontier.frontier import Issued
from scheduler.report import backlogs
from scheduler.restore import restore
from scheduler.seed import seed
from scheduler.settle import settle
from tests.scheduler.web import Answering, Web

OUTCOMES = (PageFetched, PageFailed, PageExcluded)
_BODY = BodyRef(digest="sha256:" + "0" * 64, size=1, wire=1, stored=1)


class Run:
    """One run of the scheduler; `starts` holds (url, host, server's ms) of each request, robots included."""

    def __init__(self, bus: Bus, web: Web, *, seed: int = 0, twice: bool = False) -> None:
        self.bus, self.web, self.twice = bus, web, twice
        self.tasks: list[asyncio.Task[None]] = []
        self.reader = bus.reader()
        self.chance = random.Random(seed)
        self.events: list[Message] = []
        self.starts: list[tuple[str, str, int]] = []
        self.in_flight: Counter[str] = Counter()
        self.most_in_flight: Counter[str] = Counter()
        self.changed = asyncio.Condition()
        self.hold: set[str] = set()
        self.unread: set[str] = set()
        self.stop, self.parsing, self.recording = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.parsing.set()
        self.recording.set()

    # -- commands

    async def command(self, payload: Payload, crawl: str) -> Answer:
        """Send a command and wait for its answer."""
        id = f"command-{self.chance.random()}"
        await publish(self.bus, new_message(payload, id=id, source="test", crawl=crawl))
        raw = await self.reader.blpop([self.bus.keys.answer(id)])
        return msgspec.json.decode(raw[1], type=Answer)

    async def start(self, *seeds: str, more: bool = False, crawl: str = "", **spec: Any) -> str:
        """Begin a crawl without delay and robots.txt, unless told otherwise; its id."""
        return (await self.begin(*seeds, more=more, crawl=crawl, **spec)).crawl

    async def begin(self, *seeds: str, more: bool = False, crawl: str = "", **spec: Any) -> Answer:
        """Begin a crawl; the whole answer."""
        plain = {"name": f"crawl-{self.chance.random()}", "delay_seconds": 0.0, "per_host": 8, "obey_robots": False}
        command = CrawlStart(spec=CrawlSpec(**{**plain, **spec}), seeds=seeds, more=more)
        return await self.command(command, crawl or new_crawl_id())

    async def add(self, crawl: str, *seeds: str, part: int = 1, last: bool = False) -> None:
        """Add seeds; there is no answer to wait for."""
        payload = SeedsAdd(seeds=seeds, last=last)
        await publish(self.bus, new_message(payload, id=f"add-{crawl}-{part}", source="test", crawl=crawl))

    async def pause(self, crawl: str) -> Answer:
        """Pause a crawl."""
        return await self.command(CrawlPause(), crawl)

    async def resume(self, crawl: str) -> Answer:
        """Resume a crawl."""
        return await self.command(CrawlResume(), crawl)

    async def cancel(self, crawl: str) -> Answer:
        """Cancel a crawl."""
        return await self.command(CrawlCancel(), crawl)

    # -- what came of it

    async def until(self, condition: Any) -> None:
        """Wait until something that the collected events or requests show."""
        async with self.changed:
            await self.changed.wait_for(condition)

    async def finished_now(self, crawl: str) -> CrawlFinished:
        """The end of a crawl, whatever other crawls still do."""
        await self.until(lambda: self.of(CrawlFinished, crawl))
        return self.of(CrawlFinished, crawl)[0]

    async def finished(self, crawl: str) -> CrawlFinished:
        """The end of a crawl, once everything that was published has been read."""
        await self.until(lambda: self.of(CrawlFinished, crawl))
        await self.drained()
        [end] = self.of(CrawlFinished, crawl)
        return end

    async def let_go(self, *urls: str) -> None:
        """Let these requests be answered that were in `hold`."""
        async with self.changed:
            self.hold -= set(urls)
            self.changed.notify_all()

    async def drained_of(self, *stages: str) -> None:
        """Wait until these stages are through with what they take."""
        while sum(map((await backlogs(self.bus)).__getitem__, stages)):
            await asyncio.sleep(0.002)

    async def drained(self) -> None:
        """Wait until every stage is through with everything."""
        while await self._backlog():
            await asyncio.sleep(0.002)

    async def _backlog(self) -> int:
        return sum((await backlogs(self.bus)).values())

    async def hurry(self) -> None:
        """Let no retry and no host wait, from here on: for tests that are not about how long they do."""
        redis, keys = self.bus.redis, self.bus.keys
        while True:
            for key in await redis.keys(keys.retries("*")):
                for job in await redis.zrange(key, 0, -1):
                    await redis.zadd(key, {job: 0}, xx=True)
            for key in await redis.keys(keys.host("*")):
                await redis.hset(key, "block_until", 0)
                await redis.hset(key, "next_at", 0)
                await self._hurry_wait(key)
            for key in await redis.keys(keys.due("*")):
                for host in await redis.zrange(key, 0, -1):
                    await redis.zadd(key, {host: 0}, xx=True)
            await asyncio.sleep(0.01)

    async def _hurry_wait(self, key: bytes) -> None:
        seconds, microseconds = await self.bus.redis.time()
        now = seconds * 1000 + microseconds // 1000
        if int(await self.bus.redis.hget(key, "waits_until") or 0) > now:
            await self.bus.redis.hset(key, "waits_until", now)

    def of(self, kind: type, crawl: str | None = None) -> list[Any]:
        """The collected payloads of one kind, in order."""
        return [m.payload for m in self.events if isinstance(m.payload, kind) and crawl in (None, m.envelope.crawl)]

    def outcomes(self, crawl: str | None = None) -> dict[str, list[str]]:
        """URL → its outcomes that are final: 200, 404, a reason."""
        found = defaultdict(list)
        for one in (payload for kind in OUTCOMES for payload in self.of(kind, crawl)):
            if isinstance(one, PageFailed) and one.retryable and one.attempt < 4:
                continue
            found[one.url].append(str(getattr(one, "reason", "") or one.status))
        return dict(found)

    def requests(self, host: str) -> list[int]:
        """When requests to this host began, by the server's clock in ms."""
        return [at for _, where, at in self.starts if where == host]

    # -- the made-up fetcher, parser and recorder

    async def fetch(self) -> None:
        """page.fetch → an outcome, for each job by itself, after the web's latency."""
        async with Consumer(self.bus, FETCH) as consumer, asyncio.TaskGroup() as tasks:
            while not self.stop.is_set():
                for delivery in await consumer.take(100, block_ms=20):
                    tasks.create_task(self._ask(consumer, delivery))

    async def _ask(self, consumer: Consumer, delivery: Delivery) -> None:
        job: PageFetch = delivery.payload
        seconds, microseconds = await self.bus.redis.time()
        self.starts.append((job.url, job.host, seconds * 1000 + microseconds // 1000))
        self.in_flight[job.host] += 1
        self.most_in_flight[job.host] = max(self.in_flight[job.host], self.most_in_flight[job.host])
        async with self.changed:
            self.changed.notify_all()
            await self.changed.wait_for(lambda: job.url not in self.hold)
        await asyncio.sleep(self.web.latency_ms / 1000)
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)
        outcome = self._outcome(job, self.web.verdict(job.host) if job.robots else self.web.answer(job.url))
        self.in_flight[job.host] -= 1
        message = _made(outcome, delivery.envelope, source=FETCH.name)
        await consumer.hand_over(delivery, message)
        if self.twice:
            assert not await consumer.hand_over(delivery, message)

    def _outcome(self, job: PageFetch, answer: Any) -> Payload:
        if job.robots:
            return msgspec.structs.replace(answer, attempt=job.attempt)
        facts = {name: getattr(job, name) for name in ("url", "host", "fingerprint", "depth", "hops", "attempt", "via")}
        if answer.returned:
            return _returned(facts)
        if answer.reason.startswith("not:"):
            return PageExcluded(**facts, reason=answer.reason[4:])
        if answer.status >= 400:
            return PageFailed(
                **facts, reason=answer.reason or f"http_{answer.status}", status=answer.status, asked=answer.asked,
                retryable=answer.status in (429, 500, 503), retry_after_ms=answer.retry_after_ms,
                refusals=job.refusals,
            )  # fmt: skip
        return PageFetched(
            **facts, status=answer.status, content_type="text/html", body=_BODY, started_at=1, elapsed_ms=0,
            location=answer.to,
        )  # fmt: skip

    async def parse(self) -> None:
        """page.fetched → page.parsed, links as the table has them."""
        async with Consumer(self.bus, PARSE, when_buried=self._unread) as consumer:
            while not self.stop.is_set():
                if not self.parsing.is_set():
                    await asyncio.sleep(0.005)
                    continue
                deliveries = await consumer.take(100, block_ms=20)
                self.chance.shuffle(deliveries)
                for delivery in deliveries:
                    if delivery.payload.url in self.unread:
                        await consumer.bury(delivery, "it ends its readers")
                    else:
                        await consumer.hand_over(delivery, self._read(delivery))

    def _unread(self, delivery: Delivery, reason: str) -> list[Message]:
        page: PageFetched = delivery.payload
        facts = {name: getattr(page, name) for name in ("url", "host", "fingerprint", "depth", "hops")}
        return [_made(PageParsed(**facts, error="parser_crashed", detail=reason), delivery.envelope, source=PARSE.name)]

    def _read(self, delivery: Delivery) -> Message:
        page: PageFetched = delivery.payload
        found = self.web.pages[page.url]
        answer = found[-1] if isinstance(found, list) else found
        urls = () if page.location else answer.links if isinstance(answer, Answering) else answer
        links = [Link(page.location, redirect=True)] if page.location else [Link(url) for url in urls]
        facts = {name: getattr(page, name) for name in ("url", "host", "fingerprint", "depth", "hops")}
        return _made(
            PageParsed(
                **facts, links=tuple(links), again=bool(delivery.again),
                body_mark=self.web.bodies_of.get(page.url, page.fingerprint),
            ), delivery.envelope, source=PARSE.name,
        )  # fmt: skip

    async def record(self) -> None:
        """every event → a list, after which the janitor may forget it."""
        async with Consumer(self.bus, RECORD) as consumer:
            while not self.stop.is_set():
                if not self.recording.is_set():
                    await asyncio.sleep(0.005)
                    continue
                deliveries = await consumer.take(500, block_ms=20)
                await self._collect(consumer, deliveries)
                if deliveries:
                    await tidy(self.bus)

    async def notify(self) -> None:
        """The events of a crawl's life → nobody."""
        async with Consumer(self.bus, NOTIFY) as consumer:
            while not self.stop.is_set():
                await consumer.hand_over_all([HandOver(each) for each in await consumer.take(100, block_ms=20)])

    async def _collect(self, consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
        pipeline = self.bus.redis.pipeline(transaction=False)
        for delivery in deliveries:
            pipeline.xack(self.bus.keys.stream(delivery.stream), RECORD.name, delivery.id)
        await pipeline.execute()
        consumer.forget(deliveries)
        async with self.changed:
            self.events.extend(delivery.message for delivery in deliveries)
            self.changed.notify_all()


@contextlib.asynccontextmanager
async def running(
    bus: Bus,
    web: Web,
    *,
    seed_of_chance: int = 0,
    twice: bool = False,
    schedulers: int = 1,
    hurried: bool = False,
    **settings: Any,
) -> AsyncIterator[Run]:
    """All stages as tasks, for the length of a `with` block; raises the first error of block and stages."""
    run = Run(bus, web, seed=seed_of_chance, twice=twice)
    stages = [run.fetch(), run.parse(), run.record(), run.notify(), *([run.hurry()] if hurried else [])]
    for _ in range(schedulers):
        stages += scheduler(bus, run.stop, **settings)
    try:
        async with asyncio.TaskGroup() as tasks:
            run.tasks = [tasks.create_task(stage) for stage in stages]
            yield run
            for task in run.tasks:
                task.cancel()
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def take_turns(frontier: Frontier, **changes: Any) -> Issued:
    """One round of dispatch, beside those that run."""
    return await dispatch_once(frontier, Settings(**changes))


def scheduler(bus: Bus, stop: asyncio.Event, **settings: Any) -> list[Any]:
    """The five stages of one scheduler, without tickets."""
    woken = asyncio.Event()
    return [
        seed(bus, stop, woken),
        discover(bus, stop, woken),
        dispatch(bus, Settings(**settings), stop, woken),
        settle(bus, stop, woken),
        restore(bus, stop, woken),
    ]


def _returned(facts: dict[str, Any]) -> RobotsFetched:
    """A page's job goes back, because the host's robots.txt is known to nobody and cannot be had."""
    job = {name: value for name, value in facts.items() if name != "host"}
    host, more = facts["host"], {"verdict": "retry", "reason": "http_503", "status": 503}
    return RobotsFetched(host=host, url=f"{host}/robots.txt", attempt=1, returned=ReturnedJob(**job), **more)


def _made(payload: Payload, cause: Envelope, *, source: str) -> Message:
    id = f"{cause.id}.{payload.TYPE}"
    return new_message(payload, id=id, source=source, crawl=cause.crawl, cause=cause)
