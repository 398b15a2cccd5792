"""`penstock dead list|show|retry|drop`: the messages that stages have given up.

Works on the cluster of the data folder. Where none runs, the server is started for as long as the command takes; and
for a retry the stage that gets the message too, until it is through with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from contract import topology
from contract.bus import Bus
from contract.bus.dead_letters import DeadLetter, Filter, dead_letter, dead_letters, drop, retry
from contract.bus.groups import ensure_groups
from contract.errors import Refused
from contract.logs import visible
from contract.settings import Settings, load
from penstock.cluster import Cluster, one_machine
from scheduler.dead_jobs import is_dead_job, revive
from scheduler.report import backlogs
from storage.read_models import queries
from storage.sql.database import NothingRecorded, open_recorded

#: How long a stage may take over what it was given again, before the command goes on without knowing.
_THROUGH_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_GROUPS = {"scraper.fetch": "worker", "scraper.parse": "parse", "storage.record": "record", "penstock.notify": "record"}
REFUSED = 2


def list_letters(given: dict[str, Any], which: dict[str, str], *, json: bool) -> None:
    """Print the dead letters that are meant: a line each, or one JSON array."""
    settings = load(given)
    letters = asyncio.run(_read(settings, _filter(settings, which)))
    if json:
        print(msgspec.json.encode([_facts(letter) for letter in letters]).decode())
        return
    for letter in letters:
        about = letter.about
        what = about.url or about.host or about.crawl
        print(visible(f"{letter.name}  {letter.buried_at}  {about.type or '?'}  {what}  {letter.reason}"))
    if not letters:
        print("no dead letters", file=sys.stderr)


def show_letter(name: str, given: dict[str, Any], *, json: bool) -> None:
    """Print one dead letter; raises `Refused` where there is none of that name."""
    letter = asyncio.run(_read_one(load(given), name))
    facts = _facts(letter) | {"raw": letter.raw.decode("utf-8", "backslashreplace")}
    if json:
        print(msgspec.json.encode(facts).decode())
        return
    for fact, value in facts.items():
        print(visible(f"{fact + ':':<12}{value}"))


def act(
    verb: str, names: Sequence[str], given: dict[str, Any], which: dict[str, str], *, every: bool, json: bool
) -> int:
    """Retry or drop those named, or all that fit; returns the exit status. Raises `Refused` if none is meant."""
    if bool(names) == every:
        raise Refused(f"say which: penstock dead {verb} LETTER..., or --all (with --stage, --reason, --host, --crawl)")
    settings = load(given)
    done, refused = asyncio.run(_act(verb, settings, names, _filter(settings, which)))
    if json:
        print(msgspec.json.encode({"done": done, "refused": refused}).decode())
    else:
        print(f"{len(done)} {'given to their stage again' if verb == 'retry' else 'dropped'}")
    for line in refused.values():
        print(f"penstock: {visible(line)}", file=sys.stderr)
    return REFUSED if refused else 0


def _filter(settings: Settings, which: dict[str, str]) -> Filter:
    if empty := next((word for word, text in which.items() if not text), None):
        raise Refused(f"--{empty} is empty; leave it out to mean all, or say which")
    found = Filter(**which)
    if found.stage and found.stage not in [stage.name for stage in topology.STAGES]:
        known = ", ".join(stage.name for stage in topology.STAGES if stage.takes)
        raise Refused(f"no stage {found.stage!r}; there are {known}")
    return msgspec.structs.replace(found, crawl=_crawl_id(settings, found.crawl)) if found.crawl else found


def _crawl_id(settings: Settings, id_or_name: str) -> str:
    try:
        row = queries.find_crawl(open_recorded(settings), id_or_name)
    except NothingRecorded:
        row = None
    return row.id if row else id_or_name


def _facts(letter: DeadLetter) -> dict[str, Any]:
    return {
        "letter": letter.name,
        "stage": letter.stage,
        "buried_at": letter.buried_at,
        "reason": letter.reason,
        "deliveries": letter.count,
        "stream": letter.stream,
        **msgspec.structs.asdict(letter.about),
        "bytes": len(letter.raw),
        "body_bytes": letter.body_bytes,
    }


async def _read(settings: Settings, which: Filter) -> list[DeadLetter]:
    async with _bus(settings) as (_, bus):
        return [letter async for letter in dead_letters(bus, which)]


async def _read_one(settings: Settings, name: str) -> DeadLetter:
    async with _bus(settings) as (_, bus):
        return await _named(bus, name)


async def _named(bus: Bus, name: str) -> DeadLetter:
    letter = await dead_letter(bus, name)
    if letter is None:
        raise Refused(f"no dead letter {name!r}; `penstock dead list` names them")
    return letter


async def _act(verb: str, settings: Settings, names: Sequence[str], which: Filter) -> tuple[list[str], dict[str, str]]:
    done, refused = list[str](), dict[str, str]()
    async with _bus(settings) as (cluster, bus):
        if names:
            letters = [await _named(bus, name) for name in names]
        else:
            letters = [letter async for letter in dead_letters(bus, which)]
        for letter in letters:
            try:
                if await _one(verb, bus, letter):
                    done.append(letter.name)
            except Refused as error:
                refused[letter.name] = str(error)
        if cluster.is_ours and verb == "retry" and done:
            given = [letter for letter in letters if letter.name in done]
            await _see_through(cluster, bus, {letter.stage for letter in given})
            refused |= await _buried_again(bus, given)
    return [name for name in done if name not in refused], refused


async def _buried_again(bus: Bus, given: Sequence[DeadLetter]) -> dict[str, str]:
    """Those that their stage has given up once more, each with why."""
    names = {(letter.stage, letter.raw): letter.name for letter in given}
    again = {}
    async for letter in dead_letters(bus):
        if name := names.get((letter.stage, letter.raw)):
            again[name] = f"{name} was given up again, as {letter.name}: {letter.reason}"
    return again


async def _one(verb: str, bus: Bus, letter: DeadLetter) -> bool:
    if verb == "drop":
        return await drop(bus, letter)
    return await (revive(bus, letter) if is_dead_job(letter) else retry(bus, letter))


@contextlib.asynccontextmanager
async def _bus(settings: Settings) -> AsyncIterator[tuple[Cluster, Bus]]:
    async with (
        one_machine(settings, commands=()) as cluster,
        Bus.open(cluster.settings.redis_url, prefix=settings.prefix) as bus,
    ):
        await ensure_groups(bus)
        yield cluster, bus


async def _see_through(cluster: Cluster, bus: Bus, stages: set[str]) -> None:
    """Have the stages at work until they are through; what is a crawl's to do waits for the crawl to go on."""
    groups = {_GROUPS.get(stage, "scheduler") for stage in stages if stage != topology.FETCH.name}
    waiting = [*(stages - {topology.FETCH.name}), topology.RECORD.name]
    if not groups or cluster.supervisor is None:
        return
    await cluster.supervisor.also(*groups, "record")
    deadline = time.monotonic() + _THROUGH_SECONDS
    while time.monotonic() < deadline:
        found = await backlogs(bus)
        if not any(found[stage] for stage in waiting):
            return
        await asyncio.sleep(_LOOK_SECONDS)
