"""What a spider's functions print and log in a crawl: the lines of the parser's log that are not the parser's own.

Takes the log, from where it ended when the crawl began; gives those lines, for the end of the command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from contract.logs import visible

#: How lines of the stage's own begin, by `contract.logs`: with a time, or as JSON.
_OWN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ |\{")
#: Lines that are shown; the rest is counted.
MOST_LINES = 10
#: Bytes of the log that are read.
_MOST_BYTES = 1024 * 1024


class SpiderWords:
    """The words of one crawl's spider."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "logs" / "parse.log"
        self._start = self._log.stat().st_size if self._log.exists() else 0

    def shown(self) -> Iterator[str]:
        """The first lines, and where the others are."""
        lines = self._lines()
        yield from (visible(line) for line in lines[:MOST_LINES])
        if lines:
            more = f"{len(lines) - MOST_LINES:,} more lines" if len(lines) > MOST_LINES else "what the spider wrote"
            yield f"{more}: {self._log}"

    def _lines(self) -> list[str]:
        try:
            with self._log.open("rb") as file:
                file.seek(self._start)
                text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        except OSError:
            return []
        return [line for line in text.splitlines() if line.strip() and not _OWN.match(line)]
