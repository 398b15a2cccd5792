"""What a robots.txt says to us (RFC 9309): bytes to text, text to decisions, without any I/O."""

import codecs
import re

from contract.pages import Wishes
from contract.safe_text import without_credentials
from scraper.robots.groups import product_token, read
from scraper.robots.paths import Paths, path_of
from scraper.robots.uses import UseRules

__all__ = ["MOST_BYTES", "Rules", "product_token", "readable"]

#: What is read of a robots.txt; the RFC asks for at least 500 KiB.
MOST_BYTES = 512 * 1024
MOST_SITEMAPS = 1_000

#: The mark of UTF-8, or what a careless hand has left of it.
_MARK = re.compile(rb"\xef(?:\xbb\xbf?)?")


def readable(body: bytes) -> str:
    """The text of a robots.txt, whatever was served: any BOM, broken UTF-8, or a file that was cut in a line."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = body[:MOST_BYTES].decode("utf-16", "replace")
    else:
        mark = _MARK.match(body)
        text = body[mark.end() if mark else 0 : MOST_BYTES].decode("utf-8", "replace").lstrip("\ufeff")
    if len(body) >= MOST_BYTES:
        # Half a line may say the opposite of the whole.
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    return text.replace("\0", "\ufffd")


class Rules:
    """The rules of one host for one product token."""

    def __init__(self, text: str, token: str) -> None:
        self.token = token
        file = read(text, token)
        self._paths = Paths(file.group.patterns)
        self._uses = UseRules(file.uses, file.license) if file.uses or file.license else None
        #: The crawl-delay in ms as it is asked for; 0 where there is none that makes sense.
        self.crawl_delay_ms = file.group.crawl_delay_ms
        found = (url for url in file.sitemaps if url.lower().startswith(("http://", "https://")))
        #: The sitemaps that are named, at most MOST_SITEMAPS; only http and https.
        self.sitemaps = tuple(dict.fromkeys(map(without_credentials, found)))[:MOST_SITEMAPS]

    def __repr__(self) -> str:
        return f"<Rules for {self.token}: {self._paths!r}>"

    def wishes(self, url: str) -> Wishes | None:
        """What the host asks for uses of this URL's page; None where it says nothing."""
        return self._uses.of(path_of(url)) if self._uses else None

    def allow(self, url: str) -> bool:
        """Whether we may fetch this URL of the host; its robots.txt always (§2.2.2)."""
        path = path_of(url)
        return path.partition("?")[0] == "/robots.txt" or self._paths.allow(path)
