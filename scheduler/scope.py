"""Which URLs may belong to a crawl. Pure: takes a specification and its places, says None or the reason against.

A place is what a seed brings into scope: its host, or the domain that somebody registered.

Reasons: `scheme`, `scope`, `deny`, `allow`, `depth`, `url_too_long`, `trap`, `too_many_redirects`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence

from contract.crawls import CrawlSpec
from contract.errors import Refused
from scheduler.patterns import Patterns
from scheduler.suffixes import registered_domain
from scheduler.urls import CanonicalURL

log = logging.getLogger("scheduler.scope")

#: A path with more segments than this is taken for a trap that makes up its own links, and one in which the same
#: segments stand this often in a row. Elsewhere in a path a segment may come back: `/region/0/area/0/zone/0`.
MOST_SEGMENTS, MOST_REPEATS = 40, 5
#: More parameters than this in a query is taken for a faceted search that multiplies itself; real forms have dozens.
MOST_PARAMETERS = 100


class Scope:
    """The rule of one crawl.

    Patterns that cannot be searched do not stop other crawls: such an `allow` allows nothing, such a `deny` denies all.
    New crawls with them are refused (`scheduler.patterns.check_patterns`); one that is recorded may still have them.
    """

    def __init__(self, spec: CrawlSpec, places: Collection[str] = ()) -> None:
        self.spec = spec
        self._allow, self._deny = _usable(spec.allow, "allow"), _usable(spec.deny, "deny")
        self._places = frozenset(places)

    def reason_against(self, url: CanonicalURL, *, depth: int, hops: int = 0, seed: bool = False) -> str | None:
        """Why this URL is left out, or None; a seed needs no scope and no allow pattern."""
        spec = self.spec
        if len(url.href) > spec.max_url_length:
            return "url_too_long"
        if hops > spec.max_hops:
            return "too_many_redirects"
        if spec.max_depth and depth > spec.max_depth:
            return "depth"
        if self._deny is None or self._deny.match(url.href):
            return "deny"
        if seed:
            return None
        if spec.scope != "any" and self.place(url) not in self._places:
            return "scope"
        if self._allow is None or (self._allow and not self._allow.match(url.href)):
            return "allow"
        return "trap" if looks_like_a_trap(url) else None

    def place(self, url: CanonicalURL) -> str:
        """The place of this URL, by which a crawl's seeds widen its scope."""
        # http and https, with or without www., are one place to people: a seed that redirects there stays in scope.
        is_of_before = self.spec.identity < 2
        hostname = url.hostname if is_of_before else url.hostname.removesuffix(".")
        if self.spec.scope == "domain":
            return registered_domain(hostname, unlisted=not is_of_before)
        return f"{hostname.removeprefix('www.')}:{url.port}"


def looks_like_a_trap(url: CanonicalURL) -> bool:
    """Whether a URL has the marks of an endless site: very deep, one segment again and again, swarms of parameters."""
    segments = [segment for segment in url.path.split("/") if segment]
    if len(segments) > MOST_SEGMENTS or url.query.count("&") >= MOST_PARAMETERS:
        return True
    if len(segments) < MOST_REPEATS or max(Counter(segments).values()) < MOST_REPEATS:
        return False
    return any(_repeats(segments, size) for size in range(1, len(segments) // MOST_REPEATS + 1))


def _repeats(segments: Sequence[str], size: int) -> bool:
    """Whether so many segments stand MOST_REPEATS times in a row."""
    in_row = 0
    for here, later in zip(segments, segments[size:], strict=False):
        in_row = in_row + 1 if here == later else 0
        if in_row == size * (MOST_REPEATS - 1):
            return True
    return False


def _usable(patterns: Sequence[str], what: str) -> Patterns | None:
    try:
        return Patterns(patterns, what)
    except Refused as error:
        log.warning("a crawl goes on without new URLs: %s", error, extra={"action": "pattern_unusable"})
        return None
