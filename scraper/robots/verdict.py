"""A host's robots.txt: fetching it, and what its answer means (RFC 9309 §2.3.1).

Takes its URL, gives a `Robots`: the verdict, with the record that goes to Redis. 2xx is read, 4xx means that there are
no rules, 429 and 5xx and no answer mean that nothing may be fetched for now; how long that is waited for is not ours to
say. Five redirects are followed (§2.3.1.2): behind more, or to what is no URL of the web, there is no file; a target
that cannot be asked, whatever the cause, is one that cannot be reached.
"""

import time
from collections.abc import Awaitable, Callable

import msgspec

from contract.robots import RobotsRecord
from scraper.errors import FetchError, HttpStatus, RobotsUnreachable, Truncated
from scraper.http.answer import Answer
from scraper.http.causes import own_error
from scraper.http.client import Client
from scraper.http.headers import is_whole_range, location_of, retry_after_ms
from scraper.robots.reader import RulesReader
from scraper.robots.rules import MOST_BYTES, Rules, product_token, readable
from scraper.verdicts import verdict_on

MOST_REDIRECTS = 5
#: How long a record is kept, by its verdict. The scheduler asks again within a day; behind that, rules are a copy that
#: is gone by while the host cannot be reached (RFC 9309 §2.4). That there are no rules is no copy of anything.
LIFE_MS = {"rules": 7 * 86_400_000, "allow": 86_400_000}

_ACCEPT = "text/plain,*/*;q=0.5"
_encoder = msgspec.json.Encoder()

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
    #: The file itself, where there is one, and what it says.
    answer: Answer | None = None
    rules: Rules | None = None

    @property
    def is_had(self) -> bool:
        """Whether the host has said what holds."""
        return self.record.verdict in LIFE_MS

    @property
    def life_ms(self) -> int:
        """For how long the record is worth keeping; 0 for the verdict `retry`."""
        return LIFE_MS.get(self.record.verdict, 0)

    @property
    def stored(self) -> bytes:
        """The record as it is kept in Redis."""
        return _encoder.encode(self.record)


async def fetch_robots(client: Client, url: str, *, user_agent: str, gate: Gate, reader: RulesReader) -> Robots:
    """Fetch one robots.txt, following at most MOST_REDIRECTS redirects, and say what it comes to."""
    try:
        answer = await _follow(client, url, user_agent=user_agent, gate=gate)
    except FetchError as error:
        return _without_answer(error)
    if answer is None:
        return Robots(record=RobotsRecord(verdict="allow", reason="too_many_redirects"))
    try:
        return await _of_answer(answer, product_token(user_agent), reader)
    except Exception as error:
        return _without_answer(own_error(error).at(answer.started_at, answer.elapsed_ms, asked=True))


async def _follow(client: Client, url: str, *, user_agent: str, gate: Gate) -> Answer | None:
    first = url
    for _ in range(MOST_REDIRECTS + 1):
        try:
            answer = await client.get(
                url, user_agent=user_agent, accept=_ACCEPT, cut_at=MOST_BYTES, before_send=gate(url)
            )
        except FetchError as error:
            raise (error if url == first else _unreachable(url, error)) from None
        if answer.status == 206 and not is_whole_range(answer.header("content-range")):
            raise Truncated("answered with a part of it").at(answer.started_at, answer.elapsed_ms, asked=True)
        if answer.status == 429 or answer.status >= 500:
            wait = retry_after_ms(answer.header("retry-after"), now=time.time())
            refusal = HttpStatus(answer.status, f"answered {answer.status}", retry_after_ms=wait)
            raise refusal.at(answer.started_at, answer.elapsed_ms, asked=True)
        target = location_of(answer)
        if target is None:
            return answer
        url = target
    return None


def _unreachable(url: str, error: FetchError) -> FetchError:
    """The error of a redirect's target. The host itself was asked, so its pages are no witness of what is wrong."""
    why = f"{error.reason}: {error.detail}" if error.detail else error.reason
    found = RobotsUnreachable(f"it leads to {url}, {why}", retry_after_ms=error.retry_after_ms)
    return found.at(error.started_at, error.elapsed_ms, asked=error.asked)


def _without_answer(error: FetchError) -> Robots:
    if verdict_on(error).robots == "allow":
        verdict = "allow"
    else:
        verdict = "retry"
    reason = f"{error.reason}: {error.detail}" if error.detail else error.reason
    return Robots(
        record=RobotsRecord(verdict=verdict, reason=reason),
        status=error.status if isinstance(error, HttpStatus) else None,
        retry_after_ms=error.retry_after_ms,
        started_at=error.started_at,
        elapsed_ms=error.elapsed_ms,
        asked=error.asked,
    )


async def _of_answer(answer: Answer, token: str, reader: RulesReader) -> Robots:
    record, rules = RobotsRecord(verdict="allow", reason=f"http_{answer.status}"), None
    if 200 <= answer.status < 300:
        text = readable(answer.body)
        rules = await reader.read(text, token)
        record = RobotsRecord(verdict="rules", text=text, crawl_delay_ms=rules.crawl_delay_ms)
    return Robots(
        record=record,
        status=answer.status,
        sitemaps=rules.sitemaps if rules else (),
        started_at=answer.started_at,
        elapsed_ms=answer.elapsed_ms,
        answer=answer if rules else None,
        rules=rules,
    )
