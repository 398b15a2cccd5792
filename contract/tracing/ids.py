"""Trace ids and span ids that follow from what is traced, and W3C's way to write them. Pure functions.

Source: https://www.w3.org/TR/trace-context/
"""

import hashlib
import re

import msgspec

from contract.commands import CrawlStart, PageFetch
from contract.envelope import Message

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


class Place(msgspec.Struct, frozen=True):
    """A span, by the ids of its trace and its own."""

    trace_id: int
    span_id: int
    is_sampled: bool = True


def of_crawl(crawl: str) -> Place:
    """The span in which the command that began a crawl is carried out."""
    return Place(_number(crawl, size=16), _number(crawl, size=8))


def of_url(crawl: str, url: str, *, attempt: int = 1) -> Place:
    """The span in which a URL is fetched."""
    return Place(_number(crawl, url, size=16), _number(crawl, url, str(attempt), size=8))


def first_span(message: Message) -> Place | None:
    """The span with which a trace begins where this message is taken; None: by chance."""
    crawl, payload = message.envelope.crawl, message.payload
    if isinstance(payload, CrawlStart):
        return of_crawl(crawl)
    if not isinstance(payload, PageFetch):
        return None
    place = of_url(crawl, payload.url, attempt=payload.attempt)
    # A host's robots.txt is asked for again and again, always as a first attempt.
    return Place(place.trace_id, _number(message.envelope.id, size=8)) if payload.robots else place


def led_by(message: Message) -> Place | None:
    """The span that led to this message, in a trace of its own; None where there is none."""
    crawl, payload = message.envelope.crawl, message.payload
    if isinstance(payload, CrawlStart):
        return None
    via = payload.via if isinstance(payload, PageFetch) and not payload.robots else None
    return of_url(crawl, via) if via else of_crawl(crawl)


def written(place: Place) -> str:
    """A span as `traceparent`."""
    return f"00-{place.trace_id:032x}-{place.span_id:016x}-{int(place.is_sampled):02x}"


def read(traceparent: str | None) -> Place | None:
    """The span that a `traceparent` names; None for what is none."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found and Place(int(found[1], 16), int(found[2], 16), bool(int(found[3], 16) & 1))


def _number(*words: str, size: int) -> int:
    digest = hashlib.blake2b("\n".join(words).encode("utf-8", "replace"), digest_size=size).digest()
    return int.from_bytes(digest, "big") or 1
