"""The identity of a URL. Takes any text, gives one spelling, one fingerprint, one host key; no I/O.

Parsing is WHATWG's (ada-url): default ports dropped, hosts in ASCII, dot segments resolved, reserved characters never
decoded, so that the canonical form of a canonical URL is itself. Source: https://url.spec.whatwg.org/
A URL is sent in its canonical form; which of these forms are one URL is up to the version of a crawl's identity.
"""

import hashlib
import re
from functools import lru_cache

import ada_url
import msgspec

from contract.percent import one_spelling

#: Bounds of the name system (RFC 1035, section 2.3.4), which WHATWG leaves out.
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_ESCAPED = re.compile("(?:%[0-9A-Fa-f]{2})+")


class CanonicalURL(msgspec.Struct, frozen=True):
    """One spelling of a URL: `href` has no fragment and no credentials; `host` is the politeness key.

    `host` is scheme and authority, which is also what a robots.txt speaks for; a dot behind the name, which `hostname`
    has as found, is no part of it. `port` is empty for the scheme's own.
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
    place = _host_and_port(scheme, authority)
    if place is None:
        return None
    path, mark, query = tail.partition("?")
    return CanonicalURL(href, *place, f"/{path}", mark + query)


@lru_cache(maxsize=4_096)
def _host_and_port(scheme: str, authority: str) -> tuple[str, str, str] | None:
    if authority.startswith("["):
        address, _, port = authority.partition("]")
        return f"{scheme}://{authority}", f"{address}]", port.removeprefix(":")
    hostname, colon, port = authority.partition(":")
    name = hostname.removesuffix(".")
    if len(name) > _LONGEST_NAME or not all(0 < len(label) <= _LONGEST_LABEL for label in name.split(".")):
        return None
    return f"{scheme}://{name}{colon}{port}", hostname, port


def mark_of(url: CanonicalURL, identity: int, *, came_from: str | None = None) -> int:
    """The fingerprint of what this URL is, by this version of identity.

    `came_from` is what redirected here. A host may redirect from one spelling of a URL to another one; to it they are
    two, so the second has a fingerprint of its own, or its page would count as known and be lost.
    """
    text = _identified(url, identity)
    if came_from is not None and came_from != url.href:
        before = canonical(came_from)
        if before and _identified(before, identity) == text:
            text = f"{url.href}#"
    return fingerprint(text)


def same_url(one: str, other: CanonicalURL, identity: int) -> bool:
    """Whether a text is a spelling of this URL."""
    place = canonical(one)
    return place is not None and _identified(place, identity) == _identified(other, identity)


def _identified(url: CanonicalURL, identity: int) -> str:
    if identity < 2:
        return url.href
    return one_spelling(f"{url.host}{url.path}{url.query}" if url.hostname.endswith(".") else url.href)


def decoded(href: str) -> str:
    """A canonical URL as people read it: escaped UTF-8 as its characters, the host's name in its own letters."""
    start, slashes, rest = href.partition("://")
    authority, slash, tail = rest.partition("/")
    if "xn--" in authority:
        name, colon, port = authority.partition(":")
        authority = f"{ada_url.idna_to_unicode(name)}{colon}{port}"
    if "%" in tail:
        tail = _ESCAPED.sub(_read, tail)
    return f"{start}{slashes}{authority}{slash}{tail}"


def _read(escaped: re.Match[str]) -> str:
    try:
        return bytes.fromhex(escaped[0].replace("%", "")).decode()
    except UnicodeDecodeError:  # of another encoding, or half a character
        return escaped[0]


def fingerprint(href: str) -> int:
    """64 bits of BLAKE2b of a text that stands for a URL, signed, as Redis packs it into an intset."""
    return int.from_bytes(hashlib.blake2b(href.encode(), digest_size=8).digest(), "big", signed=True)


def as_hex(mark: int) -> str:
    """A fingerprint as 16 hex digits, as messages carry it."""
    return f"{mark & 0xFFFF_FFFF_FFFF_FFFF:016x}"
