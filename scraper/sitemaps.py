"""Sitemaps that are no XML: gzip files of them, lists of URLs, and the lines of a robots.txt that name them. Pure.

Takes a URL and what was fetched there, gives the document to read, or the links that it lists. Sitemaps in XML, and
feeds, are documents like others (`scraper.xml`). Sources: https://www.sitemaps.org/protocol.html (50,000 URLs and 50 MB
each, text files), RFC 9309 §2.2.4 (other records of a robots.txt).
"""

import re
import zlib
from urllib.parse import urlsplit

#: URLs of one sitemap, by the protocol.
MOST_URLS = 50_000
#: Bytes of one, unpacked; what comes behind is not read.
MOST_BYTES = 50 * 1024 * 1024
#: Root elements of sitemaps in XML.
ROOTS = ("urlset", "sitemapindex")
_GZIP, _GZIP_WINDOW = b"\x1f\x8b\x08", 31
_NAMED = re.compile(rb"^[ \t]*sitemap[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_URL = re.compile(rb"https?://\S+", re.IGNORECASE)


def unpacked(url: str, body: bytes) -> tuple[bytes, str] | None:
    """What a `.xml.gz` or `.txt.gz` holds, as far as it goes, and its type; None for anything else."""
    if not body.startswith(_GZIP):
        return None
    path = urlsplit(url).path.lower()
    kind = {"xml.gz": "application/xml", "txt.gz": "text/plain"}.get(".".join(path.rsplit(".", 2)[-2:]))
    if kind is None:
        return None
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(body, MOST_BYTES), kind
    except zlib.error:
        return None


def listed(url: str, body: bytes) -> list[str] | None:
    """The links of a plain text: those that a robots.txt names as sitemaps, or all lines of a list of URLs.

    None where it is neither: a text in which other words stand too.
    """
    if urlsplit(url).path == "/robots.txt":
        return [found.decode("utf-8", "replace") for found in _NAMED.findall(body)]
    lines = [line for line in body.removeprefix(b"\xef\xbb\xbf").split() if line]
    if not lines or not all(map(_URL.fullmatch, lines)):
        return None
    return [line.decode("utf-8", "replace") for line in lines]
