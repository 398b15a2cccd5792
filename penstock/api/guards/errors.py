"""What nobody foresaw: logged with its traceback, and answered as a problem without one."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.api.problems import answer

log = logging.getLogger("penstock.api")


class Errors:
    """Answers 500 for an exception, unless the answer has begun: then the connection is cut."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except Exception:
            if scope["type"] != "http" or has_begun:
                raise
            log.exception("a request failed: %s %s", scope["method"], scope["path"], extra={"action": "failed"})
            response = answer(500, "something went wrong here; the server's log says what")
            await response(scope, receive, send)
