"""One URL job from beginning to end: may we, when, and what came of it.

Takes a delivery of `page.fetch`, gives an `Outcome`, or None where the job has gone to somebody else. Nothing is
finished here: that is the stage's hand-over.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from contract.bus import Consumer, Delivery
from contract.bus.gate import Gate
from contract.commands import PageFetch
from contract.crawls import CrawlSpec
from contract.pages import Wishes
from scraper.crawls import CrawlBook
from scraper.errors import FetchError
from scraper.fetchers.outcomes import Outcome, excluded, of_answer, of_error, of_robots, outcome_id
from scraper.http.addresses import check_url, host_key
from scraper.http.answer import Answer
from scraper.http.budget import Share
from scraper.http.causes import own_error
from scraper.http.client import Client
from scraper.robots.book import Known, RobotsBook
from scraper.robots.verdict import Robots, fetch_robots

#: Larger bodies are digested and compressed in a thread, so that they do not hold up the requests in flight.
LONG_WORK_BYTES = 256 * 1024

#: A robots.txt that was asked for in vain is not asked for again for the pages that come within this time.
IN_VAIN_SECONDS = 1.0


class _Elsewhere(Exception):
    """Raised at the gate when the delivery belongs to another consumer by now."""


class _Unreachable(Exception):
    """Raised for a page whose host's robots.txt nobody knows and nobody can have now."""

    def __init__(self, robots: Robots) -> None:
        super().__init__(robots.record.reason)
        self.robots = robots


class _Asking:
    """One asking for a host's robots.txt, for all pages that want it meanwhile."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.in_vain: Robots | None = None


class Jobs:
    """Does jobs for one consumer, with a client that may outlive it."""

    def __init__(self, consumer: Consumer, client: Client, *, allow_private: bool) -> None:
        self._turns = Gate(consumer)
        self._client, self._allow_private = client, allow_private
        self._crawls, self.robots = CrawlBook(consumer.bus), RobotsBook(consumer.bus)
        self._asking: dict[str, _Asking] = {}

    async def do(self, delivery: Delivery, share: Share) -> Outcome | None:
        """The outcome of a job; None: forget the delivery.

        `share` makes room for the body, and is the caller's to give back.
        """
        job: PageFetch = delivery.payload
        crawl = await self._crawls.look_up(delivery.envelope.crawl)
        if crawl is None or crawl.state == "cancelled":
            detail = "the crawl was cancelled" if crawl else "there is no such crawl any more"
            return excluded(job, "cancelled", detail)
        try:
            if job.robots:
                return await self._do_robots(delivery, crawl.spec)
            return await self._do_page(delivery, crawl.spec, share)
        except _Unreachable as error:
            return of_robots(job, error.robots)
        except _Elsewhere:
            return None

    async def _do_robots(self, delivery: Delivery, spec: CrawlSpec) -> Outcome:
        job: PageFetch = delivery.payload
        robots = await self._ask_robots(delivery, job.url, spec)
        if robots.is_had:
            await self.robots.store(job.host, spec, robots)
            envelope = delivery.envelope
            return of_robots(job, robots, event_id=outcome_id(envelope), crawl=envelope.crawl)
        return of_robots(job, robots, stale=await self.robots.has_copy(job.host, spec))

    async def _do_page(self, delivery: Delivery, spec: CrawlSpec, share: Share) -> Outcome:
        job: PageFetch = delivery.payload
        try:
            check_url(job.url, allow_private=self._allow_private)
            known = await self._known(delivery, job, spec) if spec.obey_robots else None
            if known and not known.allow(job.url):
                return excluded(job, "robots", "the host's robots.txt disallows this URL")
            crawl_delay_ms = known.crawl_delay_ms if known else 0
            if crawl_delay_ms > spec.max_crawl_delay_seconds * 1000:
                return excluded(
                    job, "crawl_delay", f"the host asks for {crawl_delay_ms / 1000:,.0f} s between requests"
                )
            gap = max(spec.delay_seconds * 1000, crawl_delay_ms)
            gate = self._gate(delivery, job.host, gap)
            answer = await self._client.get(
                job.url, user_agent=spec.user_agent, before_send=gate, make_room=share.make_room
            )
            return await self._of_answer(delivery, answer, spec, known.wishes(job.url) if known else None)
        except FetchError as error:
            return of_error(job, error, issued_ms=delivery.issued_ms)

    async def _of_answer(self, delivery: Delivery, answer: Answer, spec: CrawlSpec, wishes: Wishes | None) -> Outcome:
        make = partial(
            of_answer,
            delivery.payload,
            answer,
            spec,
            event_id=outcome_id(delivery.envelope),
            crawl=delivery.envelope.crawl,
            issued_ms=delivery.issued_ms,
            wishes=wishes,
        )
        try:
            return await asyncio.to_thread(make) if len(answer.body) > LONG_WORK_BYTES else make()
        except FetchError:
            raise
        except Exception as error:
            raise own_error(error).at(answer.started_at, answer.elapsed_ms, asked=True) from error

    # -- robots.txt

    async def _known(self, delivery: Delivery, job: PageFetch, spec: CrawlSpec) -> Known:
        """What is known of the host; asks for it here where the scheduler's own asking has expired meanwhile.

        Raises `_Unreachable`, also for those that waited while another one asked in vain.
        """
        known = await self.robots.look_up(job.host, spec)
        if known:
            return known
        asking = self._asking.setdefault(job.host, _Asking())
        async with asking.lock:
            return await self.robots.look_up(job.host, spec) or await self._ask_once(asking, delivery, spec)

    async def _ask_once(self, asking: _Asking, delivery: Delivery, spec: CrawlSpec) -> Known:
        if asking.in_vain:
            raise _Unreachable(asking.in_vain)
        host = delivery.payload.host
        try:
            robots = await self._ask_robots(delivery, f"{host}/robots.txt", spec)
        finally:
            asyncio.get_running_loop().call_later(IN_VAIN_SECONDS, self._asking.pop, host, None)
        if robots.is_had:
            return await self.robots.store(host, spec, robots)
        asking.in_vain = msgspec.structs.replace(robots, asked=False, elapsed_ms=0)
        raise _Unreachable(robots)

    async def _ask_robots(self, delivery: Delivery, url: str, spec: CrawlSpec) -> Robots:
        gap = spec.delay_seconds * 1000
        return await fetch_robots(
            self._client,
            url,
            user_agent=spec.user_agent,
            gate=lambda target: self._gate(delivery, host_key(target), gap),
            reader=self.robots.reader,
        )

    # -- the politeness gate

    def _gate(self, delivery: Delivery, host: str, gap_ms: float) -> Callable[[], Awaitable[None]]:
        """What to await before a request to this host: its turn, by the clock that all workers share."""

        async def wait() -> None:
            if not await self._turns.wait(delivery, host=host, gap_ms=math.ceil(gap_ms)):
                raise _Elsewhere

        return wait
