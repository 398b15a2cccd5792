"""What a page asks of those who read it: not to follow its links, not to keep it, not to train on it. Pure.

Takes an answer's headers and a document's `<meta>` elements, gives `Wishes`. Of what is said to everybody and to us,
all holds. Sources: the `robots` meta element and X-Robots-Tag as search engines read them (no RFC has them; RFC 9309
speaks of robots.txt alone), RFC 8288 (Link), draft-ietf-aipref-attach (Content-Usage), TDMRep of W3C's community group.
Read tolerantly: what is not understood is no wish.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from contract.pages import Wishes
from scraper.html.hrefs import Hrefs
from scraper.html.links import resolve
from scraper.robots.uses import preferences

#: Characters of each wish that are kept.
_MOST_CHARS = 1_000
#: Words of a robots tag that have a value; all else before a colon is the name of somebody.
_WITH_VALUE = frozenset(("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"))
_AGENT = re.compile(r"[a-z*_-][a-z0-9*_-]*")
_LINK = re.compile(r"<([^>]*)>((?:\s*;[^,;\"]*(?:\"[^\"]*\")?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^;,\s]+))", re.IGNORECASE)

#: Headers in which a wish may be.
_HEADERS = frozenset(("x-robots-tag", "link", "content-usage", "tdm-reservation", "tdm-policy"))

Metas = Sequence[tuple[str, str, str]]
Headers = Sequence[tuple[str, str]]


def wishes_of(headers: Headers, hrefs: Hrefs, *, token: str, base: str) -> Wishes | None:
    """The wishes of a page, None where it has none; `token` is our product token, `base` what its links stand upon."""
    metas = [meta for meta in hrefs.metas if meta[0]]
    words = tuple(dict.fromkeys((*_of_headers(headers, token), *_of_metas(metas, token))))
    target = _link(headers, "canonical", base) if hrefs.canonical is None else resolve(hrefs.canonical, base)
    uses: dict[str, Any] = dict(_uses(headers, metas))
    licence = _policy(headers, metas) or _link(headers, "license", base)
    if not (words or target or uses or licence):
        return None
    robots = ", ".join(words)[:_MOST_CHARS]
    return Wishes(robots=robots, canonical=target, license=licence and licence[:_MOST_CHARS], **uses)


def speak_of_wishes(headers: Mapping[str, str]) -> bool:
    """Whether among these headers, by their names in lower case, there is one in which a wish may be."""
    return not _HEADERS.isdisjoint(headers)


def together(host: Wishes | None, page: Wishes | None) -> Wishes | None:
    """What a host and a page of it ask: a use is refused if either refuses it (draft-ietf-aipref-vocab, combining)."""
    if host is None or page is None:
        return page or host
    both = {use: (getattr(host, use), getattr(page, use)) for use in ("train_ai", "search", "ai_input")}
    uses = {use: False if False in said else said[0] or said[1] for use, said in both.items()}
    return msgspec.structs.replace(page, license=page.license or host.license, **uses)


# -- robots


def _of_headers(headers: Headers, token: str) -> Iterator[str]:
    for name, value in headers:
        if name.lower() == "x-robots-tag":
            yield from _words(value, token)


def _of_metas(metas: Metas, token: str) -> Iterator[str]:
    for name, _, content in metas:
        if name.strip().lower() in ("robots", token):
            yield from _words(content, token)


def _words(text: str, token: str) -> list[str]:
    """The words that are for us; a name and a colon say for whom those are that follow."""
    words, is_for_us = list[str](), True
    for part in text.split(","):
        word = " ".join(part.lower().split())
        name, colon, rest = (piece.strip() for piece in word.partition(":"))
        if colon and _AGENT.fullmatch(name) and name not in _WITH_VALUE:
            is_for_us, word = name in ("*", "robots", token), rest
        if not (is_for_us and word):
            continue
        if words and words[-1].startswith("unavailable_after") and word[:1].isdigit():
            words[-1] += f" {word}"  # a date has a comma in it
        else:
            words.append(word)
    return words


# -- links in headers


def _link(headers: Headers, rel: str, base: str) -> str | None:
    for name, value in headers:
        if name.lower() == "link":
            for target, params in _LINK.findall(value):
                said = _REL.search(params)
                if said and rel in (said[1] or said[2] or "").lower().split():
                    return resolve(target, base)
    return None


# -- uses by machines


def _uses(headers: Headers, metas: Metas) -> Iterator[tuple[str, bool]]:
    """Each use that is spoken of, and whether it is allowed; what comes last counts."""
    for name, value in (*headers, *_named(metas)):
        if name.strip().lower() == "tdm-reservation" and value.strip() in ("0", "1"):
            # Reserved are all uses by text and data mining, of which training is one.
            yield "train_ai", value.strip() == "0"
    for name, value in headers:
        if name.lower() == "content-usage":
            yield from preferences(value)


def _policy(headers: Headers, metas: Metas) -> str | None:
    """Where the terms of a reservation are."""
    said = [value.strip() for name, value in (*headers, *_named(metas)) if name.strip().lower() == "tdm-policy"]
    return next(filter(None, reversed(said)), None)


def _named(metas: Metas) -> Iterator[tuple[str, str]]:
    """Names and contents, which TDMRep has alike in headers and in documents."""
    return ((name, content) for name, _, content in metas)
