"""The judge: what must hold of every story, while it goes on and when all is at rest (RELIABILITY.md, section 8.1).

Takes a world, gives `Fault`s: a kind, what it is about, and what was seen. Knows the made-up web, so it knows what each
crawl must have come to; whatever the stages say of themselves is only held against that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import msgspec

from tests.interleaving.wanted import Crawl
from tests.interleaving.web import PRIVATE, Request
from tests.interleaving.world import World

#: What is early by less than this is a matter of rounding.
_SLACK_SECONDS = 0.005
#: Requests of other crawls at a host that a crawl may have to let pass which wants it.
_MOST_TURNS = 8
#: Slots are looked at whenever a request has begun, and else every so many looks.
_LOOK_EVERY = 20


class Fault(msgspec.Struct, frozen=True):
    """Something that must not be."""

    kind: str
    about: str
    seen: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}: {self.seen}"


class Judge:
    """Looks at every request as it begins, and at slots and turns whenever it is asked to."""

    def __init__(self, world: World) -> None:
        self.world, self.faults = world, list[Fault]()
        self._last: dict[str, Request] = {}
        self._let_pass: Counter[tuple[str, str]] = Counter()
        self._looked = self._looks = 0
        world.web.on_request, world.web.on_answer = self.begins, self.ends

    def find(self, kind: str, about: str, seen: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(kind, about, seen))
        self.world.tell(f"FAULT {self.faults[-1]}")

    # -- politeness, as the host sees it

    def begins(self, request: Request) -> None:
        """A request begins."""
        self.world.tell(f"{request.crawl} asks {request.url}")
        self._is_alone(request)
        self._keeps_its_distance(request)
        self._is_allowed(request)
        self._last[request.host] = request

    def ends(self, request: Request) -> None:
        """A request is answered. Where more than one may be under way, others may have left already."""
        if request.retry_after and self.most == 1:
            self.world.blocked_until[request.host] = self.world.loop.moment + request.retry_after

    @property
    def most(self) -> int:
        """Requests that a host may have to bear at once."""
        return max(crawl.spec.per_host for crawl in self.world.crawls)

    def _is_alone(self, request: Request) -> None:
        now_open = [one for one in self.world.web.requests if one.host == request.host and one.is_open]
        if len(now_open) > self.most:
            self.find("more at once than per_host", request.url, f"{len(now_open)} of {self.most}")

    def _keeps_its_distance(self, request: Request) -> None:
        before = self._last.get(request.host)
        if before is None:
            return
        delay = self.crawl(request.crawl).spec.delay_seconds
        gap = request.started_at - before.started_at
        if gap < delay - _SLACK_SECONDS:
            self.find("asked too soon", request.url, f"{gap:.3f} s after {before.url}, delay {delay} s")
        self._leaves_alone(request)

    def _leaves_alone(self, request: Request) -> None:
        """Nobody asks a host that wanted to be left alone, unless nobody knows it any more."""
        until = self.world.blocked_until.get(request.host, 0.0)
        if request.started_at < until - _SLACK_SECONDS:
            early = until - request.started_at
            self.find("asked in spite of Retry-After", request.url, f"{early:.3f} s too early")

    def _is_allowed(self, request: Request) -> None:
        crawl, host = self.crawl(request.crawl), self.world.web.hosts[request.host]
        if crawl.spec.obey_robots and host.robots and PRIVATE in request.url:
            self.find("asked in spite of robots.txt", request.url, "")

    def crawl(self, id: str) -> Crawl:
        """The crawl of this id."""
        return next(crawl for crawl in self.world.crawls if crawl.id == id)

    # -- turns and slots, as Redis has them

    async def look(self) -> None:
        """Look at what has begun since the last look, and at the slots of hosts."""
        fresh, self._looked = self.world.web.requests[self._looked :], len(self.world.web.requests)
        redis, keys = self.world.bus.redis, self.world.bus.keys
        for request in fresh:
            self._let_pass[request.host, request.crawl] = 0
            for crawl in [c.decode() for c in await redis.smembers(keys.host_crawls(request.host))]:
                if crawl != request.crawl and await self._runs(crawl) and not self._waits(crawl, request.host):
                    self._let_pass[request.host, crawl] += 1
                    if self._let_pass[request.host, crawl] == _MOST_TURNS:
                        self.find("no turn", crawl, f"{_MOST_TURNS} requests of others at {request.host}")
        self._looks += 1
        if not fresh and self._looks % _LOOK_EVERY:
            return
        for host in self.world.web.hosts:
            slots = int(await redis.hget(keys.host(host), "in_flight") or 0)
            if not 0 <= slots <= self.most:
                self.find("slots out of bounds", host, f"{slots} of {self.most}")

    def _waits(self, crawl: str, host: str) -> bool:
        """Whether a crawl waits for a robots.txt by which others at the host do not go."""
        away_until = self.world.web.hosts[host].robots_away_until
        return self.crawl(crawl).spec.obey_robots and away_until > 0

    async def _runs(self, crawl: str) -> bool:
        """Whether a crawl is neither paused, nor waits for further seeds."""
        state, hold = await self.world.bus.redis.hmget(self.world.bus.keys.crawl(crawl), ["state", "hold"])
        return state == b"running" and hold in (None, b"0", b"")

    # -- at rest

    async def at_rest(self) -> None:
        """Everything is over: nothing may be missing, doubled or left."""
        from tests.interleaving import rest

        for crawl in self.world.crawls:
            for fault in await rest.of_crawl(self.world, crawl):
                self.find(*fault)
        for fault in await rest.of_redis(self.world):
            self.find(*fault)


def reachable(world: World, crawl: Crawl) -> dict[str, str]:
    """URL → the outcome that it must have: fetched, failed or excluded, for all that is linked to from the seeds."""
    found: dict[str, str] = {}
    waiting = sorted(world.wanted_seeds(crawl))
    while waiting:
        url = waiting.pop()
        if url in found:
            continue
        page = world.web.pages[url]
        found[url] = outcome(world, crawl, url)
        if found[url] == "fetched":
            waiting += [page.to] if page.to else page.links
    return found


def outcome(world: World, crawl: Crawl, url: str) -> str:
    """What must become of a URL that is found."""
    host = next(host for host in world.web.hosts if url.startswith(host + "/"))
    if crawl.spec.obey_robots and world.web.hosts[host].robots and PRIVATE in url:
        return "excluded"
    return "failed" if world.web.pages[url].status >= 400 else "fetched"


def grouped(pairs: Any) -> dict[Any, list[Any]]:
    """Pairs as lists by their first."""
    found = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)
