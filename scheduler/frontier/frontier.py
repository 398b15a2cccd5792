"""The frontier's scripts, as Python calls.

Takes deliveries and decisions, gives script calls; the caller may run many of them in one round trip.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec

from contract.bus.clock import Steady, steady_seconds
from contract.bus.connection import Bus
from contract.bus.delivery import Delivery
from contract.bus.scripts import Call, Script, attempt
from contract.commands import FrontierRestore
from contract.crawls import CrawlSpec
from contract.envelope import now_text
from contract.pages import PageParsed
from contract.tracing.ids import read, written
from scheduler.frontier.jobs import Candidate, Known

_TAKE, _CLOCK = ("contract.bus", "take.lua"), ("contract.bus", "clock.lua")
_ADMIT = (_TAKE, _CLOCK, "keys.lua", "envelope.lua", "seen.lua", "queues.lua", "same.lua", "admit.lua")
_HERE = "scheduler.frontier"
START = Script(_HERE, *_ADMIT, "waits.lua", "places.lua", "parts.lua", "start.lua")
ADD = Script(_HERE, *_ADMIT, "places.lua", "parts.lua", "add.lua")
DISCOVER = Script(_HERE, *_ADMIT, "discover.lua")
_RESTORE = (*_ADMIT, "places.lua", "restoring.lua")
RESTORE_CRAWL = Script(_HERE, *_RESTORE, "waits.lua", "restore_crawl.lua")
RESTORE_PAGES = Script(_HERE, *_RESTORE, "restore_pages.lua")
RESTORE_LINKS = Script(_HERE, *_RESTORE, "restore_links.lua")
RESTORE_END = Script(_HERE, *_RESTORE, "restore_end.lua")
RESTORE_LOST = Script(_HERE, _TAKE, _CLOCK, "keys.lua", "restore_lost.lua")
CONTROL = Script(_HERE, _TAKE, _CLOCK, "keys.lua", "envelope.lua", "control.lua")
_LIMITS = ("waits.lua", "pace.lua", "limits.lua")
SETTLE = Script(_HERE, _TAKE, _CLOCK, "keys.lua", *_LIMITS, "envelope.lua", "queues.lua", "settle.lua")
GIVE_UP = Script(_HERE, _TAKE, _CLOCK, "keys.lua", "envelope.lua", "queues.lua", "give_up.lua")
_DISPATCH = ("waits.lua", "envelope.lua", "queues.lua", "census.lua", "dispatch.lua")
DISPATCH = Script(_HERE, _CLOCK, "keys.lua", *_DISPATCH)
REVIVE = Script(_HERE, _CLOCK, "keys.lua", "envelope.lua", "queues.lua", "revive.lua")
FORGET = Script(_HERE, _CLOCK, "keys.lua", "envelope.lua", "seen.lua", "queues.lua", "forget.lua")

#: The result of `discover.lua` where the links were judged by a scope that is too old; nothing has happened then.
SCOPE_HAS_GROWN = -2
#: The result of a command's script while the frontier is still rebuilt; nothing has happened then.
NOT_YET = -2
#: Keys freed in one run of `forget.lua`: about a millisecond of the server's time.
_KEYS_A_RUN = 2_000


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What an outcome means for its host and its crawl; the fields are the arguments of `settle.lua`."""

    crawl: str
    host: str
    kind: str
    asked: bool
    elapsed_ms: int = 0
    trouble: bool = False
    refusal: bool = False
    refused_before: int = 0
    block_ms: int = 0
    retry_in_ms: int = 0
    retry_depth: int = 0
    retry_job: bytes = b""
    crawl_delay_ms: int = 0
    robots_good_ms: int = 0
    robots_again_ms: int = 0
    robots_stale: bool = False
    robots_why: str = ""
    answered: bool = True
    limited: str = ""


class Issued(msgspec.Struct, frozen=True):
    """What one run of dispatch did; `next_due_ms` is -1 where nothing waits for a time."""

    count: int
    next_due_ms: int
    held_back: bool
    in_flight: int
    to_forget: int

    @property
    def result(self) -> str:
        """What came of it, in a word, or what all that is queued waits for."""
        if self.count:
            return "issued"
        if self.held_back:
            return "back_pressure"
        if self.next_due_ms >= 0:
            return "politeness"
        return "in_flight" if self.in_flight else "nothing"


class Frontier:
    """The frontier of one Redis, for one group (stage) that changes it."""

    def __init__(self, bus: Bus, group: str, *, steady: Callable[[], float] = steady_seconds) -> None:
        self.bus, self.group = bus, group
        self._steady = Steady(steady)

    def __repr__(self) -> str:
        return f"<Frontier {self.bus.keys.root} for {self.group}>"

    def start(
        self,
        delivery: Delivery,
        *,
        spec: CrawlSpec,
        seeds: Sequence[str],
        parts: int,
        fresh: bool,
        places: Collection[str],
        found: Sequence[Candidate],
    ) -> Call:
        """Begin a crawl, or go on with the unfinished one of that name; a `fresh` one is refused instead.

        It is held until so many `parts` of more seeds have been added.
        """
        texts = [delivery.envelope.crawl, spec.name, msgspec.json.encode(spec), msgspec.json.encode(seeds)]
        flags = [parts, int(fresh)]
        args = [*self._head(delivery), *texts, *_numbers(spec), *flags, _json_list(places), *_flat(found)]
        return Call(START, [*self._keys(delivery), self.bus.keys.answer(delivery.envelope.id)], args)

    def add(
        self,
        delivery: Delivery,
        *,
        seeds: Sequence[str],
        expected: int | None,
        last: bool,
        batch: str,
        part: int,
        places: Collection[str],
        found: Sequence[Candidate],
    ) -> Call:
        """Add seeds to a crawl."""
        texts = [delivery.envelope.crawl, _or_empty(expected), msgspec.json.encode(seeds)]
        head = [*texts, int(last), _json_list(places), batch, part]
        args = [*head, *_flat(found)]
        keys = [*self._keys(delivery), self.bus.keys.answer(delivery.envelope.id)]
        return Call(ADD, keys, [*self._head(delivery), *args])

    def control(self, delivery: Delivery, verb: str, *, expected: int | None) -> Call:
        """Make a crawl `paused`, `resumed` or `cancelled`, if it is at the version that is expected (None: any)."""
        keys = [*self._keys(delivery), self.bus.keys.answer(delivery.envelope.id)]
        args = [delivery.envelope.crawl, verb, "", _or_empty(expected)]
        return Call(CONTROL, keys, [*self._head(delivery), *args])

    def refuse(self, delivery: Delivery, why: str) -> Call:
        """Answer that nothing will come of a command."""
        keys = [*self._keys(delivery), self.bus.keys.answer(delivery.envelope.id)]
        return Call(CONTROL, keys, [*self._head(delivery), delivery.envelope.crawl, "refused", why, ""])

    def discover(self, delivery: Delivery, found: Sequence[Candidate], *, places: str) -> Call:
        """Add a page's links, judged by a scope with these places (their word in Redis), and count the page as read.

        The result is the number of links that were new; -1: somebody else did this before; or SCOPE_HAS_GROWN.
        """
        is_known = int(delivery.payload.again or bool(delivery.again))
        page: PageParsed = delivery.payload
        args = [
            *self._head(delivery),
            delivery.envelope.crawl,
            places,
            is_known,
            page.host,
            page.body_mark,
            *_flat(found),
        ]
        return Call(DISCOVER, self._keys(delivery), args)

    def settle(self, delivery: Delivery, s: Settlement) -> Call:
        """Give an outcome its consequences for the host and the crawl."""
        args = [
            *(s.crawl, s.host, s.kind, int(s.asked), s.elapsed_ms, 2 if s.refusal else int(s.trouble), s.block_ms),
            *(s.retry_in_ms, s.retry_depth, s.retry_job, s.crawl_delay_ms, s.robots_good_ms),
            *(s.robots_again_ms, int(s.robots_stale), s.robots_why, int(s.answered), s.limited),
            s.refused_before,
        ]
        return Call(SETTLE, self._keys(delivery), [*self._head(delivery), *args])

    def give_up(self, delivery: Delivery, reason: str, *, host: str, kind: str) -> Call:
        """Make a delivery a dead letter, with those consequences for host and crawl that it must have."""
        keys = [*self._keys(delivery), self.bus.keys.dead(self.group)]
        letter = [delivery.raw, delivery.stream, reason, delivery.count]
        return Call(GIVE_UP, keys, [*self._head(delivery), delivery.envelope.crawl, host, kind, *letter])

    def restore_crawl(self, delivery: Delivery, *, places: Collection[str]) -> Call:
        """Let a crawl that was lost be known again; `places` are of the seeds in this part."""
        part: FrontierRestore = delivery.payload
        assert part.spec is not None, "a crawl has a specification"
        texts = [part.spec.name, msgspec.json.encode(part.spec), part.state, part.version]
        delays = [word for pair in part.crawl_delays for word in pair]
        args = [*texts, *_numbers(part.spec), _json_list(places), *delays]
        return Call(RESTORE_CRAWL, self._keys(delivery), [*self._part(delivery), *args])

    def restore_pages(self, delivery: Delivery, known: Sequence[Known]) -> Call:
        """Work outcomes in; the result is the number of those that were not known."""
        args = [arg for one in known for arg in one.as_args()]
        return Call(RESTORE_PAGES, self._keys(delivery), [*self._part(delivery), *args])

    def restore_links(self, delivery: Delivery, found: Sequence[Candidate]) -> Call:
        """Add links and seeds; the result is the number of those that were not known."""
        return Call(RESTORE_LINKS, self._keys(delivery), [*self._part(delivery), *_flat(found)])

    def restore_end(self, delivery: Delivery, *, unread: Sequence[str]) -> Call:
        """Let the crawl end when it is through; nobody will read the pages of these fingerprints."""
        return Call(RESTORE_END, self._keys(delivery), [*self._part(delivery), *unread])

    def restore_lost(self, delivery: Delivery, reason: str) -> Call:
        """Make a part of a replay a dead letter, and let the replay begin anew."""
        letter = [delivery.raw, delivery.stream, reason, delivery.count]
        keys = [*self._keys(delivery), self.bus.keys.dead(self.group)]
        return Call(RESTORE_LOST, keys, [*self._part(delivery), *letter])

    async def dispatch(
        self, *, least_capacity: int, jobs_per_request: int, most_waiting: int, most_bytes: int
    ) -> Issued:
        """Issue what is due; raises what redis-py raises while the server is away."""
        args = [now_text(), least_capacity, jobs_per_request, most_waiting, most_bytes, *self._steady.word()]
        [[count, due, held, in_flight, to_forget, told]] = await self._attempt(DISPATCH, args)
        self._steady.told(told)
        return Issued(count, due, bool(held), in_flight, to_forget)

    async def forget(self) -> bool:
        """Free some memory of crawls that have ended; True while there is more. Raises as `dispatch` does."""
        return bool((await self._attempt(FORGET, [_KEYS_A_RUN]))[0])

    async def _attempt(self, script: Script, args: Sequence[Any]) -> Any:
        return await attempt(self.bus.redis, [Call(script, [self.bus.keys.root], args)])

    def _keys(self, delivery: Delivery) -> list[str]:
        return [self.bus.keys.root, self.bus.keys.stream(delivery.stream)]

    def _part(self, delivery: Delivery) -> list[Any]:
        part: FrontierRestore = delivery.payload
        return [*self._head(delivery), delivery.envelope.crawl, part.epoch, part.run]

    def _head(self, delivery: Delivery) -> list[Any]:
        # Scripts hand the traceparent on in what they word; it stands behind the time (see envelope.lua).
        trace = read(delivery.envelope.traceparent)
        return [self.group, delivery.id, f"{now_text()} {written(trace)}" if trace else now_text()]


def _flat(found: Sequence[Candidate]) -> list[str | int | bytes]:
    return [arg for one in found for arg in one.as_args()]


def _numbers(spec: CrawlSpec) -> list[int]:
    return [
        *(round(spec.delay_seconds * 1000), spec.per_host, int(spec.obey_robots)),
        *(spec.max_pages, spec.max_pages_per_host),
    ]


def _or_empty(number: int | None) -> int | str:
    return "" if number is None else number


def _json_list(texts: Collection[str]) -> bytes:
    # Lua's cjson does not tell an empty list from an empty object, and reads both.
    return msgspec.json.encode(sorted(texts))
