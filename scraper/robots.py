"""A host's robots.txt: fetching it, what its answer means (RFC 9309 §2.3.1), and what the workers share about it.

Takes a host, gives a `Robots`: the verdict, with the record that goes to Redis. 2xx is read, 4xx means that there are
no rules, 429 and 5xx and no answer mean that nothing may be fetched for now. Owns a small memory of parsed rules.
"""

import time
from collections.abc import Awaitable, Callable

import msgspec

from events.bus import Bus
from events.crawls import CrawlSpec
from events.robots import RobotsRecord
from scraper.client import Answer, Client
from scraper.errors import BadLocation, BlockedAddress, DnsNotFound, FetchError, HttpStatus, InvalidUrl
from scraper.headers import location_of, retry_after_ms
from scraper.rules import MOST_BYTES, Rules, product_token, readable

MOST_REDIRECTS = 5
#: Attempts at an unreachable robots.txt before the host counts as off limits.
ATTEMPTS = 3
#: How long a record holds, by its verdict (RFC 9309 §2.4: at most a day). After `deny`, the host is asked again.
LIFE_MS = {"rules": 86_400_000, "allow": 86_400_000, "deny": 300_000}
#: How long a process goes by the record it has read; one GET a host in this time.
MEMORY_SECONDS = 60.0
#: Bounds of that memory; the oldest go first.
MEMORY_HOSTS, MEMORY_CHARACTERS = 4_000, 8 * 1024 * 1024

_ACCEPT = "text/plain,*/*;q=0.5"
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RobotsRecord)

#: Given a URL, what to await before the request for it is sent.
Gate = Callable[[str], Callable[[], Awaitable[None]]]


class Robots(msgspec.Struct, frozen=True, kw_only=True):
    """What a robots.txt came to. `verdict` is that of `RobotsFetched`; times as in `Answer`."""

    record: RobotsRecord
    status: int | None = None
    retry_after_ms: int | None = None
    sitemaps: tuple[str, ...] = ()
    started_at: int = 0
    elapsed_ms: int = 0
    asked: bool = True

    @property
    def life_ms(self) -> int:
        """For how long the record is worth keeping; 0 for the verdict `retry`."""
        return LIFE_MS.get(self.record.verdict, 0)

    @property
    def stored(self) -> bytes:
        """The record as it is kept in Redis."""
        return _encoder.encode(self.record)


async def fetch_robots(client: Client, url: str, *, user_agent: str, attempt: int, gate: Gate) -> Robots:
    """Fetch one robots.txt, following at most MOST_REDIRECTS redirects, and say what it comes to."""
    try:
        answer = await _follow(client, url, user_agent=user_agent, gate=gate)
    except FetchError as error:
        return _without_answer(error, attempt)
    if answer is None:
        return Robots(record=RobotsRecord(verdict="allow", reason="too_many_redirects"))
    return _of_answer(answer, product_token(user_agent))


async def _follow(client: Client, url: str, *, user_agent: str, gate: Gate) -> Answer | None:
    for _ in range(MOST_REDIRECTS + 1):
        answer = await client.get(url, user_agent=user_agent, accept=_ACCEPT, cut_at=MOST_BYTES, before_send=gate(url))
        if answer.status == 429 or answer.status >= 500:
            wait = retry_after_ms(answer.header("retry-after"), now=time.time())
            error = HttpStatus(answer.status, f"answered {answer.status}", retry_after_ms=wait)
            raise error.at(answer.started_at, answer.elapsed_ms, asked=True)
        target = location_of(answer)
        if target is None:
            return answer
        url = target
    return None


def _without_answer(error: FetchError, attempt: int) -> Robots:
    # Where nothing can be fetched anyway, the pages say so themselves, in better words than "robots".
    if isinstance(error, BlockedAddress | InvalidUrl | DnsNotFound | BadLocation):
        verdict = "allow"
    else:
        verdict = "deny" if attempt >= ATTEMPTS else "retry"
    reason = f"{error.reason}: {error.detail}" if error.detail else error.reason
    return Robots(
        record=RobotsRecord(verdict=verdict, reason=reason),
        status=error.status if isinstance(error, HttpStatus) else None,
        retry_after_ms=error.retry_after_ms,
        started_at=error.started_at,
        elapsed_ms=error.elapsed_ms,
        asked=error.asked,
    )


def _of_answer(answer: Answer, token: str) -> Robots:
    record, sitemaps = RobotsRecord(verdict="allow", reason=f"http_{answer.status}"), tuple[str, ...]()
    if 200 <= answer.status < 300:
        text = readable(answer.body)
        rules = Rules(text, token)
        sitemaps = rules.sitemaps
        record = RobotsRecord(verdict="rules", text=text, crawl_delay_ms=rules.crawl_delay_ms)
    return Robots(
        record=record,
        status=answer.status,
        sitemaps=sitemaps,
        started_at=answer.started_at,
        elapsed_ms=answer.elapsed_ms,
    )


class Known(msgspec.Struct, frozen=True):
    """A host's record, with the rules in it ready for one product token."""

    record: RobotsRecord
    rules: Rules | None
    read_at: float

    def allow(self, url: str) -> bool:
        """Whether the rules allow this URL; the verdict is another matter."""
        return self.rules is None or self.rules.allow(url)


class RobotsBook:
    """What this process knows of robots.txt files: Redis' records, remembered for MEMORY_SECONDS."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
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
        raw = await self._bus.redis.get(self._bus.keys.robots(host))
        return self.remember(host, spec, _decoder.decode(raw)) if raw else None

    async def store(self, host: str, robots: Robots) -> None:
        """Share a record with the other workers, where its verdict is final."""
        if robots.life_ms:
            await self._bus.redis.set(self._bus.keys.robots(host), robots.stored, px=robots.life_ms)

    def remember(self, host: str, spec: CrawlSpec, record: RobotsRecord) -> Known:
        """Keep a record in this process's memory; the oldest give way."""
        token = product_token(spec.user_agent)
        rules = Rules(record.text, token) if record.verdict == "rules" else None
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
