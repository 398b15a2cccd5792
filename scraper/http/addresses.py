"""Which addresses may be fetched from, checked where it counts: on the address that is really connected to.

`is_public` is the rule. `PinningResolver` refuses a name as soon as one of its answers is not public, and what it
returns is what gets connected to, so that a name cannot change its mind in between. `guarded_socket` checks once more,
and also sees the addresses that were written into a URL, for which no resolver is asked.
"""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ada_url
from aiohttp.abc import AbstractResolver, ResolveResult

from scraper.errors import BlockedAddress, DnsFailed, DnsNotFound, InvalidUrl

#: More answers than this to one name are ignored (and not connected to).
MOST_ANSWERS = 16
#: Names that are looked up at the same time. getaddrinfo blocks its thread, for tens of seconds where a server is mute.
LOOKUPS = 32

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NEVER = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"),
            *("240.0.0.0/4", "168.63.129.16/32", "fec0::/10", "fc00::/7"),
        ),
    )
)
#: Networks whose addresses hold an IPv4 address: (network, bits to the right of it, mask for Teredo's inversion).
_HOLDERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0, 0),
    (ipaddress.IPv6Network("::/96"), 0, 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0, 0),
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0, 0),
    (ipaddress.IPv6Network("2002::/16"), 80, 0),
    (ipaddress.IPv6Network("2001::/32"), 0, 0xFFFFFFFF),
)
#: Ports that browsers refuse (the Fetch standard's "bad ports"), and those of common databases: none is the web.
BAD_PORTS = frozenset(
    (
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109),
        *(110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530),
        *(531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3306, 3659),
        *(
            4045,
            4190,
            5060,
            5061,
            5432,
            6000,
            6379,
            6566,
            6665,
            6666,
            6667,
            6668,
            6669,
            6679,
            6697,
            10080,
            11211,
            27017,
        ),
    )
)


def is_public(address: str) -> bool:
    """Whether an IP address, in its usual spelling, belongs to the public internet; False for what is no address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _is_public(found)


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        for network, shift, mask in _HOLDERS:
            if address in network:
                return _is_public(ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF ^ mask))
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _NEVER if network.version == address.version)


def check_url(url: str, *, allow_private: bool) -> str:
    """The URL in the spelling that is sent, without credentials and fragment.

    Raises `InvalidUrl` for what is not http or https, `BlockedAddress` for a literal address or a port that is not to
    be asked. Names are left to the resolver.
    """
    try:
        parsed = ada_url.URL(url)
    except (ValueError, UnicodeError):
        raise InvalidUrl("this is not a URL", asked=False) from None
    if parsed.protocol not in ("http:", "https:"):
        raise InvalidUrl(f"cannot fetch {parsed.protocol} URLs", asked=False)
    if not allow_private:
        _check_host(parsed)
    parsed.username = parsed.password = parsed.hash = ""
    return str(parsed.href)


def _check_host(parsed: ada_url.URL) -> None:
    if parsed.port and int(parsed.port) in BAD_PORTS:
        raise BlockedAddress(f"port {parsed.port} is not one for web pages", asked=False)
    host = parsed.hostname.strip("[]")
    if parsed.host_type != ada_url.HostType.DEFAULT and not is_public(host):
        raise _blocked()


def _blocked() -> BlockedAddress:
    return BlockedAddress("a non-public address; it takes the setting allow_private to fetch from there", asked=False)


def guarded_socket(info: Any) -> socket.socket:
    """A socket for one resolved address (aiohttp's `socket_factory`); raises `BlockedAddress` unless it is public."""
    family, kind, protocol, _, address = info
    if not is_public(address[0]):
        raise _blocked()
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
            raise _blocked()
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


def host_key(url: str) -> str:
    """What politeness is counted by: scheme and authority of a URL, in their canonical spelling."""
    parsed = ada_url.URL(url)
    return f"{parsed.protocol}//{parsed.host}"
