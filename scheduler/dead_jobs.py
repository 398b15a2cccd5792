"""Dead letters of `scraper.fetch`: URL jobs whose burial was a failed page, put back into the frontier.

Takes a dead letter, gives its next attempt; the counts of its crawl stay exact.
"""

from __future__ import annotations

from contract import codec
from contract.bus import Bus
from contract.bus.dead_letters import DeadLetter
from contract.bus.scripts import run
from contract.commands import PageFetch
from contract.errors import Refused
from contract.topology import FETCH
from scheduler.frontier.frontier import REVIVE
from scheduler.settle import next_attempt

_OVER = -1


def is_dead_job(letter: DeadLetter) -> bool:
    """Whether this is a job that has its outcome, so that its stage must not simply do it again."""
    return letter.stage == FETCH.name and letter.said > 0


async def revive(bus: Bus, letter: DeadLetter) -> bool:
    """Queue the next attempt; False where the letter is gone. Raises `Refused` where it may not be asked for."""
    message = codec.decode(letter.raw)
    job: PageFetch = message.payload
    if job.robots:
        raise Refused(f"{letter.name} asks for a robots.txt, which is asked for again by itself; drop it")
    mark = int(job.fingerprint or "0", 16)
    keys = [bus.keys.root, bus.keys.dead(letter.stage)]
    args = [letter.id, message.envelope.crawl, job.host, job.depth, next_attempt(job, mark, host=job.host)]
    done = await run(bus.redis, REVIVE, keys, args)
    if done == _OVER:
        raise Refused(f"the crawl of {letter.name} is over: start one with this URL as its seed: {job.url}")
    return bool(done)
