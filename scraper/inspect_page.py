"""One page outside of any crawl, for a person who wants to see what comes of it: `penstock inspect`.

Takes a URL, gives the outcome that a crawl would have recorded, the answer, what robots.txt says, and what a parser
process makes of the page. No Redis; nothing is stored, nothing is followed.
"""

import msgspec

from contract.commands import PageFetch
from contract.crawls import CrawlSpec
from contract.pages import PageExcluded, PageFailed, PageFetched, RobotsFetched
from contract.settings import Settings
from scraper.errors import FetchError, RobotsUnreachable
from scraper.fetchers.outcomes import Outcome, excluded, of_answer, of_error
from scraper.http.addresses import check_url, host_key
from scraper.http.answer import Answer
from scraper.http.client import Client
from scraper.http.exchange import at_once
from scraper.parsers.children import Children
from scraper.parsers.frames import Result, job_of
from scraper.robots.reader import RulesReader
from scraper.robots.verdict import Robots, fetch_robots
from scraper.warc import StoredPage, digest_of, write_record

_EVENT_ID = "once"


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: `answer` is None where there was none; `record` is a fetched page's WARC record, else empty."""

    payload: PageFetched | PageFailed | PageExcluded | RobotsFetched
    answer: Answer | None = None
    record: bytes = b""
    robots: Robots | None = None


async def fetch_once(url: str, settings: Settings, *, spec: CrawlSpec | None = None) -> Once:
    """Fetch a URL as a crawl with this specification would; never raises for what the web does."""
    spec = spec or CrawlSpec(name=_EVENT_ID)
    try:
        url = check_url(url, allow_private=settings.allow_private)
    except FetchError as error:
        return Once(payload=of_error(_job(url, host=""), error).payload)
    job = _job(url, host=host_key(url))
    async with Client(settings) as client:
        robots = await _robots(client, job, spec) if spec.obey_robots else None
        outcome, answer = _refusal(job, robots, spec), None
        if outcome is None:
            outcome, answer = await _fetch(client, job, spec)
    record = outcome.body if isinstance(outcome.payload, PageFetched) else b""
    return Once(payload=outcome.payload, answer=answer, record=record, robots=robots)


def _job(url: str, *, host: str) -> PageFetch:
    # The value of a message that nobody sends.
    return msgspec.convert({"url": url, "host": host}, PageFetch)


async def _robots(client: Client, job: PageFetch, spec: CrawlSpec) -> Robots:
    url, reader = f"{job.host}/robots.txt", RulesReader()
    return await fetch_robots(client, url, user_agent=spec.user_agent, gate=lambda _: at_once, reader=reader)


def _refusal(job: PageFetch, robots: Robots | None, spec: CrawlSpec) -> Outcome | None:
    if robots is None:
        return None
    record = robots.record
    if not robots.is_had:
        return of_error(job, RobotsUnreachable(f"robots.txt could not be had: {record.reason}", asked=False))
    if robots.rules and not robots.rules.allow(job.url):
        return excluded(job, "robots", "the host's robots.txt disallows this URL")
    return None


async def _fetch(client: Client, job: PageFetch, spec: CrawlSpec) -> tuple[Outcome, Answer | None]:
    answer = None
    try:
        answer = await client.get(job.url, user_agent=spec.user_agent)
        return of_answer(job, answer, spec, event_id=_EVENT_ID, issued_ms=answer.started_at), answer
    except FetchError as error:
        return of_error(job, error), answer


async def parse_once(page: StoredPage, *, spec: CrawlSpec | None = None) -> Result:
    """What a page says in a crawl with this specification; `Result.decoded_items()` has its items."""
    spec = spec or CrawlSpec(name=_EVENT_ID)
    raw = write_record(
        url=page.url,
        event_id=page.url,
        status=page.status,
        headers=page.headers,
        body=page.body,
        digest=digest_of(page.body),
        started_at=0,
    )
    async with Children(1) as children:
        return await children.submit(job_of(page.url, raw, 0, spec))
