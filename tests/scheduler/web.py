"""A made-up web as a table: what each URL and each robots.txt answers."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from contract.pages import RobotsFetched


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """What a URL of the web answers; `links` of a page, `to` of a redirect. `returned`: it is not asked, see fetch."""

    links: tuple[str, ...] = ()
    status: int = 200
    to: str | None = None
    reason: str = ""
    retry_after_ms: int | None = None
    asked: bool = True
    returned: bool = False


class Web:
    """URLs and what they answer; a list of answers is given out one by one, the last for ever."""

    def __init__(self, pages: dict[str, Any], *, robots: dict[str, Any] | None = None, latency_ms: int = 0) -> None:
        self.pages, self.robots, self.latency_ms = pages, robots or {}, latency_ms
        self.asked: Counter[str] = Counter()
        #: URL → what tells its body; those that are left out have one of their own.
        self.bodies_of: dict[str, str] = {}

    def answer(self, url: str) -> Answering:
        """The next answer of this URL; 404 for what is not in the table."""
        return self._next(url, self.pages.get(url, Answering(status=404)), self._page)

    def verdict(self, host: str) -> RobotsFetched:
        """The next robots.txt of this host: there is none unless the table says otherwise."""
        url = f"{host}/robots.txt"
        plain = RobotsFetched(host=host, url=url, attempt=1, verdict="allow")
        found = self.robots.get(host, plain)
        return self._next(url, found, lambda changes: msgspec.structs.replace(plain, **changes))

    def _next(self, url: str, found: Any, make: Any) -> Any:
        self.asked[url] += 1
        if isinstance(found, list):
            found = found[min(self.asked[url], len(found)) - 1]
        return make(found) if isinstance(found, dict | tuple | set) else found

    @staticmethod
    def _page(links: Iterable[str]) -> Answering:
        return Answering(links=tuple(links))
