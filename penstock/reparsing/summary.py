"""What a run came to, for people or as one JSON object for programs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from contract.logs import visible
from contract.settings import Settings
from penstock.reparsing.tally import Tally
from scraper.spiders import Extractor
from storage.read_models.queries import CrawlRow

#: Pages in trouble that the lines for people name; the JSON has more.
NAMED = 10


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Crawl, extractor and counts of pages; `finished` is False after a stop, `seconds` are those of the command."""

    crawl: str
    name: str
    spider: str
    spider_version: str
    finished: bool
    seconds: float
    tally: Tally

    @classmethod
    def of(cls, row: CrawlRow, extractor: Extractor, tally: Tally, *, finished: bool, seconds: float) -> Summary:
        """The summary of a run over this crawl, by this extractor."""
        return cls(
            crawl=row.id,
            name=row.name,
            spider=extractor.name,
            spider_version=extractor.version,
            finished=finished,
            seconds=round(seconds, 3),
            tally=tally,
        )


def print_summary(summary: Summary, settings: Settings, *, json: bool) -> None:
    """Print to standard output: JSON, or lines; after a stop, how to go on to standard error."""
    if json:
        print(msgspec.json.encode(_flat(summary)).decode())
    else:
        print("\n".join(map(visible, _lines(summary, settings))))
    if not summary.finished:
        again = shlex.join(["penstock", *sys.argv[1:]])
        print(f"penstock: stopped; what is parsed stays, the same command does the rest: {again}", file=sys.stderr)


def _flat(summary: Summary) -> dict[str, Any]:
    whole = msgspec.to_builtins(summary)
    return {**whole, "pages": summary.tally.pages, **whole.pop("tally")}


def _lines(summary: Summary, settings: Settings) -> Iterator[str]:
    tally, by = summary.tally, f"{summary.spider} {summary.spider_version}"
    rate = tally.parsed / summary.seconds if summary.seconds else 0
    yield (
        f"{summary.name}: {tally.parsed:,} pages parsed by {by} into {tally.items:,} items, "
        f"in {summary.seconds:,.1f} s ({rate:,.0f} pages/s)"
    )
    for number, words in _others(tally):
        if number:
            yield f"{number:,} {words}"
    for trouble in tally.troubles[:NAMED]:
        yield f"  {trouble.url}: {trouble.reason} {trouble.detail}".rstrip()
    if tally.in_trouble > NAMED:
        yield f"  … and {tally.in_trouble - NAMED:,} more; --json names {len(tally.troubles):,}"
    if tally.missing:
        yield f"{tally.missing:,} links that it asks for and the crawl never fetched; {_way(summary, settings)}"
    yield f"see them: penstock export items --crawl {summary.crawl} --data {settings.folder}"


def _way(summary: Summary, settings: Settings) -> str:
    again = [word for word in sys.argv[1:] if word not in ("--json", "--fetch-missing")]
    return f"fetch them: {shlex.join(['penstock', *again, '--fetch-missing'])}"


def _others(tally: Tally) -> tuple[tuple[int, str], ...]:
    return (
        (tally.already_parsed, "already parsed by this version"),
        (tally.superseded, "of these are exported as another version read them: export items --version names one"),
        (tally.redirects, "redirects, which have no content"),
        (tally.waiting, "still to be parsed by the crawl itself"),
        (tally.failed, "on which the extractor failed"),
        (tally.lost, "whose body is lost"),
        (tally.unread, "that ended their parser; what was known of them stays"),
        (tally.unrecorded, "that cannot be recorded"),
    )
