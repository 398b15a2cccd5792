"""What a robots.txt says to us (RFC 9309): text to decisions, without any I/O.

Protego matches the rules; what it reads otherwise than the RFC is put right before: groups are for exactly our product
token or for everybody, a version behind a name (`Bot/2.0`) is no part of it, unknown lines do not end a group.
"""

import codecs
import math
import re

from protego import Protego

from contract.safe_text import without_credentials

#: What is read of a robots.txt; the RFC asks for at least 500 KiB.
MOST_BYTES = 512 * 1024
#: The longest crawl-delay that is told apart: 30 years. Whoever asks for more asks for no crawler.
LONGEST_DELAY_MS = 10**12
MOST_SITEMAPS = 1_000

_KNOWN = re.compile(
    r"\s*(?P<field>user[- ]?agent|allow|di[a-z]{3,9}w|crawl[- ]delay|site-?maps?)\s*(?P<colon>:?)\s*(?P<value>.*)", re.I
)
_NAME = re.compile(r"[^\s/#*]+")
_SPLIT = re.compile(r"\r\n|\r|\n")
#: Stands for every group that is not ours; no product token has a space.
_OTHERS = "somebody else"


def product_token(user_agent: str) -> str:
    """The name that robots.txt groups are matched against: `Penstock/0.1 (+https://…)` is `penstock`."""
    found = _NAME.match(user_agent.strip())
    return found[0].lower() if found else "*"


def readable(body: bytes) -> str:
    """The text of a robots.txt, whatever was served: any BOM, broken UTF-8, or a file that was cut in a line."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = body[:MOST_BYTES].decode("utf-16", "replace")
    else:
        text = body[:MOST_BYTES].decode("utf-8-sig", "replace")
    if len(body) >= MOST_BYTES:
        # Half a line may say the opposite of the whole.
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    return text.replace("\0", "\ufffd")


class Rules:
    """The rules of one host for one product token."""

    def __init__(self, text: str, token: str) -> None:
        self.token = token
        self._protego = Protego.parse(_for_us(text, token))

    def __repr__(self) -> str:
        return f"<Rules for {self.token}>"

    def allow(self, url: str) -> bool:
        """Whether we may fetch this URL of the host."""
        return bool(self._protego.can_fetch(url, self.token))

    @property
    def crawl_delay_ms(self) -> int:
        """The crawl-delay in ms as it is asked for; 0 where there is none that makes sense."""
        seconds = self._protego.crawl_delay(self.token)
        if seconds is None or not math.isfinite(seconds) or seconds <= 0:
            return 0
        return int(min(seconds * 1000, LONGEST_DELAY_MS))

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """The sitemaps that are named, at most MOST_SITEMAPS; only http and https."""
        found = (url for url in self._protego.sitemaps if url.lower().startswith(("http://", "https://")))
        return tuple(dict.fromkeys(map(without_credentials, found)))[:MOST_SITEMAPS]


def _for_us(text: str, token: str) -> str:
    lines = []
    for line in _SPLIT.split(text):
        known = _KNOWN.match(line)
        if known is None:
            continue
        if known["field"][0] in "uU":
            line = f"User-agent: {_meant(known['value'], token)}"
        lines.append(line)
    return "\n".join(lines)


def _meant(value: str, token: str) -> str:
    if value.startswith("*"):
        return "*"
    found = _NAME.match(value)
    return token if found and found[0].lower() == token else _OTHERS
