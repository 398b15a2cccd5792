"""The aiohttp session below httpx: which connections it makes and how long it keeps them.

Takes a resolver and a TLS context; gives the session, which whoever asked for it closes. No cookies, no proxies, and no
connection to an address that is not public, unless the operator allows it.
"""

import asyncio
from functools import partial
from typing import Any

import aiohttp

from scraper.http.connection import Connection
from scraper.http.exchange import NotingRequest
from scraper.http.resolver import PinningResolver, guarded_socket

#: An idle connection is kept this long; must stay above the default delay, or no polite crawl would reuse one.
KEEP_ALIVE_SECONDS = 15.0
#: Looked-up addresses are used for this long.
_NAME_SECONDS = 60


def open_session(resolver: PinningResolver, tls: Any, *, allow_private: bool) -> aiohttp.ClientSession:
    """A session that asks only what `resolver` and `guarded_socket` let through."""
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        socket_factory=None if allow_private else guarded_socket,
        ssl=tls,
        limit=0,  # the stage bounds what is in flight
        ttl_dns_cache=_NAME_SECONDS,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
    )
    factory = partial(Connection, talkers=set(), loop=asyncio.get_running_loop())
    connector._factory = factory  # type: ignore[assignment]
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        request_class=NotingRequest,
        auto_decompress=False,
        trust_env=False,
    )
    # aiohttp would send a GET again whenever its connection breaks; we do so only where it had been idle.
    session._retry_connection = False
    return session
