"""The regular expressions of a crawl, searched in URLs in time linear in their length (RE2).

Whoever begins a crawl gives its patterns, and sites give the URLs: an engine that backtracks (Python's `re`) can be
led by one pattern to work on one URL for years, and every crawl waits for it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import re2

from contract.crawls import CrawlSpec
from contract.errors import Refused
from scheduler.urls import decoded
from scheduler.vain_patterns import why_in_vain

#: Memory of one crawl's `allow` or `deny`, about 10,000 steps of a program: at worst 0.03 s for a URL of 2,000
#: characters. A hundred patterns as long as a URL fit in; much more, and one crawl makes others wait.
_MOST_BYTES = 256 * 1024
#: Characters of a pattern in a message: it stays one line to read.
_MOST_SHOWN = 60
#: Python reads `{,3}` as `{0,3}`, RE2 as these very characters.
_OPEN_BELOW = re.compile(r"\{,\d+\}")


class Patterns:
    """Patterns of which one is to be found in a URL; raises `Refused` for what RE2 cannot read, or is too large."""

    def __init__(self, patterns: Sequence[str], what: str) -> None:
        for number, pattern in enumerate(patterns):
            _compiled(pattern, f"the {what} pattern {_short(pattern)}", field=f"{what}.{number}")
        # One expression is searched once, however many patterns it has, and has one bound of time and memory.
        joined = "|".join(f"(?:{pattern})" for pattern in patterns)
        self._joined = _compiled(joined, f"all {what} patterns together", field=what) if patterns else None

    def __bool__(self) -> bool:
        return self._joined is not None

    def match(self, url: str) -> bool:
        """Whether one of them is found anywhere in the URL, as it is written or as people read it."""
        if self._joined is None:
            return False
        return self._found(url) or ((text := decoded(url)) != url and self._found(text))

    def _found(self, text: str) -> bool:
        assert self._joined is not None
        return self._joined.search(text.encode("utf-8", "replace")) is not None


def check_patterns(spec: CrawlSpec) -> None:
    """Raise `Refused`, whose field is as `allow.0`, where a pattern of the crawl cannot be searched or found."""
    for what, patterns in (("allow", spec.allow), ("deny", spec.deny)):
        Patterns(patterns, what)
        for number, pattern in enumerate(patterns):
            if why := why_in_vain(pattern):
                raise Refused(f"the {what} pattern {_short(pattern)} can match no URL: {why}", field=f"{what}.{number}")


def _compiled(pattern: str, who: str, *, field: str) -> re2._Regexp:
    if _OPEN_BELOW.search(pattern):
        raise Refused(f"{who} has a repetition without a lower bound: write {{0,n}} for {{,n}}", field=field)
    options = re2.Options()
    options.max_mem, options.never_capture, options.log_errors = _MOST_BYTES, True, False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        wrong = f"{who} is not a regular expression of RE2, which has no look-around and no back-reference"
        raise Refused(f"{wrong}: {_said(error)}", field=field) from None


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "half a character"
    kind, _, part = bytes(error.args[0]).decode("utf-8", "replace").partition(": ")
    return f"{kind} {_short(part)}" if part else kind


def _short(text: str) -> str:
    return repr(text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…")
