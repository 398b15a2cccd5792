"""The posts of one process: signed, bounded in time and number, through the client that also fetches pages.

Takes an event and a URL, gives an `Outcome`. Owns the HTTP client, which is imported and opened for the first post: a
recorder that nobody asked for webhooks neither waits for it nor holds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from contract.crawls import DEFAULT_USER_AGENT
from contract.settings import Settings
from contract.topology import NOTIFY
from penstock.webhooks.answers import Outcome, outcome_of_answer, outcome_of_failure
from penstock.webhooks.signature import headers_for, signing_key

if TYPE_CHECKING:
    from scraper.http.client import Client

log = logging.getLogger(NOTIFY.name)

#: A receiver answers within this time, or the post has failed. It should note the event and work on it afterwards.
DEADLINE_SECONDS = 10.0
#: Posts at once of one process; further ones wait.
POSTS_AT_ONCE = 32
#: Posts at once to one receiver. Must stay well below POSTS_AT_ONCE, or a slow receiver holds up the others.
POSTS_A_RECEIVER = 4


class Sender:
    """Posts events; close it at the end. Raises `Refused` for a secret that is none."""

    def __init__(self, settings: Settings, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._settings, self._deadline_seconds = settings, deadline_seconds
        self._key = signing_key(settings.webhook_secret)
        self._client: Client | None = None
        self._opening = asyncio.Lock()
        self._at_once = asyncio.Semaphore(POSTS_AT_ONCE)
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._users = Counter[str]()

    async def close(self) -> None:
        """Close all connections."""
        if self._client:
            await self._client.close()

    @contextlib.asynccontextmanager
    async def turn(self, receiver: str) -> AsyncIterator[None]:
        """A place among the posts at once: the receiver's own first, so that who waits for it takes nobody's place."""
        self._users[receiver] += 1
        try:
            own = self._turns.setdefault(receiver, asyncio.Semaphore(POSTS_A_RECEIVER))
            async with own, self._at_once:
                yield
        finally:
            self._users[receiver] -= 1
            if not self._users[receiver]:
                del self._users[receiver], self._turns[receiver]

    async def post(self, url: str, id: str, event: bytes) -> Outcome:
        """Post the event, CloudEvents JSON, once."""
        client = self._client or await self._opened()
        from scraper.errors import FetchError
        from scraper.http.headers import retry_after_ms
        from scraper.verdicts import verdict_on

        headers = {
            "User-Agent": DEFAULT_USER_AGENT,
            "Accept-Encoding": "identity",
            "Content-Type": "application/cloudevents+json",
            **headers_for(id, event, key=self._key, at=int(time.time())),
        }
        try:
            answer = await client.post(url, body=event, headers=headers, deadline_seconds=self._deadline_seconds)
        except FetchError as error:
            return outcome_of_failure(error.reason, verdict_on(error).webhook)
        asked = retry_after_ms(answer.header("retry-after"), now=time.time())
        return outcome_of_answer(answer.status, retry_after_ms=asked)

    async def _opened(self) -> Client:
        async with self._opening:
            if self._client is None:
                client_class = await asyncio.to_thread(_client_class)
                self._client = client_class(self._settings)
                if not self._key:
                    log.warning(
                        "webhooks are not signed: receivers cannot tell who posts; set PENSTOCK_WEBHOOK_SECRET",
                        extra={"action": "unsigned"},
                    )
            return self._client


def _client_class() -> type[Client]:
    from scraper.http.client import Client

    return Client
