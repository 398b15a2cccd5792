"""Requests that change something are not taken from another site's page (cross-site request forgery).

A browser says where a request comes from: `Sec-Fetch-Site`, and older ones `Origin`. A program says neither.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from penstock.api.problems import answer

_SAFE = ("GET", "HEAD", "OPTIONS")


class Origins:
    """Answers 403 to what another site's page sends."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in _SAFE or _is_ours(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        await answer(403, "not from the page of another site", word="cross-site")(scope, receive, send)


def _is_ours(headers: Headers) -> bool:
    if site := headers.get("sec-fetch-site"):
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
