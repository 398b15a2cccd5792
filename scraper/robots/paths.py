"""Path patterns of a robots.txt, and the paths that they match (RFC 9309 §2.2.2, §2.2.3). Pure.

Takes patterns, each with whether it allows; says which path may be fetched: the longest pattern that matches decides.
Both are brought into one spelling before: escaped where a URL has to be, unescaped where it makes no difference.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from contract.percent import one_spelling

#: What is never found as it is in a canonical URL: outside of printable ASCII, and what browsers escape.
_NOT_IN_URLS = re.compile(r"""[^!-~]+|["'<>\\^`{|}]+""")
_PATH = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*([^#]*)")
#: A directory's index page, which stands for the directory where it is allowed (Google's parser does so).
_INDEX = re.compile(r"(?s)(.*/)index\.htm[^/]*")


def path_of(url: str) -> str:
    """Path and query of a URL as patterns are matched against."""
    found = _PATH.match(url)
    path = found[1] if found else url.partition("#")[0]
    if path[:1] != "/":
        path = f"/{path}"
    return _spelled(path).replace("*", "%2A").replace("$", "%24")


def _spelled(text: str) -> str:
    return one_spelling(_NOT_IN_URLS.sub(lambda found: quote(found[0], errors="replace"), text))


class _Pattern(NamedTuple):
    """A pattern in its parts between `*`, and whether nothing may follow."""

    length: int
    allows: bool
    parts: tuple[str, ...]
    is_whole: bool

    def matches(self, path: str) -> bool:
        first, *others = self.parts
        if not path.startswith(first):
            return False
        at = len(first)
        if not others:
            return not self.is_whole or len(path) == at
        *middle, last = others
        for part in middle:
            at = path.find(part, at)
            if at < 0:
                return False
            at += len(part)
        return path.endswith(last) and len(path) - len(last) >= at if self.is_whole else path.find(last, at) >= 0


def _pattern(text: str, *, allows: bool) -> _Pattern:
    is_whole = text.endswith("$")
    spelled = _spelled(text.removesuffix("$")).replace("$", "%24")
    parts = re.sub(r"\*+", "*", spelled).split("*")
    return _Pattern(len(spelled) + is_whole, allows, tuple(parts), is_whole)


class Paths:
    """The paths of one host that may be fetched."""

    def __init__(self, patterns: Mapping[str, bool]) -> None:
        found = [_pattern(text, allows=allows) for text, allows in patterns.items()]
        indexes = [_INDEX.fullmatch(text) for text, allows in patterns.items() if allows]
        found += [_pattern(f"{index[1]}$", allows=True) for index in indexes if index]
        # Where two are as long, the one that allows holds.
        self._all = sorted(found, key=lambda one: (-one.length, not one.allows))
        self._special = [one for one in self._all if len(one.parts) > 1 or one.is_whole]
        self._prefixes = tuple(one.parts[0] for one in self._all if len(one.parts) == 1 and not one.is_whole)

    def __repr__(self) -> str:
        return f"<Paths by {len(self._all)} patterns>"

    def allow(self, path: str) -> bool:
        """Whether this path, in the spelling of `path_of`, may be fetched."""
        return self.decision(path) is not False

    def decision(self, path: str) -> bool | None:
        """What the longest pattern that matches says; None where none does."""
        # One call rules out nearly all patterns of nearly all files.
        likely = self._all if path.startswith(self._prefixes) else self._special
        return next((one.allows for one in likely if one.matches(path)), None)
