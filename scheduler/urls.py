"""The identity of a URL. Takes any text, gives one spelling, one fingerprint, one host key; no I/O.

Parsing is WHATWG's (ada-url): default ports dropped, hosts in ASCII, dot segments resolved, reserved characters never
decoded, so that the canonical form of a canonical URL is itself. Source: https://url.spec.whatwg.org/
"""

import hashlib

import ada_url
import msgspec


class CanonicalURL(msgspec.Struct, frozen=True):
    """One spelling of a URL: `href` has no fragment and no credentials; `host` is the politeness key."""

    href: str
    scheme: str
    hostname: str
    port: str
    path: str
    query: str

    @property
    def host(self) -> str:
        """The host key: scheme and authority, which is also what a robots.txt speaks for."""
        return f"{self.scheme}://{self.hostname}{f':{self.port}' if self.port else ''}"


def canonical(text: str) -> CanonicalURL | None:
    """The canonical form, or None for what is not an absolute http or https URL with a host."""
    try:
        url = ada_url.URL(text)
        if url.protocol not in ("http:", "https:") or not url.hostname:
            return None
        url.hash = ""
        url.username = url.password = ""
    except (ValueError, UnicodeError):
        return None
    return CanonicalURL(url.href, url.protocol[:-1], url.hostname, url.port, url.pathname, url.search)


def fingerprint(href: str) -> int:
    """64 bits of BLAKE2b of a canonical URL, as a signed integer, which is what Redis packs into an intset."""
    return int.from_bytes(hashlib.blake2b(href.encode(), digest_size=8).digest(), "big", signed=True)


def as_hex(mark: int) -> str:
    """A fingerprint as 16 hex digits, as messages carry it."""
    return f"{mark & 0xFFFF_FFFF_FFFF_FFFF:016x}"
