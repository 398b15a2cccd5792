"""page.fetched, page.failed, page.excluded, robots.fetched → frontier, crawl.finished: what follows from an outcome.

Frees the host's slot, keeps the host's distance, plans retries, and notices the end of a crawl.
"""

from __future__ import annotations

import asyncio
import random

from contract.bus import Bus, Consumer, Delivery
from contract.bus.hand_over import HandOver, hand_over_call
from contract.bus.scripts import Call, run_all
from contract.commands import KnownPage, PageFetch
from contract.crawls import CrawlSpec
from contract.envelope import Payload
from contract.pages import PageExcluded, PageFailed, PageFetched, ReturnedJob, RobotsFetched
from contract.topology import SETTLE
from scheduler.crawls import Crawls
from scheduler.frontier import Frontier
from scheduler.frontier.frontier import Settlement
from scheduler.frontier.jobs import job_data, member
from scheduler.pace import gather
from scheduler.politeness import block_ms, in_trouble, is_refusal, limited_why, retry_in_ms, robots_again_ms

_BATCH = 200
#: How long a host's robots.txt holds (RFC 9309 §2.4: no longer than 24 hours), a little less than workers keep it.
ROBOTS_GOOD_MS = 23 * 3_600_000


async def settle(bus: Bus, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Settle outcomes until asked to stop; sets `woken` when a host's slot is free."""
    frontier, crawls, chance = Frontier(bus, SETTLE.name), Crawls(bus), random.Random()

    def bury(delivery: Delivery, reason: str) -> Call:
        kind = "" if delivery.again else _given_up(delivery.payload)
        return frontier.give_up(delivery, reason, host=delivery.payload.host, kind=kind)

    async with Consumer(bus, SETTLE, bury_by=bury) as consumer:
        while not stop.is_set():
            deliveries = await consumer.take(_BATCH)
            if deliveries:
                specs = await crawls.specs(one.envelope.crawl for one in deliveries)
                calls = [_call(frontier, one, specs[one.envelope.crawl], chance) for one in deliveries]
                await run_all(bus.redis, calls)
                consumer.forget(deliveries)
                woken.set()
                await gather(len(deliveries))


def _call(frontier: Frontier, delivery: Delivery, spec: CrawlSpec | None, chance: random.Random) -> Call:
    if never_issued(delivery.payload) or delivery.again:  # its consequences came when it was given up
        return hand_over_call(frontier.bus.keys, SETTLE.name, HandOver(delivery))
    attempts = spec.max_attempts if spec else 0
    settlement = settlement_of(delivery.envelope.crawl, delivery.payload, max_attempts=attempts, chance=chance)
    return frontier.settle(delivery, settlement)


def _given_up(outcome: Payload) -> str:
    """What an outcome counts as that cannot be settled: a failure is not tried again."""
    if never_issued(outcome):
        return ""
    if isinstance(outcome, PageFetched):
        return "page" if outcome.status < 300 else "moved"
    if isinstance(outcome, PageExcluded) and not outcome.robots:
        return "excluded"
    return "failed" if isinstance(outcome, PageFailed) else "robots"


def never_issued(outcome: Payload) -> bool:
    """Whether this URL was left out before it became a job: it holds no slot, and is counted already."""
    if isinstance(outcome, PageFailed):
        return outcome.attempt == 0
    return isinstance(outcome, PageExcluded) and outcome.attempt == 0 and not outcome.robots


def settlement_of(
    crawl: str,
    outcome: PageFetched | PageFailed | PageExcluded | RobotsFetched,
    *,
    max_attempts: int,
    chance: random.Random,
) -> Settlement:
    """What an outcome means; pure, but for the jitter that `chance` gives."""
    if isinstance(outcome, RobotsFetched):
        return _of_robots(crawl, outcome, chance)
    if isinstance(outcome, PageExcluded):
        kind = "robots" if outcome.robots else "excluded"
        return Settlement(crawl=crawl, host=outcome.host, kind=kind, asked=False, answered=False)
    if isinstance(outcome, PageFetched):
        kind = "page" if outcome.status < 300 else "moved"
        return Settlement(crawl=crawl, host=outcome.host, kind=kind, asked=outcome.asked, elapsed_ms=outcome.elapsed_ms)
    return _of_failure(crawl, outcome, retry_in_ms(outcome, max_attempts=max_attempts, chance=chance))


def _of_failure(crawl: str, failed: PageFailed, wait_ms: int | None) -> Settlement:
    mark = int(failed.fingerprint or "0", 16)
    again = b""
    if wait_ms is not None:
        again = next_attempt(failed, mark, host=failed.host)
    return Settlement(
        crawl=crawl,
        host=failed.host,
        kind="failed" if wait_ms is None else "retry",
        asked=failed.asked,
        elapsed_ms=failed.elapsed_ms,
        trouble=in_trouble(failed),
        refusal=is_refusal(failed),
        refused_before=failed.refusals,
        # A 202 asks for time for its page alone.
        block_ms=0 if failed.status == 202 else block_ms(failed.retry_after_ms),
        retry_in_ms=wait_ms or 0,
        # Who is refused goes behind the others of its host, one depth further each time.
        retry_depth=failed.depth + _refusals(failed),
        retry_job=again,
        answered=failed.status is not None,
        limited=limited_why(failed),
    )


def next_attempt(page: PageFailed | PageFetch | KnownPage, mark: int, *, host: str) -> bytes:
    """The queued job of the attempt after this one."""
    attempt = page.attempt + 1
    data = job_data(
        page.url,
        host,
        mark,
        depth=page.depth,
        hops=page.hops,
        via=page.via,
        attempt=attempt,
        chain=() if isinstance(page, KnownPage) else page.chain,
        refusals=_refusals(page),
    )
    return member(mark, attempt, data)


def _refusals(page: PageFailed | PageFetch | KnownPage) -> int:
    """How many attempts so far the host has refused; of a recorded page only the last is known, and stands for all."""
    if isinstance(page, KnownPage):
        return page.attempt if is_refusal(page) else 0
    return page.refusals + (isinstance(page, PageFailed) and is_refusal(page))


def _of_robots(crawl: str, robots: RobotsFetched, chance: random.Random) -> Settlement:
    is_known, back = robots.verdict in ("rules", "allow"), robots.returned
    return Settlement(
        crawl=crawl,
        host=robots.host,
        kind="robots",
        asked=robots.asked,
        elapsed_ms=robots.elapsed_ms,
        trouble=not is_known,
        block_ms=block_ms(robots.retry_after_ms),
        retry_depth=back.depth if back else 0,
        retry_job=_as_it_was(back, host=robots.host) if back else b"",
        crawl_delay_ms=robots.crawl_delay_ms,
        robots_good_ms=ROBOTS_GOOD_MS if is_known else 0,
        robots_again_ms=0 if is_known else robots_again_ms(robots, chance),
        robots_stale=robots.stale,
        answered=robots.status is not None,
        robots_why=robots.reason.partition(":")[0],
    )


def _as_it_was(job: ReturnedJob, *, host: str) -> bytes:
    """The queued job that this one was."""
    mark, attempt = int(job.fingerprint or "0", 16), job.attempt
    said = attempt if attempt > 1 else 0
    data = job_data(job.url, host, mark, depth=job.depth, hops=job.hops, via=job.via, attempt=said, chain=job.chain)
    return member(mark, attempt, data)
