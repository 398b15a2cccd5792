"""How a URL enters the frontier's scripts: a candidate, with its identity, its job, and the reason against it."""

from __future__ import annotations

import msgspec

from scheduler.urls import CanonicalURL, as_hex, mark_of

#: The bits of a fingerprint that choose its bucket in the largest generation of the seen set.
_BUCKET_BITS = 0x3FFFFF


class Candidate(msgspec.Struct, frozen=True):
    """A URL that may be added. `job` is JSON of `page.fetch`; `reason` is empty where nothing is against it."""

    mark: int
    host: str
    depth: int
    job: bytes
    reason: str = ""

    def as_args(self) -> list[str | int | bytes]:
        """The six arguments of one link, as `admit.lua` takes them."""
        return [*as_seen(self.mark), self.host, self.depth, member(self.mark, 1, self.job), self.reason]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded outcome, as `restore_pages.lua` takes it; `job` is the next attempt's where `kind` is retry."""

    mark: int
    host: str
    depth: int
    kind: str
    attempt: int
    read: bool = False
    block_until: int = 0
    retry_in_ms: int = 0
    job: bytes = b""

    def as_args(self) -> list[str | int | bytes]:
        """The ten arguments of one page."""
        facts = (self.kind, self.attempt, int(self.read), self.block_until, self.retry_in_ms)
        return [*as_seen(self.mark), self.host, self.depth, *facts, self.job or as_hex(self.mark)]


def as_seen(mark: int) -> tuple[int, int]:
    """A fingerprint as `seen.lua` takes it: whole, and the bits that choose its bucket."""
    return mark, mark & _BUCKET_BITS


def member(mark: int, attempt: int, job: bytes) -> bytes:
    """A job as it stands in a queue."""
    return f"{as_hex(mark)}.{attempt}|".encode() + job


def candidate(
    url: CanonicalURL,
    *,
    identity: int,
    depth: int,
    hops: int = 0,
    via: str | None = None,
    reason: str = "",
    chain: tuple[str, ...] = (),
) -> Candidate:
    """The candidate for one canonical URL, by this version of identity."""
    mark = mark_of(url, identity, came_from=via if hops else None)
    job = job_data(url.href, url.host, mark, depth=depth, hops=hops, via=via, chain=chain)
    return Candidate(mark, url.host, depth, job, reason)


def job_data(
    href: str,
    host: str,
    mark: int,
    *,
    depth: int,
    hops: int,
    via: str | None,
    attempt: int = 0,
    chain: tuple[str, ...] = (),
    refusals: int = 0,
) -> bytes:
    """JSON of a `page.fetch`; what has its default value is not spelled, to keep queues small."""
    data: dict[str, str | int | tuple[str, ...]] = {
        "url": href,
        "host": host,
        "fingerprint": as_hex(mark),
        "depth": depth,
    }
    if hops:
        data["hops"] = hops
    if via:
        data["via"] = via
    if attempt:
        data["attempt"] = attempt
    if chain:
        data["chain"] = chain
    if refusals:
        data["refusals"] = refusals
    return msgspec.json.encode(data)
