"""Seeds as people give them: on the command line, in a file, or on standard input, one a line.

Takes texts, gives canonical URLs, duplicates dropped; raises `Refused` with one line that says what, where and how to
mend it, before anything is started.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import ipaddress
import itertools
import re
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from contract.errors import Refused
from scheduler.urls import CanonicalURL, canonical
from scraper.errors import FetchError
from scraper.http.addresses import check_url, is_public

#: Names looked up before a start; a longer list is looked up by the crawl itself.
MOST_LOOK_UPS = 20
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):")
_CREDENTIALS = re.compile(r"^https?:[/\\]*[^/\\?#]*@", re.IGNORECASE)
_STANDARD_INPUT = "-"


def seed_urls(texts: Iterable[str], *, file: str | None) -> list[str]:
    """The canonical URLs of the command line's seeds and the file's (`-`: standard input's), in their order.

    Says so on standard error where a user name and password are left out of a URL.
    """
    given = ((text, repr(text)) for text in texts)
    found: dict[str, None] = {}
    bare: list[str] = []
    for text, where in itertools.chain(given, _lines(file) if file else ()):
        href = canonical_url(text, where=where).href
        found[href] = None
        if _CREDENTIALS.match(text):
            bare.append(href)
    if bare:
        more = f" and {len(bare) - 1:,} more" if len(bare) > 1 else ""
        print(f"penstock: user names and passwords in URLs are not sent: {bare[0]}{more}", file=sys.stderr)
    return list(found)


def _lines(file: str) -> Iterator[tuple[str, str]]:
    named = "standard input" if file == _STANDARD_INPUT else file
    try:
        with _standard_input() if file == _STANDARD_INPUT else Path(file).open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                text = line.strip()
                if text and not text.startswith("#"):
                    yield text, f"{named}:{number}: {text[:200]!r}"
    except UnicodeDecodeError:
        raise Refused(f"{named} is not text in UTF-8; seeds are one URL a line") from None
    except OSError as error:
        raise Refused(f"cannot read the seeds file {file}: {error.strerror or error}") from None


@contextlib.contextmanager
def _standard_input() -> Iterator[TextIO]:
    if sys.stdin is None:
        raise Refused("there is no standard input to read seeds from")
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig")
    try:
        yield lines
    finally:
        lines.detach()  # it is not ours to close


def given_urls(texts: Iterable[str]) -> list[str]:
    """The canonical URLs of seeds that a program gives; the `field` of what is `Refused` says which is none."""
    urls = (canonical_url(text, where=repr(text[:200]), field=f"seeds.{number}") for number, text in enumerate(texts))
    return list(dict.fromkeys(url.href for url in urls))


def canonical_url(text: str, *, where: str, field: str = "seeds") -> CanonicalURL:
    """The URL that a text is; raises `Refused`, which names `where` it stood, and how to mend it."""
    url = canonical(text)
    if url is not None:
        return url
    if guess := _guess(text):
        raise Refused(f"{where} is not a URL; did you mean {guess}?", field=field)
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise Refused(f"{where} cannot be crawled: only http and https can", field=field)
    raise Refused(f"{where} is not a URL; one is like https://example.com/", field=field)


def _guess(text: str) -> str | None:
    """The URL that lacks only its scheme: http on this machine, https elsewhere."""
    scheme = _SCHEME.match(text)
    port = text[scheme.end() :][:1] if scheme else "0"
    place = canonical(f"http://{text}") if port.isdigit() else None
    if place is None:
        return None
    if is_loopback(place.hostname):
        return place.href
    secure = canonical(f"https://{text}")
    return secure.href if secure and "." in place.hostname else None


def is_loopback(hostname: str) -> bool:
    """Whether a name or address is this machine's own, as far as it says so itself."""
    if hostname == "localhost" or hostname.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(hostname.strip("[]")).is_loopback
    except ValueError:
        return False


async def check_reachable(urls: list[str], *, allow_private: bool) -> None:
    """Raise `Refused` where no seed can be crawled: a private address, or names that do not resolve.

    One bad seed among good ones is left to the crawl, which gives it its outcome.
    """
    some = urls[:MOST_LOOK_UPS]
    reasons = await asyncio.gather(*(_reason_against(url, allow_private=allow_private) for url in some))
    if some and len(some) == len(urls) and all(reasons):
        raise Refused(str(reasons[0]), field="seeds")


async def _reason_against(url: str, *, allow_private: bool) -> str | None:
    private = f"{url} is a private address; allow these with --allow-private, if the network is yours"
    try:
        check_url(url, allow_private=allow_private)
    except FetchError as error:
        return private if error.reason == "blocked_address" else f"{url}: {error}"
    place = canonical(url)
    hostname = place.hostname.strip("[]") if place else ""
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(hostname, None, type=socket.SOCK_STREAM)
    except OSError:
        return f"{url}: the host name {hostname!r} does not resolve; look for a typo, or at the network"
    addresses = [str(answer[4][0]) for answer in answers]
    return None if allow_private or all(map(is_public, addresses)) else private
