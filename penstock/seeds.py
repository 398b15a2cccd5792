"""Seeds as people give them: on the command line, or in a file, one a line.

Takes texts, gives canonical URLs, duplicates dropped; raises `Refused` with one line that says what, where and how to
mend it, before anything is started.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from events.errors import Refused
from scheduler.urls import CanonicalURL, canonical
from scraper.errors import FetchError
from scraper.http.addresses import check_url, is_public

#: Names looked up before a start; a longer list is looked up by the crawl itself.
MOST_LOOK_UPS = 20
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):")


def seed_urls(texts: Iterable[str], *, file: str | None) -> list[str]:
    """The canonical URLs of the command line's seeds and the file's, in their order."""
    given = ((text, repr(text)) for text in texts)
    found = (_url(text, where).href for text, where in itertools.chain(given, _lines(file) if file else ()))
    return list(dict.fromkeys(found))


def _lines(file: str) -> Iterator[tuple[str, str]]:
    try:
        with Path(file).open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                text = line.strip()
                if text and not text.startswith("#"):
                    yield text, f"{file}:{number}: {text[:200]!r}"
    except UnicodeDecodeError:
        raise Refused(f"{file} is not a text file in UTF-8; seeds are one URL a line") from None
    except OSError as error:
        raise Refused(f"cannot read the seeds file {file}: {error.strerror or error}") from None


def _url(text: str, where: str) -> CanonicalURL:
    url = canonical(text)
    if url is not None:
        return url
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in ("http", "https") and not text.startswith("localhost:"):
        raise Refused(f"{where} cannot be crawled: only http and https can")
    guess = canonical(f"https://{text}") if not scheme else None
    hint = (
        f"; did you mean {guess.href}?" if guess and "." in guess.hostname else "; a seed is like https://example.com/"
    )
    raise Refused(f"{where} is not a URL{hint}")


async def check_reachable(urls: list[str], *, allow_private: bool) -> None:
    """Raise `Refused` where no seed can be crawled: a private address, or names that do not resolve.

    One bad seed among good ones is left to the crawl, which gives it its outcome.
    """
    some = urls[:MOST_LOOK_UPS]
    reasons = await asyncio.gather(*(_reason_against(url, allow_private=allow_private) for url in some))
    if some and len(some) == len(urls) and all(reasons):
        raise Refused(str(reasons[0]))


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
