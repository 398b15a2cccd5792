"""What a crawl came to: the counts as SQL has them, for people or as one JSON object for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from contract.errors import Refused
from contract.logs import masked, visible
from contract.settings import Settings
from contract.topology import RECORD

if TYPE_CHECKING:
    from sqlalchemy import Engine

_EXCLUDED = {
    "blocked_address": "a private address; the workers need PENSTOCK_ALLOW_PRIVATE=1 (or --allow-private)",
    "robots": "robots.txt disallows it",
    "crawl_delay": "robots.txt asks for more time between requests than the crawl allows (--max-crawl-delay)",
}
#: Why a redirect was not followed, and what to do.
_LEADS = {
    "scope": "which is out of scope: give that URL as a seed, or --scope domain or any",
    "robots": "which its robots.txt disallows",
}


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of URLs, decoded bytes, and the seconds from the command to the end.

    `pages` are those that were answered with 2xx. `why` is what became of the first URL of a crawl that has none,
    `parse_error` the first page that could not be read, `parse_errors` their number by the error's word. `unrecorded`
    counts events that the recorder has given up. `database` and `archive` say where all that lies.
    """

    crawl: str
    name: str
    state: str
    discovered: int
    fetched: int
    failed: int
    excluded: int
    parsed: int
    items: int
    bytes: int
    seconds: float
    data: str
    pages: int = 0
    database: str = ""
    archive: str = ""
    why: str | None = None
    parse_errors: dict[str, int] = {}
    parse_error: str | None = None
    unrecorded: int = 0
    #: Pages whose links were not followed, because they ask for that.
    nofollow: int = 0
    #: What else a person should know of it, in sentences.
    remarks: tuple[str, ...] = ()
    #: URLs that were left out, by their reason.
    left_out: dict[str, int] = {}
    #: The patterns of a spider none of whose functions was for any page.
    missed: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether the database knows of the crawl's end; an export of another one may be a part."""
        return self.state in ("finished", "cancelled")


def summary_of(settings: Settings, crawl: str, *, seconds: float, state: str, unrecorded: int = 0) -> Summary:
    """The summary of a crawl that is over."""
    from storage.read_models import queries
    from storage.sql.database import open_database

    engine = open_database(settings)
    if (row := queries.find_crawl(engine, crawl)) is None:
        raise Refused(f"crawl {crawl} is not in the database; was it recorded? see logs/record.log in the data folder")
    counts = {name: getattr(row, name) for name in ("discovered", "fetched", "failed", "excluded", "parsed", "items")}
    errors = queries.parse_errors(engine, crawl)
    return Summary(
        crawl=crawl,
        name=row.name,
        state=row.state or state,
        bytes=row.bytes,
        seconds=round(seconds, 3),
        **_places(settings),
        pages=queries.found_pages(engine, crawl),
        why=_why(engine, crawl),
        **_unread(errors),
        unrecorded=unrecorded,
        nofollow=_nofollow(engine, crawl),
        **_shape(engine, crawl),
        missed=() if row.items or errors else _missed(engine, crawl, settings),
        **counts,
    )


def _places(settings: Settings) -> dict[str, Any]:
    return {
        "data": str(settings.folder),
        "database": masked(settings.sql_url.removeprefix("sqlite:///")),
        "archive": masked(settings.archive_url or str(settings.folder / "archive")),
    }


def _unread(errors: list[tuple[str, int, str, str]]) -> dict[str, Any]:
    first = next((f"{url}: {detail or word}" for word, _, detail, url in errors), None)
    return {"parse_errors": {word: count for word, count, _, _ in errors}, "parse_error": first}


def _shape(engine: Engine, crawl: str) -> dict[str, Any]:
    from penstock.remarks import remarks
    from storage.read_models.shape import shape_of
    from storage.store.history import spec_of

    shape, spec = shape_of(engine, crawl), spec_of(engine, crawl)
    said = remarks(shape, follows=spec is None or spec.spider is None)
    return {"remarks": tuple(said), "left_out": shape.left_out}


def _nofollow(engine: Engine, crawl: str) -> int:
    from storage.read_models import queries
    from storage.store.history import spec_of

    spec = spec_of(engine, crawl)
    return 0 if spec and spec.follow_nofollow else queries.nofollow_pages(engine, crawl)


def _missed(engine: Engine, crawl: str, settings: Settings) -> tuple[str, ...]:
    """Only the spider that is named here is loaded: a record of a crawl is no reason to run a file."""
    from penstock.fitting import patterns_that_miss
    from scraper.spiders import load_spider
    from storage.read_models import queries
    from storage.store.history import spec_of

    spec = spec_of(engine, crawl)
    if spec is None or not settings.spider or spec.spider is None or not queries.found_pages(engine, crawl):
        return ()
    return patterns_that_miss(load_spider(settings.spider, spec.args), queries.pages(engine, crawl))


def _why(engine: Engine, crawl: str) -> str | None:
    from storage.read_models import queries

    if queries.found_pages(engine, crawl):
        return None
    if failed := next(queries.failures(engine, crawl), None):
        return f"{failed['url']}: {failed['reason']} {failed['detail'] or ''}".strip()
    if redirect := queries.redirect_out(engine, crawl):
        url, target, reason = redirect
        return f"{url} redirects to {target}, {_LEADS.get(reason or 'scope', f'left out: {reason}')}"
    first = next(queries.pages(engine, crawl), None)
    if first is None:
        return None
    said = f"answered {first['status']}" if first["outcome"] == "fetched" else str(first["reason"])
    return f"{first['url']}: {_EXCLUDED.get(said, said)}"


def print_summary(summary: Summary, *, json: bool) -> None:
    """Print to standard output: JSON, or lines that say what was found and where it lies."""
    for sentence in _complaints(summary):
        print(f"penstock: {sentence}", file=sys.stderr)
    if json:
        print(msgspec.json.encode(summary).decode())
        return
    state = "" if summary.state == "finished" else f" ({summary.state})"
    urls = f"{summary.fetched:,} fetched, {summary.failed:,} failed, {summary.excluded:,} excluded"
    found = f"{summary.parsed:,} parsed, {summary.items:,} items, {summary.bytes / 1e6:,.1f} MB"
    print(f"{visible(summary.name)}{state}: {urls}; {found} in {summary.seconds:,.1f} s")
    print(f"pages and items: {visible(summary.database)}   archive: {visible(summary.archive)}")
    print(f"see them: penstock export pages --crawl {summary.crawl} --data {summary.data}")


def _complaints(summary: Summary) -> Iterator[str]:
    """What did not go as one would wish."""
    if not summary.pages:
        yield f"no page could be fetched{f' ({visible(summary.why)})' if summary.why else ''}"
    if not summary.is_over:
        yield (
            f"crawl {summary.crawl} is not over by what is recorded of it ({summary.state}): exports may lack pages; "
            f"look at it with: penstock crawls --data {summary.data}"
        )
    if summary.parse_errors:
        counts = ", ".join(f"{count:,} {word}" for word, count in summary.parse_errors.items())
        yield f"pages that could not be read: {counts}"
        yield f"the first: {visible(summary.parse_error or '')}"
    yield from _misses(summary)
    if summary.unrecorded:
        which = f"--stage {RECORD.name} --crawl {summary.crawl} --data {summary.data}"
        yield (
            f"{summary.unrecorded:,} events could not be recorded: exports lack what they say; "
            f"see why: penstock dead list {which}; then: penstock dead retry --all {which}"
        )


def _misses(summary: Summary) -> Iterator[str]:
    """What was not looked for, though pages had it."""
    if summary.missed:
        from penstock.fitting import sentence

        yield visible(sentence(summary.missed, pages="any page of this crawl"))
    if summary.nofollow:
        asked = "1 page asks not to follow its links"
        if summary.nofollow > 1:
            asked = f"{summary.nofollow:,} pages ask not to follow their links"
        yield f"{asked} (nofollow), which was obeyed; --follow-nofollow follows them"
    yield from summary.remarks
