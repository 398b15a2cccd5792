"""Which addresses may be fetched from, checked where it counts: on the address that is really connected to.

`is_public` is the rule. Here are its pure functions; `scraper.http.resolver` holds to it whatever is connected to.
"""

import ipaddress

import ada_url

from scraper.errors import BlockedAddress, InvalidUrl

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: What Python's `ipaddress` calls global, or may call so in some version, and is not: the special-purpose registries of
#: IANA (RFC 6890), among them the local NAT64 prefix (RFC 8215), whatever address stands in it, and the documentation
#: prefix of RFC 9637.
_NEVER = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"),
            *("240.0.0.0/4", "168.63.129.16/32", "fec0::/10", "fc00::/7"),
            *("64:ff9b:1::/48", "3fff::/20"),
        ),
    )
)
#: Networks whose addresses hold an IPv4 address: (network, bits to the right of it, mask for Teredo's inversion).
_HOLDERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0, 0),
    (ipaddress.IPv6Network("::/96"), 0, 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0, 0),
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
        raise blocked()


def blocked() -> BlockedAddress:
    """The error of an address that is not public."""
    return BlockedAddress("a non-public address; it takes the setting allow_private to fetch from there", asked=False)


def host_key(url: str) -> str:
    """What politeness is counted by: scheme and authority of a URL, in their canonical spelling.

    A dot behind the name is no part of it: it is the same host.
    """
    parsed = ada_url.URL(url)
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.protocol}//{parsed.hostname.removesuffix('.')}{port}"
