"""What may befall a world, as data: a small function each, with how often it comes, and what must be so for it.

To grow the stories, add a function and its line in ACTIONS. `point` names what has not been mended yet
(see UNMENDED): such an action is left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from contract import topology
from contract.bus.dead_letters import dead_letters, drop
from contract.commands import CrawlCancel, CrawlPause, CrawlResume, SeedsAdd
from contract.crawls import CrawlSpec
from contract.topology import DISCOVER, FETCH, PARSE, RESTORE, SETTLE
from tests.interleaving.wanted import Crawl
from tests.interleaving.web import host_of
from tests.interleaving.world import World

#: Faults that the code still has, by the names that actions give them; none for now.
UNMENDED: frozenset[str] = frozenset()
#: Kills of fetchers in a story: a job that has ended its reader four times is buried, which is another story.
MOST_FETCHER_KILLS = 3
MOST_CRAWLS = 3


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may befall a world; `weight` of all the weights is how often it does."""

    do: Callable[[World], Awaitable[None]]
    weight: int = 1
    point: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.do.__name__


# -- what people do


async def second_crawl(world: World) -> None:
    """Somebody starts another crawl, perhaps on hosts that are being crawled already."""
    if len(world.crawls) < MOST_CRAWLS:
        await begin_crawl(world)


async def begin_crawl(world: World) -> None:
    """A crawl with a specification of its own, on one or all hosts; it may be through with its first seed at once."""
    chance, id = world.chance, f"c{len(world.crawls) + 1}"
    hosts = list(world.web.hosts)
    seeds = [f"{host}/" for host in chance.sample(hosts, chance.randrange(1, len(hosts) + 1))]
    seeds += [seeds[0] + name for name in ("island1", "island2")[: chance.randrange(3)]]
    if chance.random() < 0.5:  # whoever is slow with another part may come too late
        seeds = [seeds[0] + "alone1", *seeds, seeds[0] + "alone2"]
    spec = CrawlSpec(
        name=id, user_agent=id, delay_seconds=chance.choice([0.0, 0.2, 1.0]), obey_robots=chance.random() < 0.7,
        per_host=chance.choice([1, world.per_host, world.per_host]),
    )  # fmt: skip
    await world.start(Crawl(id, spec, seeds))


async def add(world: World) -> None:
    """Somebody adds a seed to which no link leads."""
    crawl = world.chance.choice(world.crawls)
    seed = host_of(crawl.seeds[0]) + "/island3"
    if seed not in crawl.seeds and not crawl.is_cancelled and not (await world.has_ended(crawl)):
        crawl.maybe.append(seed)  # the crawl may end before it comes
        await world.command(SeedsAdd(seeds=(seed,)), crawl.id)
        world.tell(f"add {seed} to {crawl.id}")


async def pause(world: World) -> None:
    """Somebody pauses a crawl."""
    crawl = world.chance.choice(world.crawls)
    crawl.is_paused = True
    await world.command(CrawlPause(), crawl.id)
    world.tell(f"pause {crawl.id}")


async def resume(world: World) -> None:
    """Somebody resumes a crawl."""
    crawl = world.chance.choice(world.crawls)
    crawl.is_paused = False
    await world.command(CrawlResume(), crawl.id)
    world.tell(f"resume {crawl.id}")


async def cancel(world: World) -> None:
    """Somebody cancels a crawl that is not the only one."""
    if len(world.crawls) > 1:
        crawl = world.chance.choice(world.crawls[1:])
        crawl.is_cancelled = True
        await world.command(CrawlCancel(), crawl.id)
        world.tell(f"cancel {crawl.id}")


# -- what befalls processes


async def crash(world: World) -> None:
    """A process is killed in the middle of what it does."""
    process = world.chance.choice(world.processes)
    if process.kind == "fetcher":
        if world.kills >= MOST_FETCHER_KILLS:
            return
        world.kills += 1
    await world.kill(process)


async def hand_on(world: World) -> None:
    """A process is asked to end, and another one takes its place."""
    await world.retire(world.chance.choice(world.processes))


async def freeze(world: World) -> None:
    """A process stands still from here on, and does not know it."""
    process = world.chance.choice(world.processes)
    if not any(one.is_frozen for one in world.processes):
        process.freeze(True)
        world.blocked_until.clear()
        world.tell(f"freeze {process!r}")


async def thaw(world: World) -> None:
    """A process that stood still goes on, as if nothing had happened."""
    for process in world.processes:
        if process.is_frozen:
            process.freeze(False)
            world.tell(f"thaw {process.name}")


# -- what befalls time


async def a_second(world: World) -> None:
    """A second passes."""
    await world.pass_time(1.0)


async def expire(world: World) -> None:
    """So much time passes that whoever does not renew its leases has lost them."""
    await world.pass_time(17.0)


async def clock_back(world: World) -> None:
    """The server's clock is set back."""
    await world.set_clock(-world.chance.choice([30, 900, 7200]))


async def clock_forward(world: World) -> None:
    """The server's clock is set forward."""
    await world.set_clock(world.chance.choice([30, 900, 7200]))


# -- what befalls Redis


async def wipe(world: World) -> None:
    """Redis loses everything."""
    await world.bus.redis.flushall()
    await world.is_lost("wiped_at")
    world.tell("FLUSHALL")


async def remember(world: World) -> None:
    """This is what a replica has, or the disk."""
    world.server.remember()
    world.is_remembered = True


async def rewind(world: World) -> None:
    """Redis is what it was when it was remembered."""
    if world.is_remembered:
        world.server.rewind()
        await world.is_lost("rewound_at")
        world.tell("Redis goes back to what was remembered")


async def power_cut(world: World) -> None:
    """The machine of Redis loses its power, and its file ends in what a file system leaves there."""
    assert world.server.cut_power(), "the server reads zeros, so it need not be rebuilt"
    await world.is_lost("wiped_at")
    world.tell("Redis lost its power, and its file")


async def too_often(world: World) -> None:
    """A message has been delivered so often without an end that it becomes a dead letter."""
    stage = world.chance.choice([SETTLE, DISCOVER, PARSE, FETCH, RESTORE])
    for stream in topology.streams_of(stage):
        if await world.bus.redis.eval(_TOO_OFTEN, 1, world.bus.keys.stream(stream), stage.name):
            world.buried += 1
            world.tell(f"an entry of {stream} has been delivered to {stage.name} too often")
            return


_TOO_OFTEN = """
local one = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1)
if one.err or not one[1] then return 0 end
redis.call('XCLAIM', KEYS[1], ARGV[1], one[1][2], 0, one[1][1], 'IDLE', 60000, 'RETRYCOUNT', 9, 'JUSTID')
return 1
"""


async def drop_dead(world: World) -> None:
    """Somebody throws all dead letters away."""
    async for letter in dead_letters(world.bus):
        await drop(world.bus, letter)
        world.tell(f"drop the dead letter {letter.stage} {letter.about.url}")


async def tidy(world: World) -> None:
    """The janitor does its round."""
    await world.tidy()


# -- what befalls the web


async def robots_away(world: World) -> None:
    """A host's robots.txt is answered with 503 for a while, and what was known of it has become too old."""
    name = world.chance.choice(list(world.web.hosts))
    seconds = world.chance.choice([3, 40, 120])
    world.web.hosts[name].robots_away_until = world.loop.moment + seconds
    await world.forget_robots(name)
    world.tell(f"no robots.txt at {name} for {seconds} s")


async def host_away(world: World) -> None:
    """A host refuses connections for a while."""
    name = world.chance.choice(list(world.web.hosts))
    world.web.hosts[name].away_until = world.loop.moment + world.chance.choice([2, 30])
    world.away.add(name)
    world.tell(f"{name} is away for a while")


ACTIONS: tuple[Action, ...] = (
    Action(do=second_crawl, weight=6),
    Action(do=add, weight=2),
    Action(do=pause, weight=2),
    Action(do=resume, weight=4),
    Action(do=cancel),
    Action(do=crash, weight=10),
    Action(do=hand_on, weight=3),
    Action(do=freeze, weight=4),
    Action(do=thaw, weight=4),
    Action(do=a_second, weight=10),
    Action(do=expire, weight=4),
    Action(do=clock_back, weight=2, point="clock"),
    Action(do=clock_forward, weight=1, point="clock"),
    Action(do=wipe, weight=4),
    Action(do=remember, weight=6),
    Action(do=rewind, weight=2),
    Action(do=power_cut, weight=2),
    Action(do=too_often, weight=2, point="dead letters"),
    Action(do=drop_dead, weight=2, point="dead letters"),
    Action(do=tidy, weight=4),
    Action(do=robots_away, weight=2, point="robots"),
    Action(do=host_away, weight=2),
)
