"""robots.txt and sitemap.xml of each host, and which paths the rules forbid."""

from html import escape

from penstock.site.graph import Web
from penstock.site.options import RobotsVariant

ROBOTS_PATH = "/robots.txt"
SITEMAP_PATH = "/sitemap.xml"
#: Where the `redirect` variant ends, after one hop more on the way.
MOVED_ONCE_PATH = "/robots-moved.txt"
MOVED_TWICE_PATH = "/robots-here.txt"

#: The sitemap protocol allows no more in a file.
_MOST_IN_SITEMAP = 50_000
#: What a reader takes of a robots.txt at least (RFC 9309 §2.5); the rest of a huge one must not count.
_READ_BYTES = 512 * 1024
_FORBIDDEN = "/private/"
_PERMITTED_WITHIN = "/private/press/"
_SORTED = "?sort="

#: Variants whose rules are read in the end. The permissive allow everything, all others nothing.
_READABLE: tuple[RobotsVariant, ...] = ("ok", "bom", "huge", "redirect", "recovers")
_PERMISSIVE: tuple[RobotsVariant, ...] = ("404", "html")


def is_disallowed(path: str, *, robots: RobotsVariant = "ok") -> bool:
    """Whether a host that answers with this variant of robots.txt forbids a path (with query)."""
    if path.startswith(("/robots", SITEMAP_PATH)) or robots in _PERMISSIVE:
        return False
    if robots not in _READABLE:
        return True
    if path.startswith(_PERMITTED_WITHIN):
        return _SORTED in path
    return path.startswith(_FORBIDDEN)


def rules(web: Web, *, host: str) -> bytes:
    """The robots.txt of one host, as it is when all is well."""
    delay = web.options.crawl_delay_seconds
    lines = [
        f"# {host}",
        "User-agent: WeirBreaker",
        "Disallow: /",
        "",
        "User-agent: *",
        f"Disallow: {_FORBIDDEN}",
        f"Allow: {_PERMITTED_WITHIN}",
        f"Disallow: {_PERMITTED_WITHIN}*{_SORTED}",
        *([f"Crawl-delay: {delay:g}"] if delay is not None else []),
        "",
        f"Sitemap: http://{host}{SITEMAP_PATH}",
        "",
    ]
    return "\n".join(lines).encode()


def with_mark(text: bytes) -> bytes:
    """The same rules as some editors save them: a byte order mark, a group right behind it, CRLF."""
    groups = text[text.index(b"User-agent: *") :]
    return b"\xef\xbb\xbf" + groups.replace(b"\n", b"\r\n")


def made_huge(text: bytes) -> bytes:
    """The same rules, comments up to past the limit, then rules that forbid all and must not be read."""
    comment = b"# " + b"silt " * 20 + b"\n"
    return text + comment * (2 * _READ_BYTES // len(comment)) + b"User-agent: *\nDisallow: /\n"


def sitemap(web: Web, *, host: str) -> bytes:
    """The sitemap of one host: its pages, 50 000 at most."""
    numbers = web.pages_of(host)[:_MOST_IN_SITEMAP]
    entries = "".join(
        f"<url><loc>{escape(web.url(number))}</loc><lastmod>2025-01-{1 + number % 28:02}</lastmod></url>\n"
        for number in numbers
    )
    opening = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{opening}{entries}</urlset>\n".encode()
