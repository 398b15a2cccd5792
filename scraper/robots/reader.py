"""Text of a robots.txt to rules, off the event loop where it is long, and each of these once while anybody holds it.

Takes texts and product tokens, gives `Rules`. Owns no more than references to what others hold.
"""

import asyncio
import hashlib
from weakref import WeakValueDictionary

from scraper.robots.rules import Rules

#: Longer texts take milliseconds to read, up to 80 (512 KiB): all other requests of the process would wait.
LONG_TEXT = 16 * 1024


class RulesReader:
    """Reads robots.txt files for one event loop, a long one at a time."""

    def __init__(self) -> None:
        self._kept: WeakValueDictionary[tuple[bytes, str], Rules] = WeakValueDictionary()
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<RulesReader: {len(self._kept)} long files>"

    async def read(self, text: str, token: str) -> Rules:
        """The rules for a product token; for a long text the very object that somebody has already."""
        if len(text) <= LONG_TEXT:
            return Rules(text, token)
        key = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest(), token
        async with self._lock:
            rules = self._kept.get(key)
            if rules is None:
                rules = self._kept[key] = await asyncio.to_thread(Rules, text, token)
            return rules
