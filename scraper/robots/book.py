"""What a process knows of robots.txt files, and what the workers share about them.

Takes hosts, gives what is `Known` of each; takes verdicts, puts them into Redis for the others. Owns a small memory of
parsed rules.
"""

import time

import msgspec

from contract.bus import Bus
from contract.bus.scripts import patiently
from contract.crawls import CrawlSpec
from contract.pages import Wishes
from contract.robots import RobotsRecord
from scraper.robots.reader import RulesReader
from scraper.robots.rules import Rules, product_token
from scraper.robots.verdict import LIFE_MS, Robots

#: How long a process goes by the record it has read; one GET a host in this time.
MEMORY_SECONDS = 60.0
#: Bounds of that memory; the oldest go first.
MEMORY_HOSTS, MEMORY_CHARACTERS = 4_000, 8 * 1024 * 1024
_decoder = msgspec.json.Decoder(RobotsRecord)


class Known(msgspec.Struct, frozen=True):
    """A host's record, with the rules in it ready for one product token."""

    record: RobotsRecord
    rules: Rules | None
    read_at: float

    @property
    def crawl_delay_ms(self) -> int:
        """The crawl-delay that this token is asked for."""
        return self.rules.crawl_delay_ms if self.rules else self.record.crawl_delay_ms

    def wishes(self, url: str) -> Wishes | None:
        """What the host asks for uses of this URL's page."""
        return self.rules.wishes(url) if self.rules else None

    def allow(self, url: str) -> bool:
        """Whether the rules allow this URL; the verdict is another matter."""
        return self.rules is None or self.rules.allow(url)


class RobotsBook:
    """What this process knows of robots.txt files: Redis' records, remembered for MEMORY_SECONDS."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.reader = RulesReader()
        self._known: dict[tuple[str, str], Known] = {}
        self._characters = 0

    def __repr__(self) -> str:
        return f"<RobotsBook {len(self._known)} hosts, {self._characters} characters>"

    async def look_up(self, host: str, spec: CrawlSpec) -> Known | None:
        """What is known of a host; None where its robots.txt has to be fetched first."""
        token = product_token(spec.user_agent)
        known = self._known.get((host, token))
        if known and time.monotonic() - known.read_at < MEMORY_SECONDS:
            return known
        raw = await patiently(lambda: self._bus.redis.get(self._bus.keys.robots(host)))
        record = _decoder.decode(raw) if raw else None
        return await self.remember(host, spec, record) if record and record.verdict in LIFE_MS else None

    async def has_copy(self, host: str, spec: CrawlSpec) -> bool:
        """Whether there are rules of this host to go by while it cannot be reached."""
        known = await self.look_up(host, spec)
        return known is not None and known.rules is not None

    async def store(self, host: str, spec: CrawlSpec, robots: Robots) -> Known:
        """Share what the host has said with the other workers, and remember it."""
        key = self._bus.keys.robots(host)
        await patiently(lambda: self._bus.redis.set(key, robots.stored, px=robots.life_ms))
        return await self.remember(host, spec, robots.record)

    async def remember(self, host: str, spec: CrawlSpec, record: RobotsRecord) -> Known:
        """Keep a record in this process's memory; the oldest give way."""
        token = product_token(spec.user_agent)
        rules = await self.reader.read(record.text, token) if record.verdict == "rules" else None
        known = Known(record, rules, time.monotonic())
        self._drop((host, token))
        self._known[host, token] = known
        self._characters += len(record.text)
        while len(self._known) > MEMORY_HOSTS or (self._characters > MEMORY_CHARACTERS and len(self._known) > 1):
            self._drop(next(iter(self._known)))
        return known

    def _drop(self, key: tuple[str, str]) -> None:
        old = self._known.pop(key, None)
        self._characters -= len(old.record.text) if old else 0
