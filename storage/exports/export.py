"""What is recorded → files of JSON Lines, CSV, Parquet, WARC, WACZ; in constant memory, whole or not at all."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
from sqlalchemy import Engine

from contract.errors import Refused
from storage.archive.archive import SegmentStore
from storage.archive.reader import ArchiveReader
from storage.archive.warc_export import warc_members
from storage.exports import several
from storage.exports.endings import format_of
from storage.exports.flat import Table, table_of
from storage.exports.formats import comma_separated, json_lines, shown_json
from storage.exports.parquet import typed, write_parquet
from storage.exports.wacz.package import write_wacz
from storage.exports.whole_files import standard_output, whole_file, whole_path
from storage.read_models import listings
from storage.store import event_store

Format = Literal["jsonl", "csv", "parquet", "warc", "wacz"]
What = Literal["pages", "items", "failures", "events", "warc", "wacz"]

#: What each can be written as; the first is the default.
FORMATS: dict[What, tuple[Format, ...]] = {
    "pages": ("jsonl", "csv", "parquet"),
    "items": ("jsonl", "csv", "parquet"),
    "failures": ("jsonl", "csv", "parquet"),
    "events": ("jsonl",),
    "warc": ("warc",),
    "wacz": ("wacz",),
}
#: Bytes joined into one write, about.
_WRITE_BYTES = 64 * 1024


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: of one crawl (all if None); of some types; items by every version of a spider, or by one.

    `flat`: items have a column for each field of their data. `use`: none of pages that are not to be used so.
    """

    crawl: str | None = None
    types: tuple[str, ...] = ()
    all_versions: bool = False
    version: str | None = None
    flat: bool = False
    use: str | None = None


def export(
    engine: Engine,
    what: What,
    *,
    crawl: str | None = None,
    format: Format | None = None,
    to: str = "-",
    types: Sequence[str] = (),
    all_versions: bool = False,
    version: str | None = None,
    flat: bool = False,
    use: str | None = None,
    archive: SegmentStore | None = None,
) -> int:
    """Write to a path or `-`, items of each type to one of their own where `to` is a place for several.

    Returns the number of rows. Raises `Refused`; `archive` is for WARC and WACZ.
    """
    choice = Choice(crawl=crawl, types=tuple(types), all_versions=all_versions, version=version, flat=flat, use=use)
    _check_version(engine, choice)
    if several.is_several(to) and what != "items":
        raise Refused(f"cannot write {to}: {what} are one file, and that is a place for several")
    if what != "items":
        return _export(engine, what, choice, format, to, archive)
    found = _types_of(engine, choice)
    if several.is_several(to):
        ending = format or ("csv" if flat else "jsonl")
        places = {type: several.path_for(to, type, ending=ending) for type in found}
        each = [msgspec.structs.replace(choice, types=(type,)) for type in found]
        return sum(_export(engine, what, one, format, places[one.types[0]], None) for one in each)
    if flat:
        several.check_one_table(found)
    return _export(engine, what, choice, format, to, None)


def _types_of(engine: Engine, choice: Choice) -> list[str]:
    """The types of the items that are to be written; refuses one that there is not."""
    there = listings.item_types(engine, choice.crawl)
    if unknown := [type for type in choice.types if type not in there]:
        names = f"there are: {', '.join(there)}" if there else "there are none of any type"
        raise Refused(f"no items of type {unknown[0]!r}; {names}")
    return list(choice.types) or there


def _export(
    engine: Engine, what: What, choice: Choice, format: Format | None, to: str, archive: SegmentStore | None
) -> int:
    chosen = format_of(to, what=what, given=format, possible=FORMATS[what])
    if chosen == "parquet":
        return _to_parquet(engine, what, choice, to)
    if chosen in ("warc", "wacz"):
        assert archive is not None, "both come from an archive"
        if chosen == "wacz":
            return _to_wacz(engine, archive, choice.crawl, to)
        if to == "-" and sys.stdout.isatty():
            raise Refused("WARC is not for a terminal: give a file with -o, or send it on with |")
        with ArchiveReader(archive, engine) as reader:
            return _to_file(warc_members(reader, choice.crawl), to)
    return _to_file(_texts(engine, what, choice, chosen, is_shown=to == "-" and sys.stdout.isatty()), to)


def _check_version(engine: Engine, choice: Choice) -> None:
    """Refuse a version by which there is nothing: it is misspelled."""
    made = [] if choice.version is None else listings.versions(engine, choice.crawl)
    if choice.version not in (None, *(version for _, version in made)):
        names = ", ".join(f"{version} (of {spider})" for spider, version in made) or "none by any"
        raise Refused(f"no items by version {choice.version!r}; there are: {names}")


def _texts(engine: Engine, what: What, choice: Choice, format: str, *, is_shown: bool) -> Iterator[bytes]:
    if what == "events":
        lines = _event_lines(engine, choice)
    else:
        table = _table(engine, what, choice)
        if format == "csv":
            return comma_separated(table.rows, columns=list(table.columns), is_shown=is_shown)
        lines = json_lines(table.rows)
    return shown_json(lines) if is_shown else lines


def _table(engine: Engine, what: What, choice: Choice) -> Table:
    if choice.flat:
        return table_of(lambda: _READ["items"](engine, choice))
    return Table(typed(listings.COLUMNS[what]), _READ[what](engine, choice))


def _event_lines(engine: Engine, choice: Choice) -> Iterator[bytes]:
    """Each event as it was published, CloudEvents JSON, on one line."""
    yield b""
    for stored in event_store.read(engine, types=choice.types, crawl=choice.crawl):
        # Outside of strings a line break is white space, and inside of them it is spelled \n.
        yield stored.raw.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


_READ: dict[What, Callable[[Engine, Choice], Iterator[dict[str, Any]]]] = {
    "pages": lambda engine, choice: listings.pages(engine, choice.crawl, use=choice.use),
    "items": lambda engine, choice: listings.items(
        engine,
        choice.crawl,
        all_versions=choice.all_versions,
        version=choice.version,
        types=choice.types,
        use=choice.use,
    ),
    "failures": lambda engine, choice: listings.failures(engine, choice.crawl),
}


def _to_parquet(engine: Engine, what: What, choice: Choice, to: str) -> int:
    if to == "-":
        raise Refused("Parquet needs a file: give one with -o")
    with whole_path(Path(to)) as part:
        table = _table(engine, what, choice)
        return write_parquet(table.rows, part, columns=table.columns)


def _to_wacz(engine: Engine, archive: SegmentStore, crawl: str | None, to: str) -> int:
    if to == "-":
        raise Refused("WACZ needs a file: give one with -o")
    with whole_path(Path(to)) as part, ArchiveReader(archive, engine) as reader:
        return write_wacz(reader, crawl, part)


def _to_file(texts: Iterable[bytes], to: str) -> int:
    try:
        with standard_output() if to == "-" else whole_file(Path(to)) as file:
            return _write(texts, file)
    except BrokenPipeError:  # whoever reads has read enough; Python would complain once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _write(texts: Iterable[bytes], file: BinaryIO) -> int:
    """Write the head, then a text for each row; returns the number of rows."""
    number = -1
    for part, rows in _joined(texts):
        file.write(part)
        number += rows
    return number


def _joined(texts: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Texts as larger parts, each with their number."""
    waiting, size = list[bytes](), 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= _WRITE_BYTES:
            yield b"".join(waiting), len(waiting)
            waiting, size = [], 0
    yield b"".join(waiting), len(waiting)


def chunks(engine: Engine, what: What, *, crawl: str, format: Format) -> Iterator[bytes]:
    """One crawl's rows as JSON Lines or CSV, in parts of some size; read from SQL as they are taken."""
    for part, _ in _joined(_texts(engine, what, Choice(crawl=crawl), format, is_shown=False)):
        yield part
