"""The links of a page.

Takes what a document says (`hrefs`) and its URL, gives absolute http and https URLs in the order of the page, each
once, and where a refresh leads, a header's or a `meta`'s. Resolved as the URL standard says
(https://url.spec.whatwg.org/), without fragment, with queries in the document's encoding. `rel=nofollow` is no reason
to leave a link out: what may be asked is for robots.txt to say.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache

import ada_url
import msgspec

from contract.safe_text import without_credentials
from scraper.characters.queries import with_query_in
from scraper.html.hrefs import Hrefs
from scraper.html.refresh import refresh_target

#: Longer URLs are not handed on; servers refuse them, and a long base makes gigabytes of a few short links.
MAX_URL_CHARS = 8_000
#: All links of a page together, in characters; bounds the message that carries them.
MAX_LINKS_CHARS = 4_000_000
#: The same where more links are wanted than pages have, which is of sitemaps.
MAX_SITEMAP_CHARS, _MANY = 12_000_000, 10_000
#: So few links are within MAX_LINKS_CHARS however long they are.
_FEW = MAX_LINKS_CHARS // MAX_URL_CHARS
#: How many resolved links a process remembers: the menus of a site are the same on all its pages. About 8 MB.
_REMEMBERED = 16_384

#: How links begin that mean the same on all pages of a host, whatever its folders.
_FROM_THE_HOST = ("/", "http://", "https://")
#: What the URL standard removes before it parses.
_SPACE = "".join(map(chr, range(0x21)))


class Links(msgspec.Struct, frozen=True):
    """What a page points to: `urls`, where a meta refresh leads, how many were found and how many left out."""

    urls: tuple[str, ...] = ()
    refresh: str | None = None
    found: int = 0
    left_out: int = 0


def links_of(hrefs: Hrefs, url: str, *, base: str, limit: int, header: str = "", encoding: str = "utf-8") -> Links:
    """The links of a document that was loaded from `url`; at most `limit`, the rest is counted.

    `header` is what came as `Refresh`, which goes before any that stands in the document. `encoding` is the document's,
    in which the queries of its links are written.
    """
    here = without_fragment(url)
    raw: Iterable[str] = hrefs.raw
    if encoding != "utf-8":
        raw = (with_query_in(href, encoding) for href in raw)
    resolved = dict.fromkeys(resolve_all(raw, base))
    resolved.pop(here, None)
    refresh = refresh_target(header) if header else None
    target = resolve(refresh, url) if refresh else None
    if refresh is None and hrefs.refresh:
        target = resolve(with_query_in(hrefs.refresh, encoding), base)
    urls = _within_limits(resolved, limit, MAX_LINKS_CHARS if limit <= _MANY else MAX_SITEMAP_CHARS)
    return Links(urls, target if target != here else None, len(resolved), len(resolved) - len(urls))


def base_of(bases: Iterable[str], url: str) -> str:
    """What links are resolved against: what the first base names, else the page's own URL.

    That is any URL but `data:` and `javascript:`; against most that are not of the web, relative links lead nowhere.
    Source: https://html.spec.whatwg.org/#set-the-frozen-base-url
    """
    href = next(iter(bases), None)
    try:
        found: str = ada_url.join_url(url, href) if href is not None else url
    except ValueError:
        return url
    if found.startswith(("data:", "javascript:")) or len(found) > MAX_URL_CHARS:
        return url
    return without_credentials(without_fragment(found)) if found.startswith("http") else found


def resolve_all(hrefs: Iterable[str], base: str) -> Iterable[str]:
    """Those of the links that lead somewhere, resolved."""
    folder, host = _folder(base), _host(base)
    for href in hrefs:
        plain = href.strip(_SPACE)
        if plain.startswith(_FROM_THE_HOST):
            found = _resolve(host, plain)
        else:
            found = _resolve(folder, plain) if _needs_only_the_folder(plain) else resolve(plain, base)
        if found:
            yield found


def _needs_only_the_folder(href: str) -> bool:
    # Others (empty, `?a`, `#a`, and `http:?a`, which means the same) keep the base's last segment or its query.
    return href[:1] not in ("", "?", "#") and ":" not in href


def resolve(href: str, base: str) -> str | None:
    """A link as an absolute URL without fragment and credentials; None for no http or https URL, or too long a one."""
    try:
        url: str = ada_url.join_url(base, href)
    except ValueError:
        return None
    if not url.startswith(("http://", "https://")) or len(url) > MAX_URL_CHARS:
        return None
    return without_credentials(without_fragment(url))


_resolve = lru_cache(_REMEMBERED)(lambda folder, href: resolve(href, folder))


def without_fragment(url: str) -> str:
    """The URL up to its `#`."""
    return url.partition("#")[0]


def _host(base: str) -> str:
    """The URL of the base's host: its scheme and authority."""
    return "/".join(base.split("/", 3)[:3]) + "/"


def _folder(base: str) -> str:
    path = base.partition("#")[0].partition("?")[0]
    return path[: path.rindex("/") + 1] if path.count("/") > 2 else path


def _within_limits(urls: Collection[str], limit: int, room: int) -> tuple[str, ...]:
    if len(urls) <= min(limit, _FEW):
        return tuple(urls)
    kept: list[str] = []
    for url in urls:
        room -= len(url)
        if len(kept) >= limit or room < 0:
            break
        kept.append(url)
    return tuple(kept)
