"""Links that an extractor asks for today, and that the crawl never came to.

Takes the links of pages that were parsed once more; counts those of the crawl's scope that no page stands for. Owns
`missing/<crawl>.txt` in the data folder, a URL a line: pages that are parsed are not parsed again, so what they asked
for is kept until somebody fetches it (`penstock reparse … --fetch-missing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Engine

from contract.crawls import CrawlSpec
from contract.percent import one_spelling
from contract.settings import Settings
from scheduler.scope import Scope
from scheduler.urls import CanonicalURL, canonical
from storage.reparse import rows_of

#: Links of one run that are remembered, so that what stands on every page is looked up once; then it begins anew.
MOST_REMEMBERED = 1_000_000


class Missing:
    """Those of one crawl, that its runs have found so far."""

    def __init__(self, engine: Engine, settings: Settings, crawl: str, spec: CrawlSpec, seeds: Iterable[str]) -> None:
        self.path = settings.folder / "missing" / f"{crawl}.txt"
        self._engine, self._crawl, self._spec = engine, crawl, spec
        places = [url for text in seeds if (url := canonical(text))]
        self._scope = Scope(spec, {Scope(spec).place(url) for url in places})
        self._remembered: set[int] = set()
        self._kept = dict.fromkeys(_lines(self.path))

    def __len__(self) -> int:
        return len(self._kept)

    def note(self, pages: Sequence[tuple[int, Sequence[str]]]) -> None:
        """Look at the links of pages of these depths, and keep those that are missing. Blocks."""
        found: dict[str, CanonicalURL] = {}
        for depth, links in pages:
            for url in self._unseen(links):
                if self._scope.reason_against(url, depth=depth + 1) is None:
                    found[url.href] = url
        fresh = [href for href in self._absent(list(found.values())) if href not in self._kept]
        if fresh:
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(f"{href}\n" for href in fresh)
            self._kept.update(dict.fromkeys(fresh))

    def urls(self) -> list[str]:
        """All that are kept and still missing: a crawl that goes on may have come to some since. Blocks."""
        return list(self._absent([url for href in self._kept if (url := canonical(href))]))

    def forget(self) -> None:
        """They are being fetched."""
        self.path.unlink(missing_ok=True)
        self._kept.clear()

    def _unseen(self, links: Sequence[str]) -> Iterator[CanonicalURL]:
        for link in links:
            if (known := hash(link)) in self._remembered:
                continue
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered.add(known)
            if url := canonical(link):
                yield url

    def _absent(self, urls: Sequence[CanonicalURL]) -> Iterator[str]:
        """Those for which no page stands, neither as they are spelled nor as all would spell them."""
        spelled = [one_spelling(url.href) if self._spec.identity >= 2 else url.href for url in urls]
        there = rows_of(self._engine, self._crawl, [*(url.href for url in urls), *spelled])
        for url, other in zip(urls, spelled, strict=True):
            if url.href not in there and other not in there:
                yield url.href


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
