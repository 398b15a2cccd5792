"""Progress of what is recorded: part `record` of each crawl, read from SQL, so that it is true after any restart.

Its numbers are `fetched`, `failed`, `excluded`, `retried`, `parsed`, `items`, `bytes`, `statuses` ({"200": n}),
`reasons` ({word: n}), `latest` ([{url, status, title}]), and `complete`, true once all that the crawl ended with is in
SQL.
Beside it each recorder has a part of its own, `recent.<recorder>`: what it saw in the last seconds
(`storage.read_models.recent`).
"""

import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from contract.bus import Bus
from contract.envelope import Message
from contract.pages import PageFailed, PageFetched
from contract.progress import INTERVAL_SECONDS, Part
from storage.read_models import queries
from storage.read_models.projections.rows import Row
from storage.read_models.recent import Recent
from storage.sql.threads import in_thread

log = logging.getLogger("storage.record")

#: How many pages are named.
LATEST = 5
#: A crawl is read again this often without news from here: another recorder may have written its last event.
RECHECK_SECONDS = 1.0
#: … for this long.
RECHECK_FOR_SECONDS = 10.0
#: What the last seconds brought is worked out this often.
RECENT_SECONDS = 0.5


class _Watch(msgspec.Struct):
    """What this recorder knows of one crawl: what is not said yet, since when, and until when to look again."""

    latest: deque[dict[str, Any]]
    recent: Recent
    is_news: bool = True
    said_at: float = 0.0
    recent_at: float = 0.0
    until: float = 0.0


class Reporter:
    """Publishes the totals of the crawls that a recorder writes; `word` tells it from other recorders."""

    def __init__(self, bus: Bus, engine: Engine, *, word: str) -> None:
        self._part, self._recent, self.engine = Part(bus, "record"), Part(bus, f"recent.{word}"), engine
        self._watched: dict[str, _Watch] = {}
        self._is_asked = False

    def __repr__(self) -> str:
        return f"<Reporter {len(self._watched)} crawls watched>"

    @property
    def has_news(self) -> bool:
        """Whether something is recorded that has not been said."""
        return any(watch.is_news for watch in self._watched.values())

    def begin_anew(self) -> None:
        """Redis has lost what was said: say it again soon."""
        self._is_asked = True

    async def begin_if_asked(self) -> None:
        """Say again where each unfinished crawl stands, if Redis has lost it."""
        if self._is_asked:
            self._is_asked = False
            await self.begin()

    async def begin(self) -> None:
        """Say where each unfinished crawl stands."""
        for crawl in await in_thread(queries.incomplete, self.engine):
            self._watch(crawl)
        await self.publish()

    def note(self, pages: Sequence[Row], messages: Iterable[Message]) -> None:
        """Remember that the crawls of these recorded messages have news, and these pages were touched last."""
        now, watches = time.monotonic(), dict[str, _Watch]()
        for message in messages:
            crawl = message.envelope.crawl
            watch = watches.get(crawl) or watches.setdefault(crawl, self._watch(crawl))
            if isinstance(message.payload, PageFetched | PageFailed):
                watch.recent.add(message.payload, now=now)
        for page in pages[-LATEST:]:
            if page["outcome"] and page["crawl"] in self._watched:
                _put(self._watched[page["crawl"]].latest, page)

    def _watch(self, crawl: str) -> _Watch:
        now = time.monotonic()
        watch = self._watched.setdefault(crawl, _Watch(deque(maxlen=LATEST), Recent(now)))
        watch.is_news, watch.until = True, now + RECHECK_FOR_SECONDS
        return watch

    async def publish(self, *, at_once: bool = False) -> None:
        """Say what is due: news after INTERVAL_SECONDS, or at once."""
        now = time.monotonic()
        for crawl, watch in list(self._watched.items()):
            pause = INTERVAL_SECONDS if watch.is_news else RECHECK_SECONDS
            if now - watch.said_at >= pause or (at_once and watch.is_news):
                await self._publish_one(crawl, watch)

    async def _publish_one(self, crawl: str, watch: _Watch) -> None:
        try:
            numbers = await in_thread(queries.progress, self.engine, crawl)
        except DBAPIError as error:
            log.debug("no progress for now: %s", error)
            return
        watch.is_news, watch.said_at = False, time.monotonic()
        complete = bool(numbers.get("complete"))
        if complete or watch.said_at - watch.recent_at >= RECENT_SECONDS:
            watch.recent_at = watch.said_at
            await self._recent.publish(crawl, watch.recent.numbers(now=watch.said_at), last=True)
        await self._part.publish(crawl, {**numbers, "latest": list(watch.latest)}, last=True)
        if complete or watch.said_at > watch.until:
            del self._watched[crawl]


def _put(latest: deque[dict[str, Any]], page: Row) -> None:
    """A page is touched twice, by its fetch and by its parse; the later one knows more."""
    shown = {"url": page["url"], "status": page["status"], "title": page["title"]}
    for place, known in enumerate(latest):
        if known["url"] == shown["url"]:
            latest[place] = shown
            return
    latest.append(shown)
