"""How much may be sent: what says so beforehand is not waited for, what does not is counted as it comes."""

from __future__ import annotations

import asyncio
import contextlib

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.api.problems import answer

#: Some 100,000 seeds. A body is held in memory as a whole, and read in one go.
MOST_BYTES = 4 * 1024 * 1024
#: So long a client that sends on is listened to, and nothing kept: cut off at once, it would not read the answer.
_LINGER_SECONDS = 1.0


class Bodies:
    """Answers 413 to a body that is larger."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not (length.isdigit() and int(length) > MOST_BYTES):
            counting = _Counting(receive, send)
            await self.app(scope, counting.receive, counting.send)
            if not counting.is_too_long:
                return
        await _refuse(scope, receive, send)


class _Counting:
    """The way to and from the application; what it answers to a body that is too long is kept back."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send, self._left = receive, send, MOST_BYTES

    @property
    def is_too_long(self) -> bool:
        return self._left < 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self.is_too_long:
            raise HTTPException(413)  # which a route's reading of its body lets pass
        return message

    async def send(self, message: Message) -> None:
        if not self.is_too_long:
            await self._send(message)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    async def send_not_ending(message: Message) -> None:
        await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

    response = answer(413, f"a body has at most {MOST_BYTES:,} bytes", headers={"Connection": "close"})
    await response(scope, receive, send_not_ending)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while (await receive()).get("more_body"):
                pass
    await send({"type": "http.response.body", "body": b""})
