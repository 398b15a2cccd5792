"""A story: what a seed makes of a world, until nothing is left to be done; and what the judge says of it.

    told = tell(seed, server, folder)      the faults, and all that has happened

The same seed tells the same story. `Told.shortest` is what to read first: the part of it that the first fault is about.
"""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path
from unittest import mock

import msgspec

from penstock import submit
from tests.interleaving.actions import ACTIONS, UNMENDED, Action, begin_crawl
from tests.interleaving.actors import Actor
from tests.interleaving.clock import StoryLoop, clocks
from tests.interleaving.judge import Fault, Judge
from tests.interleaving.power import Powered
from tests.interleaving.web import make_web
from tests.interleaving.world import World, world

#: Turns of one story: steps of actors, moments, and now and then something that befalls the world.
TURNS = 800
#: Seeds in one message, so that parts are as common in a story as with thousands.
SEEDS_A_MESSAGE = 1
#: One turn of so many is something that befalls the world; one of so many lets time pass.
_BEFALLS = 25
#: One of so many lets time pass: in some stories little is done in a page's three seconds, in others a lot.
_MOMENTS = (4, 4, 20)
#: In one turn of so many another actor that is at work becomes so slow that it stands still, more or less; or none is.
_SLOW = 40
#: The longest that a turn lets pass by itself.
_LONGEST_MOMENT = 0.05
#: A crawl that has not ended after so much more of its own time never will. Retries take minutes, robots.txt too.
PATIENCE_SECONDS = 7_200.0
#: Time passes faster when nothing has happened for so many rounds: an answer takes seconds, a retry minutes.
_PAUSES = (0.05, 0.05, 0.1, 0.2, 0.5, *[1.0] * 10, *[5.0] * 10, 30.0)
#: When nothing has happened for so many rounds, perhaps all is over.
_STILL = 10


class Told(msgspec.Struct, frozen=True):
    """A story that is over."""

    seed: int
    faults: list[Fault]
    lines: list[str]
    requests: int

    def shortest(self) -> str:
        """The part of the story that is about the first fault, and what befell everybody."""
        about = self.faults[0].about
        told = [line for line in self.lines if about in line or not re.search(r"s  c\d asks", line)]
        return "\n".join([f"seed {self.seed}: {self.faults[0]}", *told])


def tell(seed: int, server: Powered, folder: Path, *, unmended: frozenset[str] = UNMENDED, turns: int = TURNS) -> Told:
    """Tell the story of a seed."""
    loop = StoryLoop()
    asyncio.set_event_loop(loop)
    try:
        with clocks(loop), mock.patch.object(submit, "SEEDS_A_MESSAGE", SEEDS_A_MESSAGE):
            return loop.run_until_complete(_tell(seed, server, folder, unmended, turns))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _tell(seed: int, server: Powered, folder: Path, unmended: frozenset[str], turns: int) -> Told:
    chance = random.Random(seed)
    web = make_web(chance, hosts=chance.randrange(1, 4), pages=chance.choice([5, 8, 16]))
    # Some befall much more often than others in one story, and some never: so each meets each other one somewhere.
    actions = [(action, action.weight * chance.choice([0, 1, 1, 6])) for action in ACTIONS]
    actions = [(action, weight) for action, weight in actions if weight and action.point not in unmended]
    moments = chance.choice(_MOMENTS)
    async with world(server, folder, web, chance) as here:
        judge = Judge(here)
        await begin_crawl(here)
        for _ in range(turns):
            await _turn(here, judge, actions, moments)
        await settle_down(here, judge)
        await judge.at_rest()
        return Told(seed, judge.faults, here.told, len(web.requests))


def _weight(here: World, actor: Actor) -> float:
    """How often an actor is chosen: seldom where there is nothing to do, and hardly ever where it is slow."""
    return (1 if actor.wire.is_idle else 20) * (0.005 if actor is here.slow else 1)


async def _turn(here: World, judge: Judge, actions: list[tuple[Action, int]], moments: int) -> None:
    chance = here.chance
    if actions and not chance.randrange(_BEFALLS):
        [action] = chance.choices([action for action, _ in actions], [weight for _, weight in actions])
        await action.do(here)
    if not chance.randrange(_SLOW):
        here.slow = chance.choice([None, *[actor for actor in here.movable() if not actor.wire.is_idle]])
    movable = here.movable()
    if not movable or not chance.randrange(moments):
        await here.to_next_moment(_LONGEST_MOMENT)
    else:
        [actor] = chance.choices(movable, [_weight(here, actor) for actor in movable])
        await here.go(actor, chance.choice([1, 2, 5, 40]))
    await judge.look()


async def settle_down(here: World, judge: Judge) -> None:
    """Nothing befalls the world any more; all that is left is done, or waited for in vain."""
    here.tell("nothing befalls anybody any more")
    await here.at_peace()
    still, until = 0, here.loop.moment + PATIENCE_SECONDS
    while here.loop.moment < until:
        movable = here.movable()
        for actor in movable:
            actor.wire.has_worked = False
            await here.go(actor, 40)
        await judge.look()
        still = 0 if any(actor.wire.has_worked for actor in movable) else still + 1
        if still % _STILL == 0 and still and await here.is_over():
            return
        await here.pass_time(_PAUSES[min(still, len(_PAUSES) - 1)])
