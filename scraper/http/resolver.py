"""Names to addresses, and addresses to sockets: nothing that is not public is ever connected to.

`PinningResolver` refuses a name as soon as one of its answers is not public, and what it returns is what gets connected
to, so that a name cannot change its mind in between. `guarded_socket` checks once more, and also sees the addresses
that were written into a URL, for which no resolver is asked.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from scraper.errors import DnsFailed, DnsNotFound, InvalidUrl
from scraper.http.addresses import blocked, is_public

#: More answers than this to one name are ignored (and not connected to).
MOST_ANSWERS = 16
#: Names that are looked up at the same time. getaddrinfo blocks its thread, for tens of seconds where a server is mute.
LOOKUPS = 32


def guarded_socket(info: Any) -> socket.socket:
    """A socket for one resolved address (aiohttp's `socket_factory`); raises `BlockedAddress` unless it is public."""
    family, kind, protocol, _, address = info
    if not is_public(address[0]):
        raise blocked()
    return socket.socket(family, kind, protocol)


class PinningResolver(AbstractResolver):
    """Looks names up in threads; raises `BlockedAddress` where any of the answers is not public."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name, at most MOST_ANSWERS; raises `DnsNotFound` or `DnsFailed` where there are none."""
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._threads, _look_up, host, port, family)
        except socket.gaierror as error:
            raise _dns_error(error) from error
        except UnicodeError as error:
            raise InvalidUrl("the host is not a name that can be looked up", asked=False) from error
        if not self._allow_private and not all(is_public(answer["host"]) for answer in answers):
            raise blocked()
        return answers[:MOST_ANSWERS]

    async def close(self) -> None:
        """Let go of the threads, without waiting for a name server."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: int) -> list[ResolveResult]:
    found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=port,
            family=family,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for family, _, protocol, _, address in found
    ]


def _dns_error(error: socket.gaierror) -> DnsNotFound | DnsFailed:
    missing = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
    kind = DnsNotFound if error.errno in missing else DnsFailed
    return kind(f"cannot look up the host: {error.strerror}", asked=False)
