"""The archive: a folder that can be written and has room, or a bucket that answers; segments as long as SQL says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.doctor.finding import Finding, bad, ok, warn
from penstock.view.numbers import size

#: Below this a recorder's next batches may not fit, whatever is planned.
LEAST_FREE_BYTES = 1_000_000_000
#: Of one page in the archive and in SQL together, where none was recorded that could be measured.
PAGE_BYTES = 30_000
#: Names of segments in one line.
_MOST_NAMED = 3


class ArchiveFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A folder: why it cannot be written (or ""), free bytes, URLs still to be fetched, and what a page takes.

    `segments`: name → bytes that SQL counts on; `files`: name → bytes that are there. With a `bucket` the segments are
    the latest of its objects, the folder has none, and `unwritable` says why it is of no use.
    """

    folder: Path
    bucket: str = ""
    unwritable: str = ""
    free_bytes: int = 0
    urls_left: int = 0
    page_bytes: float = PAGE_BYTES
    segments: Mapping[str, int] = msgspec.field(default_factory=dict)
    files: Mapping[str, int] = msgspec.field(default_factory=dict)


def check_archive(facts: ArchiveFacts) -> list[Finding]:
    """All findings on an archive."""
    if facts.bucket:
        return [_usable(facts), *(() if facts.unwritable else (_segments(facts),))]
    return [_writable(facts), _room(facts), _segments(facts)]


def _usable(facts: ArchiveFacts) -> Finding:
    if facts.unwritable:
        return bad("archive bucket", facts.unwritable, "see to PENSTOCK_ARCHIVE_URL, and to AWS_* in the environment")
    return ok("archive bucket", f"{facts.bucket} answers")


def _writable(facts: ArchiveFacts) -> Finding:
    if facts.unwritable:
        return bad("archive folder", f"cannot write {facts.folder}: {facts.unwritable}", "choose another with --data")
    return ok("archive folder", f"{facts.folder} can be written")


def _room(facts: ArchiveFacts) -> Finding:
    wanted = int(facts.urls_left * facts.page_bytes)
    text = f"{size(facts.free_bytes)} free, about {size(wanted)} wanted for {facts.urls_left:,} URLs that are queued"
    if facts.free_bytes < LEAST_FREE_BYTES:
        return bad("archive disk", text, "make room, or move closed segments away")
    if facts.free_bytes < wanted:
        return warn("archive disk", text, "make room, or limit the crawls (--max-pages)")
    return ok("archive disk", text)


def _segments(facts: ArchiveFacts) -> Finding:
    where = "bucket" if facts.bucket else "folder"
    gone = [name for name in facts.segments if name not in facts.files]
    short = [name for name, length in facts.segments.items() if facts.files.get(name, length) < length]
    if short:
        return bad("archive segments", f"{_named(short)} lost their last pages", "restore them from a backup")
    if gone:
        return warn(
            "archive segments", f"{_named(gone)} not in the {where}", "put them back to parse or export them again"
        )
    total = sum(facts.segments.values())
    latest = "the latest " if facts.bucket else ""
    return ok("archive segments", f"{latest}{len(facts.segments)}, {size(total)}, all there")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"
