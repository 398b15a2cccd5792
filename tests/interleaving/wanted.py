"""What people want in a story: crawls, and what they have been told of them."""

from __future__ import annotations

from contract.crawls import CrawlSpec


class Crawl:
    """What a person has asked for."""

    def __init__(self, id: str, spec: CrawlSpec, seeds: list[str]) -> None:
        self.id, self.spec, self.seeds = id, spec, seeds
        #: Seeds that were added, of which nobody can say whether the crawl ended before they came.
        self.maybe: list[str] = []
        self.is_cancelled = self.is_paused = False
        #: When the sender began to send what was taken in the end, all of it; or why some was not.
        self.sent_at, self.refused = -1.0, ""

    def __repr__(self) -> str:
        s = self.spec
        robots = "obeys robots.txt" if s.obey_robots else "ignores robots.txt"
        return f"{self.id}: delay {s.delay_seconds:g} s, {s.per_host} a host, {robots}, {len(self.seeds)} seeds"

    def told(self, refused: str | None, sent_at: float) -> None:
        """The sender has its answer."""
        self.refused, self.sent_at = refused or "", -1.0 if refused else sent_at
