"""The Host header: a page of another site can make its own name lead to our address (DNS rebinding), and would then be
our page's equal. It cannot make a browser send a name that we know, or an address.
"""

from __future__ import annotations

import ipaddress
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from penstock.api.problems import answer

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]\s/@]+)(?::\d{1,5})?")


class Names:
    """Lets requests pass that ask for `localhost`, for an address, or for one of `known` names."""

    def __init__(self, app: ASGIApp, *, known: tuple[str, ...]) -> None:
        self.app = app
        self._known = {"localhost", *(name.lower().rstrip(".") for name in known)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket") or self._is_known(Headers(scope=scope).getlist("host")):
            await self.app(scope, receive, send)
            return
        detail = "this server is not known by the name it was asked for; PENSTOCK_API_NAMES lists further names"
        await answer(421, detail, word="unknown-host")(scope, receive, send)

    def _is_known(self, hosts: list[str]) -> bool:
        found = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if found is None:
            return False
        name = found[1].lower().rstrip(".")
        return name in self._known or _is_address(name.strip("[]"))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
