"""The identity of a URL. Takes any text, gives one spelling, one fingerprint, one host key; no I/O.

Parsing is WHATWG's (ada-url): default ports dropped, hosts in ASCII, dot segments resolved, reserved characters never
decoded, so that the canonical form of a canonical URL is itself. Source: https://url.spec.whatwg.org/
"""

import hashlib
from functools import lru_cache

import ada_url
import msgspec

#: Bounds of the name system (RFC 1035, section 2.3.4), which WHATWG leaves out.
_LONGEST_NAME, _LONGEST_LABEL = 253, 63


class CanonicalURL(msgspec.Struct, frozen=True):
    """One spelling of a URL: `href` has no fragment and no credentials; `host` is the politeness key.

    `host` is scheme and authority, which is also what a robots.txt speaks for; `port` is empty for the scheme's own.
    """

    href: str
    host: str
    hostname: str
    port: str
    path: str
    query: str


def canonical(text: str) -> CanonicalURL | None:
    """The canonical form, or None for what is not an absolute http or https URL with a host that can exist."""
    try:
        href = ada_url.normalize_url(text)
    except (ValueError, UnicodeError):
        return None
    if not href.startswith(("http://", "https://")):
        return None
    # From here on `scheme://authority/path?query#fragment` holds, so plain cutting does; ada's setters cost three times
    # as much, and this runs for each link.
    href = href.partition("#")[0]
    scheme, _, rest = href.partition("://")
    authority, _, tail = rest.partition("/")
    if "@" in authority:
        authority = authority.rpartition("@")[2]
        href = f"{scheme}://{authority}/{tail}"
    place = _host_and_port(authority)
    if place is None:
        return None
    path, mark, query = tail.partition("?")
    return CanonicalURL(href, f"{scheme}://{authority}", *place, f"/{path}", mark + query)


@lru_cache(maxsize=4_096)
def _host_and_port(authority: str) -> tuple[str, str] | None:
    if authority.startswith("["):
        address, _, port = authority.partition("]")
        return f"{address}]", port.removeprefix(":")
    hostname, _, port = authority.partition(":")
    name = hostname.removesuffix(".")
    if len(name) > _LONGEST_NAME or not all(0 < len(label) <= _LONGEST_LABEL for label in name.split(".")):
        return None
    return hostname, port


def fingerprint(href: str) -> int:
    """64 bits of BLAKE2b of a canonical URL, as a signed integer, which is what Redis packs into an intset."""
    return int.from_bytes(hashlib.blake2b(href.encode(), digest_size=8).digest(), "big", signed=True)


def as_hex(mark: int) -> str:
    """A fingerprint as 16 hex digits, as messages carry it."""
    return f"{mark & 0xFFFF_FFFF_FFFF_FFFF:016x}"
