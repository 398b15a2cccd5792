"""Who asks: a bearer token, or the cookie of a session that was begun with it.

The cookie does not hold the token, but what only who knows the token can compute of it (HMAC). Comparisons take the
same time wherever the two differ.
"""

from __future__ import annotations

import hashlib
import hmac

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from penstock.api.problems import answer

COOKIE = "penstock_session"
#: What anybody may ask for: is it alive, the dashboard's files, and the way to show the token.
_OPEN = ("/healthz", "/readyz", "/", "/session", "/favicon.ico")
_OPEN_BELOW = "/static/"


class Tokens:
    """Answers 401 to whoever does not show the token; without one nothing is asked."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self.app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or _is_open(scope["path"]) or shows(self._token, Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        detail = "show the token: Authorization: Bearer TOKEN, or POST /session in a browser"
        response = answer(401, detail, word="token", headers={"WWW-Authenticate": "Bearer"})
        await response(scope, receive, send)


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(_OPEN_BELOW)


def shows(token: str, headers: Headers) -> bool:
    """Whether these headers show the token, or there is none to be shown."""
    if not token:
        return True
    scheme, _, word = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and is_token(token, word.strip()):
        return True
    return any(
        hmac.compare_digest(session_of(token).encode(), _bytes(cookie_parser(line).get(COOKIE, "")))
        for line in headers.getlist("cookie")
    )


def is_token(token: str, shown: str) -> bool:
    """Whether what was shown is the token; takes as long whatever it is."""
    return hmac.compare_digest(hashlib.sha256(_bytes(shown)).digest(), hashlib.sha256(_bytes(token)).digest())


def session_of(token: str) -> str:
    """What the cookie of a session holds."""
    return hmac.new(_bytes(token), b"penstock session", hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
