"""What a robots.txt says of uses by machines: Content-Usage, Content-Signal, License. Pure.

Takes the values of such lines, gives for each use the path patterns that it is allowed or refused for, for `Paths` to
decide by. Sources: draft-ietf-aipref-attach (Content-Usage, with a path or without), Content Signals
(contentsignals.org), RSL 1.0 (License). They are young and differ: what is not understood says nothing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from contract.pages import Wishes
from scraper.robots.paths import Paths

#: Words of both vocabularies → the fields of `Wishes`.
_USES = {"train-ai": "train_ai", "ai-train": "train_ai", "search": "search", "ai-input": "ai_input"}
_VALUES = {"y": True, "yes": True, "n": False, "no": False}
_PAIR = re.compile(r"(?:^|[,\s])([a-z-]+)\s*=\s*\"?([a-z]+)\b", re.IGNORECASE)

#: Use → path pattern → whether it is allowed there.
Uses = dict[str, dict[str, bool]]


def preferences(text: str) -> Iterator[tuple[str, bool]]:
    """Each use that is spoken of, and whether it is allowed: `train-ai=n, search=y`; in a header as in robots.txt."""
    for word, choice in _PAIR.findall(text):
        use, allows = _USES.get(word.lower()), _VALUES.get(choice.lower())
        if use and allows is not None:
            yield use, allows


def take_use(uses: Uses, value: str) -> None:
    """Add what one line says: preferences, with a path before them or not."""
    pattern, said = "/", value
    if value.startswith("/"):
        pattern, _, said = value.partition(" ")
    for use, allows in preferences(said):
        uses.setdefault(use, {})[pattern] = allows


class UseRules:
    """What holds for the paths of one host."""

    def __init__(self, uses: Mapping[str, Mapping[str, bool]], license: str | None) -> None:
        self._paths = {use: Paths(patterns) for use, patterns in uses.items()}
        self._license = license

    def __repr__(self) -> str:
        return f"<UseRules {', '.join(self._paths) or 'none'}>"

    def of(self, path: str) -> Wishes | None:
        """The wishes for a path, in the spelling of `path_of`; None where the host has none."""
        said: dict[str, Any] = {use: paths.decision(path) for use, paths in self._paths.items()}
        if self._license is None and all(value is None for value in said.values()):
            return None
        return Wishes(license=self._license, **said)
