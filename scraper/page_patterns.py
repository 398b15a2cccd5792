"""Patterns for pages, as spiders write them: for their URLs, and for their statuses; pure.

`*` stands for anything but `/`, `**` for anything at all, every other character for itself.
"""

import re
from urllib.parse import quote

from contract.errors import Refused

#: The status of what is a page to everybody: 2xx, and 3xx that lead nowhere.
PAGE = "2xx"
_STATUS = re.compile(r"2xx|[45](?:xx|[0-9]{2})")
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


def compiled_status(status: object) -> str:
    """A status as spiders ask for it, `404` or `4xx`; raises `Refused` for what is none."""
    text = str(status) if isinstance(status, int) and not isinstance(status, bool) else status
    if not (isinstance(text, str) and _STATUS.fullmatch(text)):
        raise Refused(f"not a status for pages: {status!r}; it must be 2xx, 4xx, 5xx or a number such as 404")
    if text in ("429", "503"):
        raise Refused(f"status {text} speaks of the rate at which we ask, and is never a page; it is asked again later")
    return text


def has_status(status: int, wanted: str) -> bool:
    """Whether a page of this status is one that a spider asks for by `wanted`."""
    if status < 400:
        return wanted == PAGE
    return wanted in (str(status), f"{status // 100}xx")
