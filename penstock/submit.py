"""Send a command to the scheduler, and wait for its answer."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING

import msgspec

from contract.bus import Bus, publish
from contract.bus.groups import ensure_groups
from contract.bus.scripts import PASSING
from contract.bus.take_back import take_back
from contract.commands import Answer, CrawlStart, SeedsAdd
from contract.crawls import new_crawl_id
from contract.envelope import Message, Payload, new_message
from contract.errors import Refused
from contract.topology import SEED
from penstock.plan import Plan

if TYPE_CHECKING:
    from sqlalchemy import Engine  # half a second of imports, and `penstock crawl` can do without

#: How long a scheduler may take to answer: starting one takes about a second.
ANSWER_SECONDS = 60.0
#: A Redis that is away for longer than a restart takes has ended with its cluster.
GONE_SECONDS = 5.0
#: How long the recorder may take to write down what was done.
RECORDED_SECONDS = 20.0
_LOOK_SECONDS = 0.02
#: An answer is looked for so often at first, then less and less: a scheduler that still starts needs the processor.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.005, 0.05
_SOURCE = "penstock"
#: Seeds in one message; a longer list is sent in parts.
SEEDS_A_MESSAGE = 5_000


class Unanswered(Refused):
    """Raised where nobody said what became of a command; the text says whether it may still be carried out."""


async def start(bus: Bus, plan: Plan) -> Answer:
    """Start a crawl, or go on with the unfinished one of its name; raises `Unanswered` where nobody answers."""
    crawl = new_crawl_id()
    answer, rest = await _started(bus, plan, crawl=crawl, fresh=False)
    return answer if answer.refused else await _send(bus, answer, rest, batch=crawl, patience_seconds=ANSWER_SECONDS)


async def start_fresh(bus: Bus, plan: Plan, *, crawl: str, patience_seconds: float = ANSWER_SECONDS) -> Answer:
    """Start a crawl under this id; refused where an unfinished one has its name, whose id the answer has.

    Twice with one id is the same as once, also if the first time was broken off half-way.
    """
    answer, rest = await _started(bus, plan, crawl=crawl, fresh=True, patience_seconds=patience_seconds)
    if not answer.refused and (not answer.resumed or await _is_held(bus, crawl)):
        return await _send(bus, answer, rest, batch=crawl, patience_seconds=patience_seconds)
    return answer


async def _started(
    bus: Bus, plan: Plan, *, crawl: str, fresh: bool, patience_seconds: float = ANSWER_SECONDS
) -> tuple[Answer, list[tuple[str, ...]]]:
    first, *rest = _parts(plan.seeds)
    command = CrawlStart(spec=plan.spec, seeds=first, more=bool(rest), fresh=fresh, parts=len(rest))
    return await give(bus, command, crawl=crawl, patience_seconds=patience_seconds), rest


async def _is_held(bus: Bus, crawl: str) -> bool:
    """Whether the crawl still waits for seeds that were announced."""
    return int(await bus.redis.hget(bus.keys.crawl(crawl), "hold") or 0) > 0


async def _send(
    bus: Bus, answer: Answer, parts: list[tuple[str, ...]], *, batch: str, patience_seconds: float
) -> Answer:
    """Send the other parts of a crawl's seeds; the answer to its start, or that a part was refused, and why.

    A part is sent when the one before was answered, so that one that fails is the last of which anybody hears.
    """
    for number, seeds in enumerate(parts, 1):
        part = SeedsAdd(seeds=seeds, last=number == len(parts), batch=batch, part=number)
        added = await give(bus, part, crawl=answer.crawl, patience_seconds=patience_seconds)
        if added.refused:
            refused = f"seeds from number {number * SEEDS_A_MESSAGE + 1:,} on were refused: {added.refused}"
            return msgspec.structs.replace(answer, refused=refused)
    return answer


async def give(bus: Bus, payload: Payload, *, crawl: str, patience_seconds: float = ANSWER_SECONDS) -> Answer:
    """Give a command to a crawl; what the scheduler made of it. Raises `Unanswered` where nobody answers."""
    await ensure_groups(bus)
    command = new_command(payload, crawl=crawl)
    await publish(bus, command)
    return await answer_to(bus, command, patience_seconds=patience_seconds)


def _parts(seeds: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [seeds[at : at + SEEDS_A_MESSAGE] for at in range(0, len(seeds), SEEDS_A_MESSAGE)]


def new_command(payload: Payload, *, crawl: str) -> Message:
    """A command in its envelope; its id is where the answer will be."""
    return new_message(payload, id=f"{crawl}.{payload.TYPE}.{secrets.token_hex(6)}", source=_SOURCE, crawl=crawl)


async def answer_to(bus: Bus, command: Message, *, patience_seconds: float = ANSWER_SECONDS) -> Answer:
    """What the scheduler made of a command; raises `Unanswered` where nobody answers, or the command was lost."""
    key, world, away_since = bus.keys.answer(command.envelope.id), b"", None
    began, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
    deadline = began + patience_seconds  # a look may take any time: the last is one that began when this was over
    while began < deadline:
        began = time.monotonic()
        try:
            raw, epoch, is_rebuilt = await _look(bus, key)
            if raw:
                return msgspec.json.decode(raw, type=Answer)
            if world and epoch != world and not await _still_waits(bus, command):
                raise Unanswered("Redis was emptied before it answered; give the same command again")
            world, away_since = epoch or b"gone", None
            if is_rebuilt:
                deadline = time.monotonic() + patience_seconds  # which takes as long as it takes
        except PASSING:
            away_since = away_since or time.monotonic()
            if began - away_since > GONE_SECONDS:
                raise Unanswered("the cluster ended before it answered; give the same command again") from None
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, _LONGEST_PAUSE_SECONDS)
    return await _given_up(bus, command, patience_seconds)


async def _given_up(bus: Bus, command: Message, patience_seconds: float) -> Answer:
    """Take the command back, and raise `Unanswered` which says so; the answer where it has come at the last moment."""
    why = f"no scheduler answered within {patience_seconds:.0f} s"
    try:
        if await take_back(bus, command, SEED):
            mend = "do `penstock scheduler` and `penstock record` run there? both are needed"
            raise Unanswered(f"{why}; nothing will come of the command, which was taken back; {mend}")
        if raw := (await _look(bus, bus.keys.answer(command.envelope.id)))[0]:
            return msgspec.json.decode(raw, type=Answer)
    except PASSING:
        pass
    crawl = command.envelope.crawl
    raise Unanswered(f"{why}; the command may still be carried out: look at `penstock crawls`, and end it then with "
                     f"penstock cancel {crawl}")  # fmt: skip


async def _still_waits(bus: Bus, command: Message) -> bool:
    """Whether a command is still to be carried out, or its answer is there."""
    entries = await bus.redis.xrange(bus.keys.stream(command.envelope.type))
    id = command.envelope.id.encode()
    return any(id in fields.get(b"e", b"") for _, fields in entries) or bool(
        await bus.redis.exists(bus.keys.answer(command.envelope.id))
    )


async def _look(bus: Bus, key: str) -> tuple[bytes | None, bytes | None, bytes | None]:
    pipeline = bus.redis.pipeline(transaction=False)
    pipeline.lpop(key)
    pipeline.mget([bus.keys.epoch, bus.keys.replaying])
    raw, [epoch, replaying] = await pipeline.execute()
    return raw, epoch, replaying


async def until_recorded(
    engine: Engine, crawl: str, version: int, *, patience_seconds: float = RECORDED_SECONDS
) -> bool:
    """Wait until SQL has this version of a crawl, so that who changed it reads the change; else False."""
    from storage.recovery import unfinished

    began = time.monotonic()
    deadline = began + patience_seconds
    while await asyncio.to_thread(unfinished.version, engine, crawl) < version:
        if began > deadline:  # by then the look has begun, however long it took
            return False
        await asyncio.sleep(_LOOK_SECONDS)
        began = time.monotonic()
    return True
