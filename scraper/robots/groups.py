"""The lines of a robots.txt, and which of them are for us (RFC 9309 §2.1, §2.2). Pure.

Takes a text and our product token, gives a `Group`: the rules of all groups that name us, or where none does, of those
for everybody. Names are compared as Google's parser does: by their longest beginning of letters, `-` and `_`. A
crawl-delay is a rule to us, so it ends the lines that say whom a group is for; unknown lines and sitemaps do not.
"""

import math
import re
from collections.abc import Iterator

import msgspec

from scraper.robots.uses import Uses, take_use

#: The longest crawl-delay that is told apart: 30 years. Whoever asks for more asks for no crawler.
LONGEST_DELAY_MS = 10**12
#: Characters of a line that are read, as many as by Google's parser: eight times the longest URL of some browsers.
_LINE_LENGTH = 8 * 2083 - 1

_SPLIT = re.compile(r"\r\n|\r|\n")
#: What people write, and what they mean by it; another ending of the word, and no colon before a single word, are
#: taken too.
_FIELDS = {
    **dict.fromkeys(("user-agent", "useragent", "user agent"), "user-agent"),
    **dict.fromkeys(("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"), "disallow"),
    **dict.fromkeys(("crawl-delay", "crawl delay"), "crawl-delay"),
    **dict.fromkeys(("sitemap", "site-map"), "sitemap"),
    "allow": "allow",
    **dict.fromkeys(("content-usage", "content-signal"), "uses"),
    "license": "license",
}
_LINE = re.compile(rf"\s*({'|'.join(_FIELDS)})(?:[^\s:]*\s+(?!:)(\S+)\s*$|[^:]*:\s*(.*))", re.IGNORECASE)
_NAME = re.compile(r"[a-z_-]+|[^\s/#*;,]+", re.IGNORECASE)
_EVERYBODY = re.compile(r"\*(?:\s|$)")


class Group(msgspec.Struct):
    """What is said to somebody: each path pattern with whether it allows, and the crawl-delay in ms."""

    patterns: dict[str, bool] = {}
    crawl_delay_ms: int = 0
    uses: Uses = {}


class File(msgspec.Struct, frozen=True):
    """What is said to us, the sitemaps as they are named, and what is said of uses by machines.

    Of these what our own group says holds, else what is said to everybody, else what stands before all groups.
    """

    group: Group
    sitemaps: tuple[str, ...]
    uses: Uses
    license: str | None


def product_token(user_agent: str) -> str:
    """The name that robots.txt groups are matched against: `Penstock/0.1 (+https://…)` is `penstock`.

    A name that begins with what no name may (RFC 9309 §2.2.1), as `360Spider`, is the whole word.
    """
    return _name(user_agent.strip()) or "*"


def _name(text: str) -> str:
    found = _NAME.match(text)
    return found[0].lower() if found else ""


def read(text: str, token: str) -> File:
    """The rules that hold for this product token."""
    groups, said = {token: Group(), "*": Group()}, dict[str, list[str]]()
    ahead, named = Group(), set[str]()
    current, is_begun = [ahead], True
    for field, value in _lines(text):
        if field in ("sitemap", "license"):
            said.setdefault(field, []).append(value)
        elif field == "uses":
            for group in current:
                take_use(group.uses, value)
        elif field == "user-agent":
            if is_begun:
                current, is_begun = [], False
            who = "*" if _EVERYBODY.match(value) else _name(value)
            if who in groups:
                named.add(who)
                current.append(groups[who])
        else:
            is_begun = True
            for group in current:
                _take(group, field, value)
    mine = groups[token] if token in named else groups["*"]
    uses = mine.uses or groups["*"].uses or ahead.uses
    return File(mine, tuple(said.get("sitemap", ())), uses, next(iter(said.get("license", ())), None))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in _SPLIT.split(text):
        found = _LINE.match(line[:_LINE_LENGTH].partition("#")[0])
        if found:
            yield _FIELDS[found[1].lower()], (found[2] or found[3] or "").strip()


def _take(group: Group, field: str, value: str) -> None:
    if field == "crawl-delay":
        delay_ms = _delay_ms(value)
        group.crawl_delay_ms = group.crawl_delay_ms if delay_ms is None else delay_ms
    elif value:  # of two equal patterns the one that allows holds (§2.2.2)
        group.patterns[value] = field == "allow" or group.patterns.get(value, False)


def _delay_ms(value: str) -> int | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return int(min(seconds * 1000, LONGEST_DELAY_MS)) if math.isfinite(seconds) and seconds >= 0 else None
