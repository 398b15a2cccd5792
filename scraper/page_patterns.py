"""Patterns for pages, as spiders write them; pure.

`*` stands for anything but `/`, `**` for anything at all, every other character for itself.
"""

import re
from urllib.parse import quote

from contract.errors import Refused

_REST = re.compile(r"[a-z]+://[^/?#]*([^?#]*)([^#]*)", re.DOTALL)


def compiled_pattern(pattern: object) -> tuple[re.Pattern[str], str]:
    """A pattern as a regular expression, and what it is held against: `path`, `query` (with the path) or `url`.

    Raises `Refused` for what is no pattern.
    """
    if callable(pattern):
        name = getattr(pattern, "__name__", "the function")
        raise Refused(f"@spider.page above {name} needs a pattern, such as @spider.page('/{name}/*')")
    if not isinstance(pattern, str):
        raise Refused(f"not a pattern for pages: {pattern!r}; it must be text")
    if not pattern.startswith(("/", "http://", "https://")):
        raise Refused(f"not a pattern for pages: {pattern!r}; it must begin with / or http:// or https://")
    literal = quote(pattern, safe="".join(map(chr, range(0x21, 0x7F))))
    parts = (
        ".*" if part == "**" else "[^/]*" if part == "*" else re.escape(part)
        for part in re.split(r"(\*\*|\*)", literal)
    )
    subject = "url" if pattern.startswith("http") else "query" if "?" in pattern else "path"
    return re.compile("".join(parts), re.DOTALL), subject


def path_and_query(url: str) -> tuple[str, str]:
    """The path of a URL, and its query with the question mark."""
    found = _REST.match(url)
    return (found[1] or "/", found[2]) if found else ("/", "")
