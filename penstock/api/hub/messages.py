"""Server-sent events as bytes (WHATWG HTML, 9.2), and the response that carries them.

A message is encoded once for all who get it; only its id is each watcher's own.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

log = logging.getLogger("penstock.api")

#: A comment is sent when this long has gone by, so that nobody between takes the connection for dead.
HEARTBEAT_SECONDS = 15
#: A watcher that takes nothing for this long is let go.
SEND_TIMEOUT_SECONDS = 30
#: The id of the last message; a browser that comes back with it is told to stop.
END = "end"
MEDIA_TYPE = "text/event-stream"
#: Stands in the first event of each stream: who is cut off comes back after this long. Not in a block of its own, which
#: the standard passes over, but which some clients take for an event without data.
_RETRY = b"retry: 1000\n"


def message(event: str, data: Any) -> bytes:
    """One event without an id; JSON has no line breaks of its own."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), msgspec.json.encode(data))


def with_id(id: int | str | None, message: bytes) -> bytes:
    """The same with an id, which a browser gives back as Last-Event-ID when it comes again."""
    return message if id is None else b"id: %b\n%b" % (str(id).encode(), message)


async def _with_retry(messages: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    head = _RETRY
    async with contextlib.aclosing(messages):
        async for block in messages:
            yield head + block
            head = b""


class Events(EventSourceResponse):
    """The response; `messages` are bytes."""

    def __init__(self, messages: AsyncGenerator[bytes]) -> None:
        super().__init__(
            _with_retry(messages),
            ping=HEARTBEAT_SECONDS,
            ping_message_factory=lambda: ServerSentEvent(comment="still here", sep="\n"),
            send_timeout=SEND_TIMEOUT_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send messages until they end, the watcher leaves or takes nothing, or the server ends."""
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.info("a watcher took nothing for %s s; let go", SEND_TIMEOUT_SECONDS, extra={"action": "let_go"})
