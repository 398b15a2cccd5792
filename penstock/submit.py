"""Send a command to the scheduler, and wait for its answer."""

from __future__ import annotations

import asyncio
import secrets
import time

import msgspec

from events.bus import Bus, publish
from events.bus.groups import ensure_groups
from events.bus.scripts import PASSING
from events.commands import Answer, CrawlStart, SeedsAdd
from events.crawls import new_crawl_id
from events.envelope import Message, Payload, new_message
from events.errors import Refused
from penstock.plan import Plan

#: How long a scheduler may take to answer: starting one takes about a second.
ANSWER_SECONDS = 60.0
#: A Redis that is away for longer than a restart takes has ended with its cluster.
GONE_SECONDS = 5.0
_SOURCE = "penstock"
#: Seeds in one message; a longer list is sent in parts.
SEEDS_A_MESSAGE = 5_000


async def start(bus: Bus, plan: Plan) -> Answer:
    """Start a crawl, or go on with the unfinished one of its name; raises `Refused` where nobody answers."""
    await ensure_groups(bus)
    crawl, (first, *rest) = new_crawl_id(), _parts(plan.seeds)
    command = new_command(CrawlStart(spec=plan.spec, seeds=first, more=bool(rest)), crawl=crawl)
    await publish(bus, command)
    answer = await answer_to(bus, command)
    for number, seeds in enumerate(rest, 1):
        more = SeedsAdd(seeds=seeds, last=number == len(rest))
        await publish(bus, new_command(more, crawl=answer.crawl))
    return answer


def _parts(seeds: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [seeds[at : at + SEEDS_A_MESSAGE] for at in range(0, len(seeds), SEEDS_A_MESSAGE)]


def new_command(payload: Payload, *, crawl: str) -> Message:
    """A command in its envelope; its id is where the answer will be."""
    return new_message(payload, id=f"{crawl}.{payload.TYPE}.{secrets.token_hex(6)}", source=_SOURCE, crawl=crawl)


async def answer_to(bus: Bus, command: Message) -> Answer:
    """What the scheduler made of a command; raises `Refused` where nobody answers, or the command was lost."""
    key, heard_at, world = bus.keys.answer(command.envelope.id), time.monotonic(), b""
    deadline = heard_at + ANSWER_SECONDS
    while time.monotonic() < deadline:
        try:
            raw, epoch, is_rebuilt = await _look(bus, key)
            if raw:
                return msgspec.json.decode(raw, type=Answer)
            if world and epoch != world:
                raise Refused("Redis was emptied before it answered; give the same command again")
            world, heard_at = epoch or b"gone", time.monotonic()
            if is_rebuilt:
                deadline = heard_at + ANSWER_SECONDS  # which takes as long as it takes
        except PASSING:
            if time.monotonic() - heard_at > GONE_SECONDS:
                raise Refused("the cluster ended before it answered; give the same command again") from None
        await asyncio.sleep(0.01)
    raise Refused(
        f"no scheduler answered within {ANSWER_SECONDS:.0f} s; "
        "do `penstock scheduler` and `penstock record` run there? both are needed"
    )


async def _look(bus: Bus, key: str) -> tuple[bytes | None, bytes | None, bytes | None]:
    pipeline = bus.redis.pipeline(transaction=False)
    pipeline.lpop(key)
    pipeline.mget([bus.keys.epoch, bus.keys.replaying])
    raw, [epoch, replaying] = await pipeline.execute()
    return raw, epoch, replaying
