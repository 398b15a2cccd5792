"""From a job and what came of it to the one message that says so. Pure: values in, values out.

Every job ends in exactly one of these. The outcome's id follows from the job's, so that the same job stated twice is
the same fact.
"""

import time
from typing import Any

import msgspec

from contract.commands import PageFetch
from contract.crawls import CrawlSpec
from contract.envelope import Envelope, Message, Payload, new_message
from contract.pages import (
    KEPT_BYTES,
    BodyRef,
    PageExcluded,
    PageFailed,
    PageFetched,
    ReturnedJob,
    RobotsFetched,
    Wishes,
)
from contract.topology import FETCH
from scraper.errors import BadLocation, FetchError, HttpStatus, TooManyRedirects, Truncated, WorkerLost
from scraper.http.answer import Answer
from scraper.http.chain import chain_with, check_chain
from scraper.http.headers import is_whole_range, location_of, retry_after_ms
from scraper.robots.verdict import Robots
from scraper.verdicts import verdict_on
from scraper.warc import digest_of, write_record

#: Longest content type that is passed on, in characters; real ones stay below 100.
_TYPE_LENGTH = 200
#: What a failure's id has at its end.
_FAILED = ".failed"


class Outcome(msgspec.Struct, frozen=True):
    """What came of a job: the payload, and the record that holds the answer's body, where there is one."""

    payload: PageFetched | PageFailed | PageExcluded | RobotsFetched
    body: bytes = b""


def outcome_id(job: Envelope) -> str:
    """The id of a job's outcome, unless it failed."""
    return f"{job.id}.out"


def message_of(job: Envelope, payload: Payload, *, subject: str) -> Message:
    """The message that ends a job.

    A failure has an id of its own: a job that is done again, because a failover has lost its outcome, may go well then.
    So has each return of a job to the frontier, from where it comes again as it was.
    """
    id = outcome_id(job)
    if isinstance(payload, PageFailed):
        id += _FAILED
    elif isinstance(payload, RobotsFetched) and payload.returned:
        id = f"{job.id}.returned.{payload.started_at}"
    return new_message(payload, id=id, source=FETCH.name, crawl=job.crawl, subject=subject, cause=job)


def of_answer(
    job: PageFetch,
    answer: Answer,
    spec: CrawlSpec,
    *,
    event_id: str,
    issued_ms: int,
    crawl: str = "",
    wishes: Wishes | None = None,
) -> Outcome:
    """The outcome of a complete answer: fetched for 2xx, 3xx and what the crawl asks for, failed for other statuses.

    `wishes` are what the host's robots.txt says of the page. Raises the `FetchError` that an unusable redirect or a
    part of a page amounts to.
    """
    if (answer.status >= 400 and not _is_asked_for(job, answer, spec)) or _is_not_ready(job, answer, spec):
        return _of_status(job, answer, event_id=event_id, issued_ms=issued_ms, crawl=crawl)
    if answer.status == 206 and not is_whole_range(answer.header("content-range")):
        error = Truncated("answered with a part of the page that nobody asked for")
        raise error.at(answer.started_at, answer.elapsed_ms, asked=True)
    location, said = _checked_location(job, answer, spec) if answer.status < 400 else (None, ())
    body, record = _kept(answer, event_id=event_id, crawl=crawl)
    payload = PageFetched(
        **_of_job(job),
        status=answer.status,
        content_type=answer.header("content-type")[:_TYPE_LENGTH],
        body=body,
        started_at=answer.started_at,
        elapsed_ms=answer.elapsed_ms,
        waited_ms=max(0, answer.started_at - issued_ms),
        location=location,
        chain=chain_with(job.chain, answer) if location else (),
        wishes=wishes,
        flags=(*answer.flags, *said) if answer.body else (*answer.flags, *said, "empty"),
    )
    return Outcome(payload, record)


def _kept(answer: Answer, *, event_id: str, crawl: str) -> tuple[BodyRef, bytes]:
    """The claim check of an answer's body, and the record that it stands for."""
    digest = digest_of(answer.body)
    record = write_record(
        url=answer.url,
        event_id=event_id,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        digest=digest,
        started_at=answer.started_at,
        reason=answer.reason,
        http_version=answer.http_version,
        address=answer.address,
        request=answer.request,
        is_cut="cut" in answer.flags,
        crawl=crawl,
    )
    return BodyRef(digest=digest, size=len(answer.body), wire=answer.wire, stored=len(record)), record


def _is_not_ready(job: PageFetch, answer: Answer, spec: CrawlSpec) -> bool:
    """Whether a host has begun to make the page (RFC 9110 §15.3.3), says when to ask again, and may be asked again."""
    return answer.status == 202 and _retry_after(answer) is not None and job.attempt < spec.max_attempts


def _is_asked_for(job: PageFetch, answer: Answer, spec: CrawlSpec) -> bool:
    """Whether an answer of 4xx or 5xx is a page to this crawl: the last one that will come, and no word on our rate."""
    wanted = {str(answer.status), f"{answer.status // 100}xx"}.intersection(spec.error_pages)
    if not wanted or answer.status in (429, 503):
        return False
    return not (_status_error(answer).retryable and job.attempt < spec.max_attempts)


def _status_error(answer: Answer) -> HttpStatus:
    detail = f"{answer.status} {answer.reason}".strip()[:_TYPE_LENGTH]
    return HttpStatus(answer.status, detail, retry_after_ms=_retry_after(answer))


def _of_status(job: PageFetch, answer: Answer, *, event_id: str, issued_ms: int, crawl: str) -> Outcome:
    """The outcome of an answer that is no page: failed, and kept all the same."""
    error = _status_error(answer).at(answer.started_at, answer.elapsed_ms, asked=True)
    said = of_error(job, error, issued_ms=issued_ms).payload
    if len(answer.body) > KEPT_BYTES:
        answer = msgspec.structs.replace(answer, body=answer.body[:KEPT_BYTES], flags=(*answer.flags, "cut"))
    body, record = _kept(answer, event_id=event_id + _FAILED, crawl=crawl)
    content_type = answer.header("content-type")[:_TYPE_LENGTH]
    return Outcome(msgspec.structs.replace(said, body=body, content_type=content_type), record)


def _retry_after(answer: Answer) -> int | None:
    return retry_after_ms(answer.header("retry-after"), now=time.time())


def _checked_location(job: PageFetch, answer: Answer, spec: CrawlSpec) -> tuple[str | None, tuple[str, ...]]:
    """Where a redirect leads, and the flags of one that leads nowhere, whose body is the page then."""
    try:
        location = location_of(answer)
        if location and job.hops >= spec.max_hops:
            raise TooManyRedirects(f"{job.hops + 1} redirects in a row; the crawl allows {spec.max_hops}")
        if location:
            check_chain(location, chain_with(job.chain, answer))
    except BadLocation as error:
        if answer.body:
            return None, (error.reason,)
        raise error.at(answer.started_at, answer.elapsed_ms, asked=True) from None
    except FetchError as error:
        raise error.at(answer.started_at, answer.elapsed_ms, asked=True) from None
    return location, ("no_location",) if answer.status >= 300 and not location else ()


def of_error(job: PageFetch, error: FetchError, *, issued_ms: int = 0) -> Outcome:
    """The outcome of a failed fetch: excluded where we are not to ask that address, else failed."""
    if verdict_on(error).page == "excluded":
        return excluded(job, error.reason, error.detail)
    started_at = error.started_at or int(time.time() * 1000)
    payload = PageFailed(
        **_of_job(job),
        reason=error.reason,
        detail=error.detail,
        status=error.status if isinstance(error, HttpStatus) else None,
        chain=job.chain,
        refusals=job.refusals,
        retryable=error.retryable,
        retry_after_ms=error.retry_after_ms,
        started_at=started_at,
        elapsed_ms=error.elapsed_ms,
        waited_ms=max(0, started_at - issued_ms) if issued_ms else 0,
        asked=error.asked,
    )
    return Outcome(payload)


def excluded(job: PageFetch, reason: str, detail: str = "") -> Outcome:
    """The outcome of a job that is not done on purpose."""
    return Outcome(PageExcluded(**_of_job(job), reason=reason, detail=detail, robots=job.robots))


def of_robots(job: PageFetch, robots: Robots, *, event_id: str = "", crawl: str = "", stale: bool = False) -> Outcome:
    """The outcome of a robots job; or of a page's that goes back, because its host's robots.txt cannot be had now.

    The file is kept as a page is, under the event's id, where there is one.
    """
    body, file = None, b""
    if robots.answer and event_id:
        body, file = _kept(robots.answer, event_id=event_id, crawl=crawl)
    payload = RobotsFetched(
        host=job.host,
        url=job.url if job.robots else f"{job.host}/robots.txt",
        attempt=job.attempt if job.robots else 1,
        verdict=robots.record.verdict,
        status=robots.status,
        reason=robots.record.reason,
        crawl_delay_ms=robots.record.crawl_delay_ms,
        retry_after_ms=robots.retry_after_ms,
        sitemaps=robots.sitemaps,
        started_at=robots.started_at or int(time.time() * 1000),
        elapsed_ms=robots.elapsed_ms,
        asked=robots.asked,
        stale=stale,
        body=body,
        returned=None if job.robots else msgspec.convert({**_of_job(job), "chain": job.chain}, ReturnedJob),
    )
    return Outcome(payload, file)


def lost(job: PageFetch, why: str) -> Outcome:
    """The outcome of a job that was delivered too often without an end."""
    if not job.robots:
        return of_error(job, WorkerLost(why))
    payload = RobotsFetched(
        host=job.host, url=job.url, attempt=job.attempt, verdict="retry", reason=f"{WorkerLost.reason}: {why}"
    )
    return Outcome(payload)


def _of_job(job: PageFetch) -> dict[str, Any]:
    return {
        "url": job.url,
        "host": job.host,
        "fingerprint": job.fingerprint,
        "depth": job.depth,
        "hops": job.hops,
        "attempt": job.attempt,
        "via": job.via,
    }
