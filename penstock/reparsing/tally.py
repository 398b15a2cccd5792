"""What became of the pages of a crawl that was parsed once more. Pure; owns the counts."""

from __future__ import annotations

import msgspec

#: Pages that are named; a crawl may have any number of a kind.
MOST_TROUBLES = 1_000


class Trouble(msgspec.Struct, frozen=True):
    """A page that was not parsed as it should be: its URL, a word for the reason, and a sentence."""

    url: str
    reason: str
    detail: str


class Tally(msgspec.Struct, kw_only=True):
    """Counts of pages, each in one of them, but for `items`, `superseded` and `missing`.

    - `parsed` are recorded, with so many `items`; `failed` too: their extractor made an error instead of items.
    - `already_parsed` were so by this very version, before; `superseded` says for how many of them another version's
      parse stands.
    - `redirects` have no content; `waiting` ones are still to be parsed by the crawl itself.
    - `missing` are no pages yet: links that this version asks for, and the crawl never came to.
    - `lost` ones have no body any more, `unread` ones ended their parser, `unrecorded` ones no database would hold.
    """

    parsed: int = 0
    items: int = 0
    failed: int = 0
    already_parsed: int = 0
    superseded: int = 0
    redirects: int = 0
    waiting: int = 0
    lost: int = 0
    unread: int = 0
    unrecorded: int = 0
    missing: int = 0
    troubles: list[Trouble] = msgspec.field(default_factory=list)

    @property
    def pages(self) -> int:
        """All pages that were looked at."""
        return self.parsed + self.already_parsed + self.redirects + self.waiting + self.in_trouble

    @property
    def in_trouble(self) -> int:
        """The pages that have no items by this version, though they should."""
        return self.failed + self.lost + self.unread + self.unrecorded

    def note(self, url: str, reason: str, detail: str) -> None:
        """Name a page, unless very many are named already."""
        if len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(Trouble(url, reason, detail))
